using System.Net;
using System.Security.Cryptography;
using Commerce.Saml;
using Commerce.Testing;

namespace Commerce.PartnerKit.Tests;

/// <summary>Single logout of a SAML site: rows S28 and S30, and their attacks.</summary>
public sealed class SamlLogoutTests
{
    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly SigningKey Key = new(Rsa, SigningKey.SelfSigned(Rsa, "partner", DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1)));

    private static async Task<(FakeSamlHub Hub, PartnerSite Site, TestBrowser Browser, LogoutPeer Peer)> SignedInAsync()
    {
        var hub = await FakeSamlHub.StartAsync();
        var site = await hub.SiteAsync(o => o.SamlSigningKey = Key);
        var browser = site.NewBrowser();
        var request = await hub.ReadAsync((await browser.GetAsync("/signin/commerce?return=/book")).RedirectsTo!, site);
        var form = hub.Respond(request);
        await browser.GetAsync((await browser.PostAsync(form.Target, form.Fields)).RedirectsTo!.PathAndQuery);
        Assert.NotNull(await browser.WhoAsync());
        return (hub, site, browser, LogoutPeer.Of(await hub.ServiceProviderAsync(site)));
    }

    [Theory]
    [InlineData(SamlBindings.HttpRedirect)]
    [InlineData(SamlBindings.HttpPost)]
    [InlineData(SamlBindings.Soap)]
    public async Task S28_S30_a_request_of_the_hub_ends_the_session_once_and_is_answered_signed(string binding)
    {
        var (hub, site, browser, peer) = await SignedInAsync();
        await using var h = hub;
        await using var s = site;
        using var b = browser;
        using var carrier = site.NewBrowser();
        var request = hub.Logout.CreateRequest(peer, binding, FakeSamlHub.Name(hub.EntityId), "session-1", "back").Value;
        SamlResult<ReceivedMessage> received;
        if (binding == SamlBindings.Soap)
        {
            using var http = new HttpClient();
            using var content = new ReadOnlyMemoryContent(request.Envelope);
            content.Headers.TryAddWithoutValidation("Content-Type", SoapBinding.MediaType);
            using var answer = await http.PostAsync(request.Address, content, TestContext.Current.CancellationToken);
            received = SoapBinding.Read(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken), isRequest: false);
        }
        else
        {
            var page = request.Url is { } url ? await carrier.GetAsync(url) : await carrier.PostAsync(request.Address, request.Form!.Fields);
            received = page.RedirectsTo is { } to ? RedirectBinding.Read(to.Query)
                : PostBinding.Read(page.Forms().Single().Hidden.Select(f => KeyValuePair.Create(f.Key, new Microsoft.Extensions.Primitives.StringValues(f.Value))));
        }
        var response = received.Then(SingleLogout.Read).Then(m => hub.Logout.ValidateResponse(m, peer, request.Id));
        if (binding == SamlBindings.Soap) Assert.True(received.Then(SingleLogout.Read).IsSuccess);
        Assert.True(response.IsSuccess, response.Fault?.ToString());
        Assert.True(response.Value.IsComplete);
        Assert.Null(await browser.WhoAsync());
        if (request.Url is { } again) Assert.Equal(HttpStatusCode.BadRequest, (await carrier.GetAsync(again)).Status);
    }

    [Theory]
    [InlineData("stranger")]
    [InlineData("unsigned")]
    [InlineData("old")]
    public async Task S28_X12_a_request_that_the_hub_did_not_sign_now_ends_nothing(string fault)
    {
        var (hub, site, browser, peer) = await SignedInAsync();
        await using var h = hub;
        await using var s = site;
        using var b = browser;
        var logout = fault == "stranger" ? new SingleLogout(hub.Logout.Settings with { SigningKey = Key }, hub.Clock) : hub.Logout;
        var url = logout.CreateRequest(peer, SamlBindings.HttpRedirect, FakeSamlHub.Name(hub.EntityId), "session-1").Value.Url!;
        if (fault == "unsigned") url = url[..url.IndexOf("&SigAlg", StringComparison.Ordinal)];
        if (fault == "old") hub.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(url)).Status);
        Assert.NotNull(await browser.WhoAsync());
    }

    [Fact]
    public async Task S30_signing_out_here_asks_the_hub_and_comes_back()
    {
        var (hub, site, browser, peer) = await SignedInAsync();
        await using var h = hub;
        await using var s = site;
        using var b = browser;
        using var post = new HttpRequestMessage(HttpMethod.Post, "/signout") { Headers = { { "Origin", site.Url } } };
        var page = await browser.SendAsync(post);
        Assert.Equal(HttpStatusCode.SeeOther, page.Status);
        Assert.Null(await browser.WhoAsync());
        var request = RedirectBinding.Read(page.RedirectsTo!.Query).Then(SingleLogout.Read).Then(m => hub.Logout.ValidateRequest(m, peer)).Value;
        Assert.Equal((FakeSamlHub.Subject, "session-1"), (request.Name.Value, request.SessionIndexes.Single()));
        var answer = hub.Logout.CreateResponse(peer, SamlBindings.HttpRedirect, request.Id, SamlStatus.PartialLogout, request.RelayState).Value;
        Assert.Equal("/", (await browser.GetAsync(answer.Url!)).RedirectsTo!.PathAndQuery);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(answer.Url!)).Status);     // once
    }

    [Fact]
    public async Task Without_a_key_single_logout_is_not_offered_and_signing_out_stays_here()
    {
        await using var hub = await FakeSamlHub.StartAsync();
        await using var site = await hub.SiteAsync();
        Assert.Empty((await hub.ServiceProviderAsync(site)).SingleLogoutServices);
        using var browser = site.NewBrowser();
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync("/saml/slo?SAMLRequest=x")).Status);
    }
}
