using System.Text;
using System.Text.Encodings.Web;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Commerce.Saml;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StatusCodes = Microsoft.AspNetCore.Http.StatusCodes;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>What goes back to the client: a code or an error, with <c>state</c> as it came and <c>iss</c> (RFC 9207), never cached.</summary>
internal sealed class AuthorizationResponse : IResult
{
    /// <summary>JARM §2.1 recommends ten minutes at most.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly ResponseTarget target;
    private readonly List<KeyValuePair<string, string>> plain = new(4);

    private AuthorizationResponse(ResponseTarget target, Issuer issuer, params ReadOnlySpan<(string Name, string? Value)> own)
    {
        this.target = target;
        foreach (var (name, value) in own)
        {
            if (value is not null) plain.Add(new(name, value));
        }
        if (target.State is { } state) plain.Add(new("state", state));
        plain.Add(new("iss", issuer.Name));
    }

    public static AuthorizationResponse Code(ResponseTarget target, Issuer issuer, string code) => new(target, issuer, ("code", code));

    /// <summary>RFC 6749 §4.1.2.1. What is no protocol error of its own (partner off, session over, ticket used) is <c>access_denied</c>.</summary>
    public static AuthorizationResponse Error(ResponseTarget target, Issuer issuer, Refusal refusal)
    {
        var error = OAuth.ErrorOf(refusal, "access_denied");
        return new(target, issuer, ("error", error), ("error_description", refusal.Code.StartsWith("oauth.", StringComparison.Ordinal) ? refusal.Message : null));
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
        var values = Values(httpContext);
        if (!target.ByForm)
        {
            // 303, so that a browser that posted a form does not post it on (RFC 9700 §4.12).
            response.StatusCode = StatusCodes.Status303SeeOther;
            response.Headers.Location = Address(values);
            return;
        }
        // OAuth 2.0 Form Post Response Mode: values travel in the body, escaped by the form's writer.
        var origin = new Uri(target.RedirectUri).GetLeftPart(UriPartial.Authority);
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src {PostForm.ScriptHash}; form-action {origin}; frame-ancestors 'none'; base-uri 'none'";
        await response.WriteAsync(new PostForm(target.RedirectUri, values).ToHtml(), httpContext.RequestAborted);
    }

    /// <summary>
    /// What travels: the values themselves, or, in the JWT modes (JARM §2.3), one JWT that holds them. It has a type of its own, so that it
    /// is taken for no other token.
    /// </summary>
    private List<KeyValuePair<string, string>> Values(HttpContext context)
    {
        if (target.Signed is not { } signed) return plain;
        var (signer, clock) = (context.RequestServices.GetRequiredService<TokenSigner>(), context.RequestServices.GetRequiredService<TimeProvider>());
        var ends = (clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds();
        return [new("response", signer.Sign(signed.Algorithm, "oauth-authz-resp+jwt", (plain, signed.Client, ends), static (json, state) =>
        {
            foreach (var (name, value) in state.plain) json.WriteString(name, value);
            json.WriteString("aud", state.Client);
            json.WriteNumber("exp", state.ends);
        }))];
    }

    /// <summary>The redirect URI with the values after its own query, which is kept (RFC 6749 §3.1.2).</summary>
    private string Address(List<KeyValuePair<string, string>> values)
    {
        var address = new StringBuilder(target.RedirectUri, target.RedirectUri.Length + 256);
        var separator = target.RedirectUri.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        foreach (var (name, value) in values)
        {
            address.Append(separator).Append(name).Append('=').Append(UrlEncoder.Default.Encode(value));
            separator = '&';
        }
        return address.ToString();
    }
}
