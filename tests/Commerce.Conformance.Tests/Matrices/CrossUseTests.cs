using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Commerce.Conformance.Tests.Suite;
using Commerce.PartnerKit;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Conformance.Tests.Matrices;

/// <summary>A hub of today: PartnerKit's library holds logout tokens against the machine's own clock.</summary>
public sealed class PresentHub : ConformanceHub
{
    protected override Task<TestHub> StartAsync() => TestHub.StartAsync(clock: new FakeClock(TimeProvider.System.GetUtcNow()));
}

/// <summary>
/// O14: every kind of signed token at every door. One key signs all that the client makes, and one client is the audience of all that the
/// hub makes, so that nothing but the kind tells them apart. Each door takes its own kind and no other.
/// </summary>
public sealed class CrossUseTests(PresentHub hub) : IClassFixture<PresentHub>
{
    [Fact]
    public async Task O14_M11_every_kind_of_token_opens_its_own_door_and_no_other()
    {
        await using var receiver = await PartnerServer.StartAsync();
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rp = await hub.AddAsync("contract", ("token_endpoint_auth_method", "private_key_jwt"), ("jwks", new { keys = new[] { Jws.PublicJwk(key, "k1") } }),
            ("grant_types", new[] { "authorization_code", "client_credentials" }), ("scope", "openid profile bookings:write"), ("id_token_signed_response_alg", "ES256"),
            ("authorization_signed_response_alg", "ES256"), ("backchannel_logout_uri", receiver.Url + "/logout"));
        rp.Key = key;
        rp.UsePkce();
        await using var site = await StartSiteAsync(rp);
        using var partner = new HttpClient { BaseAddress = new Uri(site.Urls.Single()) };
        var push = hub.Endpoint("pushed_authorization_request_endpoint");

        // One sign-in for the logout token, another for the tokens that live.
        using (var leaving = hub.Hub.NewBrowser())
        {
            var hint = (await rp.SignInAsync(leaving)).Id;
            await leaving.GetAsync($"{hub.Endpoint("end_session_endpoint")}?id_token_hint={hint}");
            await Wait.UntilAsync(() => !receiver.Received.IsEmpty, "the logout token arrives");
        }
        using var browser = hub.Hub.NewBrowser();
        var tokens = await rp.SignInAsync(browser);
        var machine = TokenSet.Of(await rp.TokenAsync(new() { ["grant_type"] = "client_credentials", ["scope"] = "bookings:write" })).Access;
        var response = (await rp.AuthorizeAsync(browser, ("response_mode", "jwt"))).Response!["response"];

        rp.DpopKey = key;
        Assert.Equal(HttpStatusCode.Created, (await rp.PostAsync(push, rp.Request())).Status);        // the nonce is known now

        var kinds = new Dictionary<string, Func<string>>
        {
            ["ID token"] = () => tokens.Id!, ["access token for userinfo"] = () => tokens.Access, ["access token for the API"] = () => machine,
            ["logout token"] = () => receiver.Received.Single().Single().Value, ["client assertion"] = () => rp.Assertion(), ["DPoP proof"] = () => rp.Proof("POST", push, null),
            ["request object"] = () => RequestObject(rp), ["authorization response"] = () => response,
        };
        var doors = new Dictionary<string, Func<string, Task<bool>>>
        {
            ["ID token"] = async token => (await rp.AuthorizeAsync(browser, ("prompt", "none"), ("id_token_hint", token))).Error is null,
            ["access token for userinfo"] = token => IsServedAsync(HttpMethod.Get, hub.Endpoint("userinfo_endpoint"), token),
            ["access token for the API"] = token => IsServedAsync(HttpMethod.Post, "/api/bookings", token),
            ["logout token"] = async token =>
            {
                using var form = new FormUrlEncodedContent([new("logout_token", token)]);
                using var answer = await partner.PostAsync("/signout/backchannel", form);
                return answer.IsSuccessStatusCode;
            },
            ["client assertion"] = async token => (await rp.PostAsync(push, rp.Request(), false, ("client_assertion", token))).Status == HttpStatusCode.Created,
            ["DPoP proof"] = async token =>
            {
                var form = rp.Request();
                (form["client_assertion_type"], form["client_assertion"]) = ("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", rp.Assertion());
                using var request = new HttpRequestMessage(HttpMethod.Post, push) { Content = new FormUrlEncodedContent(form) };
                request.Headers.Add("DPoP", token);
                using var answer = await hub.Hub.Http.SendAsync(request);
                return answer.StatusCode == HttpStatusCode.Created;
            },
            ["request object"] = async token => (await rp.PostAsync(push, new() { ["client_id"] = rp.Id, ["request"] = token }, false)).Status == HttpStatusCode.Created,
        };

        var wrong = new List<string>();
        foreach (var (door, opens) in doors)
        {
            foreach (var (kind, make) in kinds)
            {
                if (await opens(make()) != (door == kind)) wrong.Add($"{kind} at the door for {door}: {(door == kind ? "refused" : "taken")}");
            }
        }
        Assert.Empty(wrong);
    }

    private string RequestObject(Rp rp)
    {
        var claims = rp.Request().ToDictionary(p => p.Key, p => (object?)p.Value);
        (claims["iss"], claims["aud"], claims["nbf"], claims["exp"]) = (rp.Id, hub.Issuer, hub.Now, hub.Now + 300);
        return Jws.Sign(new Dictionary<string, object?> { ["alg"] = "ES256", ["kid"] = "k1", ["typ"] = "oauth-authz-req+jwt" }, claims, rp.Key);
    }

    private async Task<bool> IsServedAsync(HttpMethod method, string url, string token)
    {
        using var request = new HttpRequestMessage(method, url) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
        if (method == HttpMethod.Post) request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var answer = await hub.Hub.Http.SendAsync(request);
        return answer.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden);
    }

    /// <summary>The partner's own site: PartnerKit's door for logout tokens.</summary>
    private async Task<WebApplication> StartSiteAsync(Rp rp)
    {
        var url = $"http://127.0.0.1:{TestHub.FreePort()}";
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        builder.Services.AddSingleton<TimeProvider>(hub.Hub.Clock);
        builder.Services.AddCommerceHop(options => (options.Hub, options.ClientId, options.ClientSecret, options.BaseUrl, options.AllowHttp) = (hub.Issuer, rp.Id, "unused", url, true));
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapCommerceHop();
        await app.StartAsync();
        return app;
    }
}
