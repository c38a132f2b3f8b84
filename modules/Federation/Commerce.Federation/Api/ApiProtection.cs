using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.OpenIdConnect.ApiAccess;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Federation.OpenIdConnect.TokenStatus;
using Commerce.Kernel;
using Commerce.PartnerKit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.Federation.Api;

/// <summary>
/// The hub's own API behind the middleware that other teams' APIs use, <see cref="CommerceApi"/>. What only the hub can say goes through its
/// hooks: keys without a call to itself, nonces, and its own books. Tokens that a customer's sign-in gave out have another audience and open
/// nothing here.
/// </summary>
internal static class ApiProtection
{
    public static void Register(IServiceCollection services) => services.AddCommerceApi(static (hub, api) =>
    {
        var (issuer, signer, nonces, seen) = (hub.GetRequiredService<Issuer>(), hub.GetRequiredService<TokenSigner>(), hub.GetRequiredService<DpopNonces>(), hub.GetRequiredService<OneTimeIds>());
        (api.Issuer, api.Audience, api.AllowHttp, api.Realm) = (issuer.Name, issuer.ApiAudience, !issuer.IsHttps, "commerce");
        api.BaseUrl = issuer.Name;
        if (issuer.MtlsOrigin is { } mtls) api.OtherBaseUrls.Add(mtls);
        var published = new ConcurrentDictionary<string, SecurityKey>(StringComparer.Ordinal);      // by key id, which never names another key
        api.Keys = () => signer.AccessTokenKeys().Select(key => published.GetOrAdd(key.Kid!, static (_, made) => AsPublished(made), key));
        api.DpopNonces = new ApiNonces(() => nonces.Current, nonces.IsGood);
        api.ConsumeOnce = async (id, until, stop) => await seen.IsFirstUseAsync(OneTimeIds.Proof, issuer.ApiAudience, id, until, stop);
        api.OnValidated = HoldAgainstBooksAsync;
        api.WriteRefusal = static (context, no) => Problem.From(RefusalOf(no)).ExecuteAsync(context);
    });

    /// <summary>The token says what was true ten minutes ago at most; the registration says what is true now.</summary>
    private static async ValueTask HoldAgainstBooksAsync(ValidatedApiToken token)
    {
        var (services, stop) = (token.HttpContext.RequestServices, token.HttpContext.RequestAborted);
        var id = token.Claims.Text("client_id");
        if (token.Claims.TryGetProperty("grant_id", out _) || token.Claims.Text("sub") != id
            || await services.GetRequiredService<Connections>().FindAsync(id, stop) is not { IsActive: true, Oidc: { } oidc } client || !oidc.MayUse("client_credentials"))
        {
            token.Refuse("The client is not registered or switched off.");
            return;
        }
        if (!Guid.TryParseExact(token.Claims.Text("jti"), "D", out var jti) || await services.GetRequiredService<PresentedTokens>().IsRevokedAsync(jti, stop))
        {
            token.Refuse("The token was revoked.");
            return;
        }
        if (!services.GetRequiredService<ClientRates>().TryTake(client))
        {
            token.Limit(ClientRates.Window);
            return;
        }
        token.User = new ClaimsPrincipal(new ClaimsIdentity(
        [
            new Claim(HubClaims.ClientId, client.Id),
            new Claim(HubClaims.Partner, client.Partner),
            .. token.User.FindAll(CommerceApi.ScopeClaim).Where(scope => oidc.Scopes.Contains(scope.Value)).Select(scope => new Claim(HubClaims.Scope, scope.Value)),
        ], HubSchemes.Api));
    }

    private static Refusal RefusalOf(ApiRefusal no) =>
        no.RetryAfter is null ? new Refusal(OAuth.CodeOf(no.Error ?? "no_token"), no.Status, no.Description) : OAuth.TooManyRequests;

    /// <summary>As the key set shows it: the public half alone, so that nothing here holds on to a private key.</summary>
    private static JsonWebKey AsPublished(VerificationKey key)
    {
        var text = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(text)) JsonWebKeys.Write(json, key.Kid!, key.Algorithm, key.Key);
        return new JsonWebKey(Encoding.UTF8.GetString(text.WrittenSpan));
    }
}
