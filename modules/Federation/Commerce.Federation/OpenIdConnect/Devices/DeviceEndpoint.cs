using Commerce.Federation.OpenIdConnect.TokenStatus;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.Devices;

/// <summary>The device authorization endpoint (RFC 8628 §3.1, §3.2): a proven client gets a code to keep and a code to show.</summary>
internal static class DeviceEndpoint
{
    public const string Path = "/connect/device_authorization";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(Path, async Task<IResult> (
        HttpContext context, ClientRequest requests, FederationDb db, LookupHash hash, Issuer issuer, TimeProvider clock, CancellationToken stop) =>
    {
        if (!(await requests.ReadAsync(context.Request, stop)).TryGet(out var asked, out var no)) return new OAuthErrorAnswer(no, "invalid_request");
        var (client, oidc) = (asked.Client, asked.Client.Oidc!);
        if (!oidc.MayUse(DeviceGrant.GrantType)) return new OAuthErrorAnswer(OAuth.UnauthorizedClient, "unauthorized_client");
        var wanted = (asked.Form["scope"] ?? "openid").Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();
        if (!wanted.Contains("openid")) return new OAuthErrorAnswer(OAuth.InvalidScope, "invalid_scope");
        var scope = string.Join(' ', wanted.Where(s => s == "openid" || (OidcScopes.OfCustomers.Contains(s) && oidc.Scopes.Contains(s))));

        var now = clock.GetUtcNow();
        for (var attempt = 0; ; attempt++)
        {
            var id = Guid.CreateVersion7(now);
            var (device, user) = (OneTimeCode.New(id), UserCode.New());
            var row = new DeviceAuthorization
            {
                Id = id, Connection = client.Id, DeviceCodeHash = OneTimeCode.Hash(device), UserCodeHash = HashOf(hash, user), Scope = scope,
                ExpiresAt = now + DeviceAuthorization.Lifetime,
            };
            db.Add(row);
            try
            {
                await db.SaveChangesAsync(stop);
            }
            catch (DbUpdateException) when (attempt < 3)
            {
                db.Entry(row).State = EntityState.Detached;     // the same eight letters are out already
                continue;
            }
            return new Answer(device, UserCode.Shown(user), issuer.Url(DevicePages.Path));
        }
    }).DisableAntiforgery().ExcludeFromDescription();

    public static byte[] HashOf(LookupHash hash, string userCode) => hash.Of("device-user-code", userCode);

    private sealed class Answer(string device, string user, string page) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => JsonAnswer.WriteAsync(httpContext, StatusCodes.Status200OK, (device, user, page), static (json, state) =>
        {
            json.WriteString("device_code", state.device);
            json.WriteString("user_code", state.user);
            json.WriteString("verification_uri", state.page);
            json.WriteString("verification_uri_complete", $"{state.page}?user_code={state.user}");
            json.WriteNumber("expires_in", (int)DeviceAuthorization.Lifetime.TotalSeconds);
            json.WriteNumber("interval", DeviceAuthorization.Interval);
        });
    }
}
