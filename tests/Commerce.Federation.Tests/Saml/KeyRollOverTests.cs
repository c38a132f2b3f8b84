using System.Xml;
using Commerce.Federation.Data;
using Commerce.Federation.Saml;
using Commerce.Kernel.Secrets;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Saml;

/// <summary>What partners see while the hub's SAML key changes. Each test has a hub of its own: keys are the hub's, and all its partners feel a rotation.</summary>
public sealed class KeyRollOverTests : IAsyncLifetime
{
    private readonly SamlHub saml = new();

    public ValueTask InitializeAsync() => saml.InitializeAsync();

    public ValueTask DisposeAsync() => saml.DisposeAsync();

    private static async Task<(XmlDocument Response, TestPage Page)> RespondAsync(TestServiceProvider sp, TestBrowser browser, string id)
    {
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: id), null, sp.SigningKey));
        return (SamlHub.ResponseOf(page), page);
    }

    [Fact]
    public async Task After_a_rotation_the_next_key_signs_and_a_partner_with_the_old_metadata_still_verifies()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var before = await saml.ReadIdpAsync();
        var keys = (await saml.Hub.AskAsync(new Contracts.RotateKeys(SamlIdentity.KeyPurposeName))).Value.Where(k => k.Purpose == SamlIdentity.KeyPurposeName).ToList();
        Assert.Equal(["active", "next", "retired"], keys.Select(k => k.State));

        sp.Hub = before;
        var (response, page) = await RespondAsync(sp, browser, "_rot");
        Assert.True((await sp.ReceiveAsync(page, "_rot")).IsSuccess);
        Assert.Equal(before.SigningKeys[1].Certificate, Convert.ToBase64String(Convert.FromBase64String(response.GetElementsByTagName("X509Certificate").Cast<XmlNode>().FirstOrDefault()?.InnerText ?? before.SigningKeys[1].Certificate!)));
        Assert.Contains((await saml.ReadIdpAsync()).SigningKeys, k => k.Equals(before.SigningKeys[1]));
        Assert.Equal("federation.unknown_key_purpose", (await saml.Hub.AskAsync(new Contracts.RotateKeys("nothing"))).Refusal!.Code);
    }

    [Fact]
    public async Task A_hop_whose_response_could_not_be_signed_is_told_to_nobody_and_can_be_made_again()
    {
        var sp = await saml.AddPartnerAsync(needsConsent: true, requestInitiator: "https://fitter.example/saml/login", claims: ["name"]);
        var (browser, customer, session) = saml.SignedIn();
        var (ticket, _) = await saml.StartHopAsync(sp, customer, session, "name");
        saml.Hub.Services.GetRequiredService<SigningKeys>().ActiveOf(SamlIdentity.KeyPurposeName).Key.Dispose();
        var lost = await browser.GetAsync(sp.Request(new AuthnRequestOptions { HopTicket = ticket }).Url);
        Assert.Equal(System.Net.HttpStatusCode.InternalServerError, lost.Status);
        Assert.Equal(0, await saml.Hub.WithDbAsync<FederationDb, int>(db => db.Set<AnsweredRequest>().CountAsync()));

        Assert.True((await saml.Hub.AskAsync(new Contracts.RotateKeys(SamlIdentity.KeyPurposeName))).IsOk);
        var again = sp.Request(new AuthnRequestOptions { HopTicket = ticket });
        sp.Hub = await saml.ReadIdpAsync();
        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(again.Url), again.Id)).IsSuccess);
        await Wait.UntilAsync(() => saml.Neighbours.Released.Any(r => r.Customer == customer), "the ledger was told");
        Assert.Single(saml.Neighbours.Released, r => r.Customer == customer);
    }

    [Fact]
    public async Task S32_over_two_rotations_a_partner_that_refreshes_never_fails_and_one_with_a_single_certificate_does_until_it_reads_again()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var caching = await saml.ReadIdpAsync();
        var single = caching with { SigningKeys = [caching.SigningKeys[0]] };
        Assert.Equal(2, caching.SigningKeys.Count);     // published ahead: in use, and next

        await RotateAsync();
        Assert.True(await ReadsAsync(caching, "_once"));
        Assert.False(await ReadsAsync(single, "_once-single"));
        var first = caching.SigningKeys;
        caching = await saml.ReadIdpAsync();            // its copy's cacheDuration is over
        single = caching with { SigningKeys = [caching.SigningKeys[0]] };
        Assert.Equal(first[1], caching.SigningKeys[0]);  // the key in use stands first
        Assert.DoesNotContain(first[0], caching.SigningKeys);   // what is retired signs nothing new, so nobody needs it
        Assert.True(await ReadsAsync(single, "_read-again"));

        await RotateAsync();
        Assert.True(await ReadsAsync(caching, "_twice"));
        await RotateAsync();
        Assert.False(await ReadsAsync(caching, "_too-old"));    // two rotations within one copy's life: the help of "keys rotate" says to wait a day
        Assert.True(await ReadsAsync(await saml.ReadIdpAsync(), "_fresh"));

        async Task RotateAsync() => Assert.True((await saml.Hub.AskAsync(new Contracts.RotateKeys(SamlIdentity.KeyPurposeName))).IsOk);

        async Task<bool> ReadsAsync(Commerce.Saml.RemoteIdentityProvider known, string id)
        {
            sp.Hub = known;
            var (_, page) = await RespondAsync(sp, browser, id);
            return (await sp.ReceiveAsync(page, id)).IsSuccess;
        }
    }
}
