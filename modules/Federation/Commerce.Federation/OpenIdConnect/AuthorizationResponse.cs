using System.Text;
using System.Text.Encodings.Web;
using Commerce.Kernel;
using Commerce.Saml;
using Microsoft.AspNetCore.Http;
using StatusCodes = Microsoft.AspNetCore.Http.StatusCodes;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>What goes back to the client: a code or an error, with <c>state</c> as it came and <c>iss</c> (RFC 9207), never cached.</summary>
internal sealed class AuthorizationResponse : IResult
{
    private readonly ResponseTarget target;
    private readonly List<KeyValuePair<string, string>> values = new(4);

    private AuthorizationResponse(ResponseTarget target, Issuer issuer, params ReadOnlySpan<(string Name, string? Value)> own)
    {
        this.target = target;
        foreach (var (name, value) in own)
        {
            if (value is not null) values.Add(new(name, value));
        }
        if (target.State is { } state) values.Add(new("state", state));
        values.Add(new("iss", issuer.Name));
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
        if (!target.ByForm)
        {
            // 303, so that a browser that posted a form does not post it on (RFC 9700 §4.12).
            response.StatusCode = StatusCodes.Status303SeeOther;
            response.Headers.Location = Address();
            return;
        }
        // OAuth 2.0 Form Post Response Mode: values travel in the body, escaped by the form's writer.
        var origin = new Uri(target.RedirectUri).GetLeftPart(UriPartial.Authority);
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src {PostForm.ScriptHash}; form-action {origin}; frame-ancestors 'none'; base-uri 'none'";
        await response.WriteAsync(new PostForm(target.RedirectUri, values).ToHtml(), httpContext.RequestAborted);
    }

    /// <summary>The redirect URI with the values after its own query, which is kept (RFC 6749 §3.1.2).</summary>
    private string Address()
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
