using System.Net;
using System.Text;
using System.Xml;
using Commerce.Federation.Data;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.Saml;

/// <summary>What a request in order may ask for: rows S11 to S16 of docs/security.md, over HTTP.</summary>
public sealed class AuthnRequestWishesTests(SamlHub saml) : IClassFixture<SamlHub>
{
    [Theory]
    [InlineData("true")]
    [InlineData("1")]
    public async Task S11_ForceAuthn_asks_for_a_credential_although_a_session_lives(string flag)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, customer, _) = saml.SignedIn();
        var before = saml.Clock.GetUtcNow();
        saml.Clock.Advance(TimeSpan.FromMinutes(1));
        var toSignIn = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_force", attributes: $"ForceAuthn=\"{flag}\""), key: sp.SigningKey));

        // Coming back without having given it leads to the sign-in page again.
        toSignIn = await browser.GetAsync(saml.ReturnPathOf(toSignIn));
        saml.Clock.Advance(TimeSpan.FromSeconds(20));
        var page = await saml.SignInAtAsync(browser, toSignIn, customer);

        var assertion = (await sp.ReceiveAsync(page, "_force")).Value;
        Assert.True(assertion.AuthnInstant > before.AddMinutes(1), "AuthnInstant is that of the fresh sign-in.");
    }

    [Theory]
    [InlineData("IsPassive=\"true\"")]
    [InlineData("IsPassive=\"1\" ForceAuthn=\"1\"")]
    public async Task S12_IsPassive_shows_no_page_and_answers_NoPassive(string attributes)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        using var stranger = saml.Hub.NewBrowser();
        var xml = sp.RequestXml(attributes: attributes);
        SamlHub.AssertStatus(await stranger.GetAsync(sp.Redirect(xml, key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.NoPassive);

        var (browser, _, _) = saml.SignedIn();
        saml.Clock.Advance(TimeSpan.FromSeconds(1));
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_p", attributes: attributes), key: sp.SigningKey));
        if (attributes.Contains("Force", StringComparison.Ordinal)) SamlHub.AssertStatus(page, sp, Commerce.Saml.StatusCodes.NoPassive);
        else Assert.True((await sp.ReceiveAsync(page, "_p")).IsSuccess);
    }

    [Fact]
    public async Task S12_IsPassive_answers_NoPassive_where_the_session_behind_the_cookie_is_over()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, customer, _) = saml.SignedIn();
        saml.Neighbours.Accounts[customer] = saml.Neighbours.Accounts[customer] with { IsLocked = true };    // the cookie still reads, the gate does not open
        SamlHub.AssertStatus(await browser.GetAsync(sp.Request(new AuthnRequestOptions { IsPassive = true }).Url), sp, Commerce.Saml.StatusCodes.NoPassive);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S12_IsPassive_answers_NoPassive_where_the_customer_would_have_to_be_asked()
    {
        var sp = await saml.AddPartnerAsync(needsConsent: true, claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(sp.RequestXml(attributes: "IsPassive=\"true\""), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.NoPassive);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Theory]
    [InlineData("exact", "urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard")]
    [InlineData("better", AuthnContextClasses.PasswordProtectedTransport)]
    [InlineData("minimum", AuthnContextClasses.RefedsMfa)]
    public async Task S13_a_context_that_is_not_to_be_had_answers_NoAuthnContext(string comparison, string context)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(sp.RequestXml(children: Requested(comparison, context)), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.NoAuthnContext);
    }

    [Fact]
    public async Task S13_a_context_that_was_performed_is_stated_and_an_unknown_comparison_is_refused()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_c", children: Requested("exact", AuthnContextClasses.PasswordProtectedTransport)), key: sp.SigningKey));
        Assert.Equal(AuthnContextClasses.PasswordProtectedTransport, (await sp.ReceiveAsync(page, "_c")).Value.ContextClass);
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(
            sp.RequestXml(children: Requested("stronger", AuthnContextClasses.PasswordProtectedTransport)), key: sp.SigningKey)), FaultCodes.AuthnContextInvalid);
    }

    private static string Requested(string comparison, string context) =>
        $"<samlp:RequestedAuthnContext Comparison=\"{comparison}\"><saml:AuthnContextClassRef>{context}</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>";

    [Theory]
    [InlineData("Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\" AllowCreate=\"true\"")]
    [InlineData("Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" SPNameQualifier=\"https://other.example\" AllowCreate=\"true\"")]
    [InlineData("Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" AllowCreate=\"false\"")]
    [InlineData("AllowCreate=\"0\"")]
    public async Task S14_a_name_policy_that_cannot_be_kept_answers_InvalidNameIDPolicy(string policy)
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(children: $"<samlp:NameIDPolicy {policy}/>"), key: sp.SigningKey));
        SamlHub.AssertStatus(page, sp, Commerce.Saml.StatusCodes.InvalidNameIdPolicy);
        Assert.Equal(0, await saml.ReleasesAsync(sp));
    }

    [Fact]
    public async Task S14_AllowCreate_false_is_answered_for_a_pair_that_has_met()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        await browser.GetAsync(sp.Request().Url);
        var page = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_met", children: "<samlp:NameIDPolicy AllowCreate=\"false\"/>"), key: sp.SigningKey));
        Assert.True((await sp.ReceiveAsync(page, "_met")).IsSuccess);
    }

    [Fact]
    public async Task S15_a_subject_who_is_not_signed_in_is_an_error_and_never_ignored()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        var first = sp.Request();
        var name = (await sp.ReceiveAsync(await browser.GetAsync(first.Url), first.Id)).Value.Name;
        static string Subject(string value) => $"<saml:Subject><saml:NameID Format=\"{NameIdFormats.Persistent}\">{value}</saml:NameID></saml:Subject>";

        var right = await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_right", children: Subject(name.Value)), key: sp.SigningKey));
        Assert.Equal(name, (await sp.ReceiveAsync(right, "_right")).Value.Name);
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(sp.RequestXml(children: Subject("somebody-else")), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.UnknownPrincipal);
        var (other, _, _) = saml.SignedIn("Bo Ek");
        SamlHub.AssertStatus(await other.GetAsync(sp.Redirect(sp.RequestXml(children: Subject(name.Value)), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.UnknownPrincipal);
        SamlHub.AssertStatus(await browser.GetAsync(sp.Redirect(
            sp.RequestXml(children: "<saml:Subject><saml:BaseID/></saml:Subject>"), key: sp.SigningKey)), sp, Commerce.Saml.StatusCodes.RequestUnsupported);
    }

    private const string Extras =
        "<samlp:Extensions><x:Y xmlns:x=\"urn:somebody\"><x:Z a=\"b\">c</x:Z></x:Y></samlp:Extensions>"
        + "<saml:Conditions NotBefore=\"2026-01-01T00:00:00Z\"/><samlp:Scoping ProxyCount=\"2\"><samlp:IDPList><samlp:IDPEntry ProviderID=\"https://idp.other.example\"/></samlp:IDPList></samlp:Scoping>";

    [Fact]
    public async Task S16_unknown_extensions_conditions_and_scoping_are_tolerated()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        Assert.True((await sp.ReceiveAsync(await browser.GetAsync(sp.Redirect(sp.RequestXml(id: "_x", children: Extras), key: sp.SigningKey)), "_x")).IsSuccess);
    }

    [Fact]
    public async Task S16_they_let_no_check_be_skipped()
    {
        var sp = await saml.AddPartnerAsync(claims: ["name"]);
        var (browser, _, _) = saml.SignedIn();
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(children: Extras))), FaultCodes.SignatureMissing);
        saml.AssertRefused(await browser.GetAsync(sp.Redirect(sp.RequestXml(acs: "https://evil.example/", children: Extras), key: sp.SigningKey)), FaultCodes.AcsInvalid);
    }
}
