using System.Net;
using System.Text;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Logout;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Saml;
using Commerce.Federation.Tests.OpenIdConnect;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.Saml;

/// <summary>Single logout from either side, over each binding: rows S28 to S31, X05, X20, X23 and L11.</summary>
public sealed class SingleLogoutTests(SamlHub saml) : IClassFixture<SamlHub>
{
    private bool IsAlive(Guid session) => saml.Neighbours.Sessions.ContainsKey(session);

    private static async Task<ValidatedAssertion> SignInAsync(TestServiceProvider sp, TestBrowser browser, string? format = NameIdFormats.Persistent)
    {
        var request = sp.Request(new AuthnRequestOptions { NameIdFormat = format });
        return (await sp.ReceiveAsync(await browser.GetAsync(request.Url), request.Id)).Value;
    }

    private static OutgoingLogout Ask(TestServiceProvider sp, string binding, NameId name, string? index) =>
        sp.Slo.CreateRequest(LogoutPeer.Of(sp.Hub), binding, name, index, "rs &1").Value;

    private static OutgoingLogout Ask(TestServiceProvider sp, ValidatedAssertion a, string binding = SamlBindings.HttpRedirect) => Ask(sp, binding, a.Name, a.SessionIndex);

    private static Task<TestPage> SendAsync(TestBrowser browser, OutgoingLogout request) =>
        request.Url is { } url ? browser.GetAsync(url) : browser.PostAsync(request.Address, request.Form!.Fields);

    private async Task<(HttpStatusCode Status, byte[] Body)> SoapAsync(ReadOnlyMemory<byte> envelope, string type = "text/xml")
    {
        using var content = new ReadOnlyMemoryContent(envelope);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await saml.Hub.Http.PostAsync("/saml/slo/soap", content, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>A service provider whose SOAP endpoint answers as it should.</summary>
    private async Task<(TestServiceProvider Sp, TestReceiver Receiver)> WithSoapAsync(string status = Commerce.Saml.StatusCodes.Success)
    {
        var receiver = await TestReceiver.StartAsync();
        var sp = await saml.AddPartnerAsync(slo: true, soap: receiver.Url);
        receiver.Answer = async context =>
        {
            var read = SoapBinding.Read(Encoding.UTF8.GetBytes(receiver.Received.Last().Body), isRequest: true).Then(SingleLogout.Read)
                .Then(m => sp.Slo.ValidateRequest(m, LogoutPeer.Of(sp.Hub)));
            context.Response.StatusCode = read.IsSuccess ? 200 : 400;
            if (read.IsSuccess)
                await context.Response.Body.WriteAsync(sp.Slo.CreateResponse(LogoutPeer.Of(sp.Hub), SamlBindings.Soap, read.Value.Id, new SamlStatus(status)).Value.Envelope);
        };
        return (sp, receiver);
    }

    private Task<List<LogoutDelivery>> DeliveriesAsync(TestServiceProvider sp) => saml.Hub.WithDbAsync<FederationDb, List<LogoutDelivery>>(db =>
        db.Set<LogoutDelivery>().AsNoTracking().Where(d => d.Connection == sp.EntityId).ToListAsync());

    [Fact]
    public void S32_our_metadata_offers_single_logout_by_three_bindings()
    {
        Assert.Equal([SamlBindings.HttpRedirect, SamlBindings.HttpPost, SamlBindings.Soap], saml.Idp.SingleLogoutServices.Select(s => s.Binding));
        Assert.All(saml.Idp.SingleLogoutServices, s => Assert.StartsWith(saml.Hub.Origin + "/saml/slo", s.Location, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(SamlBindings.HttpRedirect, NameIdFormats.Persistent)]
    [InlineData(SamlBindings.HttpPost, NameIdFormats.Persistent)]
    [InlineData(SamlBindings.HttpRedirect, NameIdFormats.Transient)]
    public async Task S28_S30_a_service_provider_ends_the_session_and_gets_a_signed_answer(string binding, string format)
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, session) = saml.SignedIn();
        var assertion = await SignInAsync(sp, browser, format);
        using var carrier = saml.Hub.NewBrowser();    // a post from another site comes without the session cookie
        var request = Ask(sp, assertion, binding);
        var answer = sp.LoggedOut(await SendAsync(carrier, request), request.Id);
        Assert.Equal((SamlStatus.Success, "rs &1"), (answer.Status, answer.RelayState));
        Assert.False(IsAlive(session));
    }

    [Fact]
    public async Task S28_S30_by_soap_the_answer_comes_in_the_same_exchange()
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, session) = saml.SignedIn();
        var request = Ask(sp, await SignInAsync(sp, browser), SamlBindings.Soap);
        var (status, body) = await SoapAsync(request.Envelope);
        Assert.Equal(HttpStatusCode.OK, status);
        var answer = SoapBinding.Read(body, isRequest: false).Then(SingleLogout.Read).Then(m => sp.Slo.ValidateResponse(m, LogoutPeer.Of(sp.Hub), request.Id));
        Assert.True(answer.IsSuccess, answer.Fault?.ToString());
        Assert.True(answer.Value.IsComplete);
        Assert.False(IsAlive(session));
        Assert.Equal(HttpStatusCode.BadRequest, (await SoapAsync(request.Envelope)).Status);    // once
    }

    [Fact]
    public async Task S28_without_a_session_index_the_browsers_own_session_is_meant()
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, session) = saml.SignedIn();
        var assertion = await SignInAsync(sp, browser);
        using var stranger = saml.Hub.NewBrowser();
        var none = Ask(sp, SamlBindings.HttpRedirect, assertion.Name, null);
        Assert.Equal(SamlStatus.UnknownPrincipal, sp.LoggedOut(await SendAsync(stranger, none), none.Id).Status);
        Assert.True(IsAlive(session));
        var own = Ask(sp, SamlBindings.HttpRedirect, assertion.Name, null);
        Assert.Equal(SamlStatus.Success, sp.LoggedOut(await SendAsync(browser, own), own.Id).Status);
        Assert.False(IsAlive(session));
    }

    [Theory]
    [InlineData("unsigned", FaultCodes.SignatureMissing)]
    [InlineData("stranger's key", FaultCodes.SignatureInvalid)]
    [InlineData("old", FaultCodes.Expired)]
    [InlineData("NotOnOrAfter past", FaultCodes.Expired)]
    [InlineData("other destination", FaultCodes.DestinationInvalid)]
    [InlineData("no destination", FaultCodes.DestinationInvalid)]
    [InlineData("no name", FaultCodes.SubjectInvalid)]
    [InlineData("unknown issuer", FaultCodes.IssuerInvalid)]
    [InlineData("wrapped", FaultCodes.StructureInvalid)]
    public async Task S28_X05_X10_X23_a_request_that_is_not_in_order_ends_nothing_and_is_one_page(string fault, string code)
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, session) = saml.SignedIn();
        var assertion = await SignInAsync(sp, browser);
        var now = saml.Clock.GetUtcNow();
        string At(TimeSpan ago) => (now - ago).ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
        var destination = fault switch { "other destination" => "https://other.example/saml/slo", "no destination" => null, _ => sp.Hub.SingleLogoutServices[0].Location };
        var name = fault == "no name" ? "" : $"<saml:NameID Format=\"{assertion.Name.Format}\">{assertion.Name.Value}</saml:NameID>";
        var xml = $"<samlp:LogoutRequest xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"_{Guid.NewGuid():N}\" Version=\"2.0\" "
            + $"IssueInstant=\"{At(fault == "old" ? TimeSpan.FromMinutes(4) : TimeSpan.Zero)}\" {(destination is null ? "" : $"Destination=\"{destination}\"")} "
            + $"NotOnOrAfter=\"{At(fault == "NotOnOrAfter past" ? TimeSpan.FromMinutes(4) : TimeSpan.FromMinutes(-2))}\">"
            + $"<saml:Issuer>{(fault == "unknown issuer" ? "https://nobody.example/" : sp.EntityId)}</saml:Issuer>{name}<samlp:SessionIndex>{assertion.SessionIndex}</samlp:SessionIndex></samlp:LogoutRequest>";
        var signed = fault == "unsigned" ? xml : TestServiceProvider.Sign(xml, withStrangersKey: fault == "stranger's key");
        if (fault == "wrapped")
            signed = xml.Replace("ID=\"_", "ID=\"_evil", StringComparison.Ordinal).Replace("</saml:Issuer>", $"</saml:Issuer><samlp:Extensions>{signed}</samlp:Extensions>", StringComparison.Ordinal);
        using var carrier = saml.Hub.NewBrowser();
        var page = await carrier.PostAsync("/saml/slo", [KeyValuePair.Create("SAMLRequest", Convert.ToBase64String(Encoding.UTF8.GetBytes(signed)))]);
        saml.AssertRefused(page, code);
        Assert.True(IsAlive(session));

        // The same over SOAP: one fault, whatever was wrong.
        if (destination is not null && fault != "other destination") signed = signed.Replace("/saml/slo\"", "/saml/slo/soap\"", StringComparison.Ordinal);
        var (status, body) = await SoapAsync(Encoding.UTF8.GetBytes($"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{signed}</s:Body></s:Envelope>"));
        if (fault == "no destination") return;    // by SOAP it may be left out
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(SoapBinding.Fault.ToArray(), body);
        Assert.True(IsAlive(session));
    }

    [Fact]
    public async Task S28_the_name_or_the_session_of_somebody_else_ends_nothing()
    {
        var (sp, other) = (await saml.AddPartnerAsync(slo: true), await saml.AddPartnerAsync(slo: true));
        var (browser, _, session) = saml.SignedIn();
        var (mine, theirs) = (await SignInAsync(sp, browser), await SignInAsync(other, browser));
        var (second, _, secondSession) = saml.SignedIn("Erik Aström");
        var eriks = await SignInAsync(sp, second);
        foreach (var (name, index) in new[] { (mine.Name, theirs.SessionIndex), (theirs.Name, mine.SessionIndex), (eriks.Name, mine.SessionIndex), (mine.Name, "_guess"), (mine.Name, eriks.SessionIndex) })
        {
            var request = Ask(sp, SamlBindings.HttpRedirect, name, index);
            Assert.Equal(SamlStatus.UnknownPrincipal, sp.LoggedOut(await SendAsync(saml.Hub.NewBrowser(), request), request.Id).Status);
        }
        Assert.True(IsAlive(session) && IsAlive(secondSession));
    }

    [Fact]
    public async Task S28_a_request_that_names_one_session_too_many_ends_none()
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, session) = saml.SignedIn();
        var assertion = await SignInAsync(sp, browser);
        foreach (var (others, status) in new[] { (new[] { "_guess" }, SamlStatus.UnknownPrincipal), ([], SamlStatus.Success) })
        {
            Assert.True(IsAlive(session));
            var id = $"_{Guid.NewGuid():N}";
            var xml = $"<samlp:LogoutRequest xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"{id}\" Version=\"2.0\" "
                + $"IssueInstant=\"{saml.Clock.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}\" Destination=\"{sp.Hub.SingleLogoutServices[0].Location}\"><saml:Issuer>{sp.EntityId}</saml:Issuer>"
                + $"<saml:NameID Format=\"{assertion.Name.Format}\">{assertion.Name.Value}</saml:NameID>"
                + string.Concat(others.Prepend(assertion.SessionIndex).Select(index => $"<samlp:SessionIndex>{index}</samlp:SessionIndex>")) + "</samlp:LogoutRequest>";
            var page = await browser.PostAsync("/saml/slo", [KeyValuePair.Create("SAMLRequest", Convert.ToBase64String(Encoding.UTF8.GetBytes(TestServiceProvider.Sign(xml))))]);
            Assert.Equal(status, sp.LoggedOut(page, id).Status);
        }
        Assert.False(IsAlive(session));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/soap+xml")]
    public async Task X23_a_message_in_order_that_is_sent_as_something_else_than_text_xml_is_the_one_fault(string type)
    {
        // A form on another site can post the first three without asking the browser.
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, session) = saml.SignedIn();
        var request = Ask(sp, await SignInAsync(sp, browser), SamlBindings.Soap);
        var (status, body) = await SoapAsync(request.Envelope, type);
        Assert.Equal((HttpStatusCode.BadRequest, true), (status, IsAlive(session)));
        Assert.Equal(SoapBinding.Fault.ToArray(), body);
        Assert.Equal(HttpStatusCode.OK, (await SoapAsync(request.Envelope, "TEXT/XML; charset=utf-8")).Status);
        Assert.False(IsAlive(session));
    }

    [Fact]
    public async Task X14_X23_an_envelope_of_256_kilobytes_is_read_and_one_byte_more_is_the_one_fault()
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, _) = saml.SignedIn();
        var envelope = Encoding.UTF8.GetString(Ask(sp, await SignInAsync(sp, browser), SamlBindings.Soap).Envelope.Span);
        Assert.Equal(HttpStatusCode.BadRequest, (await SoapAsync(Encoding.UTF8.GetBytes(envelope.PadRight(SoapBinding.MaxLength + 1)))).Status);
        Assert.Equal(HttpStatusCode.OK, (await SoapAsync(Encoding.UTF8.GetBytes(envelope.PadRight(SoapBinding.MaxLength)))).Status);
    }

    [Fact]
    public async Task X20_a_partner_switched_off_while_the_signed_out_page_stands_is_not_told_of_the_customer()
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, _) = saml.SignedIn();
        await SignInAsync(sp, browser);
        var done = await browser.SubmitAsync(await browser.GetAsync("/connect/logout"), action: "/connect/logout/confirm");
        var link = TellLink(done);
        await saml.Hub.AskAsync(new SwitchPartner(sp.Partner, false));
        saml.AssertRefused(await browser.GetAsync(link), Refusals.PartnerOff.Code);
        await saml.Hub.AskAsync(new SwitchPartner(sp.Partner, true));
        Assert.StartsWith(sp.SloUrl, (await browser.GetAsync(link)).Headers["Location"], StringComparison.Ordinal);
    }

    private static string TellLink(TestPage signedOut) =>
        WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(signedOut.Body, "href=\"(/saml/slo/tell[^\"]+)\"").Groups[1].Value);

    [Fact]
    public async Task S28_a_request_is_good_once()
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, _) = saml.SignedIn();
        var request = Ask(sp, await SignInAsync(sp, browser));
        sp.LoggedOut(await SendAsync(browser, request), request.Id);
        saml.AssertRefused(await SendAsync(browser, request), FaultCodes.Replayed);
    }

    [Fact]
    public async Task X20_a_partner_that_is_switched_off_ends_no_session_and_is_told_of_none()
    {
        var (sp, receiver) = await WithSoapAsync();
        await using var _ = receiver;
        var (browser, customer, session) = saml.SignedIn();
        var request = Ask(sp, await SignInAsync(sp, browser));
        await saml.Hub.AskAsync(new SwitchPartner(sp.Partner, false));
        saml.AssertRefused(await SendAsync(browser, request), Refusals.PartnerOff.Code);
        Assert.True(IsAlive(session));
        saml.Neighbours.Sessions.TryRemove(session, out var over);
        saml.Neighbours.OnEnded!(over!);
        var witness = await saml.AddPartnerAsync(slo: true);
        var (another, _, _) = saml.SignedIn();
        var last = Ask(witness, await SignInAsync(witness, another));
        witness.LoggedOut(await SendAsync(another, last), last.Id);
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task S30_S31_everybody_else_is_told_by_soap_and_the_answer_says_success_when_all_confirmed()
    {
        var asking = await saml.AddPartnerAsync(slo: true);
        var (told, receiver) = await WithSoapAsync();
        await using var _ = receiver;
        var (browser, _, session) = saml.SignedIn();
        var (mine, theirs) = (await SignInAsync(asking, browser), await SignInAsync(told, browser));
        var request = Ask(asking, mine);
        Assert.Equal(SamlStatus.Success, asking.LoggedOut(await SendAsync(browser, request), request.Id).Status);
        Assert.False(IsAlive(session));
        var message = SoapBinding.Read(Encoding.UTF8.GetBytes(Assert.Single(receiver.Received).Body), isRequest: true).Then(SingleLogout.Read)
            .Then(m => told.Slo.ValidateRequest(m, LogoutPeer.Of(told.Hub))).Value;
        Assert.Equal(theirs.Name, message.Name);
        Assert.Equal([theirs.SessionIndex!], message.SessionIndexes);
        Assert.StartsWith("text/xml", receiver.Received.Single().Type, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("down")]
    [InlineData("refuses")]
    [InlineData("takes no logout")]
    [InlineData("needs the browser")]
    public async Task S30_S31_where_somebody_did_not_confirm_the_answer_is_partial_and_nobody_hangs(string other)
    {
        var asking = await saml.AddPartnerAsync(slo: true);
        TestReceiver? receiver = null;
        TestServiceProvider silent;
        if (other == "refuses") (silent, receiver) = await WithSoapAsync(Commerce.Saml.StatusCodes.Responder);
        else if (other == "down") silent = await saml.AddPartnerAsync(slo: true, soap: $"http://127.0.0.1:{TestHub.FreePort()}/slo");
        else silent = await saml.AddPartnerAsync(slo: other == "needs the browser");
        var (browser, _, session) = saml.SignedIn();
        var (mine, _) = (await SignInAsync(asking, browser), await SignInAsync(silent, browser));
        var request = Ask(asking, mine);
        var answer = asking.LoggedOut(await SendAsync(browser, request), request.Id);
        Assert.Equal(SamlStatus.PartialLogout, answer.Status);
        Assert.False(answer.IsComplete);
        Assert.False(IsAlive(session));
        if (other == "down") await Wait.UntilAsync(async () => (await DeliveriesAsync(silent)).Single() is { Attempts: >= 1, State: DeliveryState.Waiting, LastError: not null }, "it is tried again later");
        if (receiver is not null) await receiver.DisposeAsync();
    }

    [Fact]
    public async Task S31_an_asynchronous_request_is_done_and_not_answered()
    {
        var sp = await saml.AddPartnerAsync(slo: true);
        var (browser, _, session) = saml.SignedIn();
        var assertion = await SignInAsync(sp, browser);
        var xml = $"<samlp:LogoutRequest xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"_{Guid.NewGuid():N}\" Version=\"2.0\" "
            + $"IssueInstant=\"{saml.Clock.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}\" Destination=\"{sp.Hub.SingleLogoutServices[0].Location}\"><saml:Issuer>{sp.EntityId}</saml:Issuer>"
            + $"<samlp:Extensions><aslo:Asynchronous xmlns:aslo=\"{SamlNamespaces.AsynchronousLogout}\"/></samlp:Extensions>"
            + $"<saml:NameID Format=\"{assertion.Name.Format}\">{assertion.Name.Value}</saml:NameID><samlp:SessionIndex>{assertion.SessionIndex}</samlp:SessionIndex></samlp:LogoutRequest>";
        var page = await browser.PostAsync("/saml/slo", [KeyValuePair.Create("SAMLRequest", Convert.ToBase64String(Encoding.UTF8.GetBytes(TestServiceProvider.Sign(xml))))]);
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.DoesNotContain("SAMLResponse", page.Body, StringComparison.Ordinal);
        Assert.False(IsAlive(session));
    }

    [Fact]
    public async Task S31_L11_a_sign_out_at_the_hub_tells_service_providers_by_soap_and_links_those_that_only_the_browser_can_tell()
    {
        var (told, receiver) = await WithSoapAsync();
        await using var _ = receiver;
        var linked = await saml.AddPartnerAsync(slo: true);
        var (browser, _, session) = saml.SignedIn();
        await SignInAsync(told, browser);
        var assertion = await SignInAsync(linked, browser);
        var done = await browser.SubmitAsync(await browser.GetAsync("/connect/logout"), action: "/connect/logout/confirm");
        Assert.Equal(HttpStatusCode.OK, done.Status);
        Assert.False(IsAlive(session));
        await Wait.UntilAsync(async () => (await DeliveriesAsync(told)).Any(d => d.State == DeliveryState.Delivered), "the one with SOAP confirmed");

        var there = await browser.GetAsync(TellLink(done));
        Assert.StartsWith(linked.SloUrl + "?SAMLRequest=", there.Headers["Location"], StringComparison.Ordinal);
        var request = RedirectBinding.Read(new Uri(there.Headers["Location"]).Query).Then(SingleLogout.Read).Then(m => linked.Slo.ValidateRequest(m, LogoutPeer.Of(linked.Hub))).Value;
        Assert.Equal((assertion.Name, assertion.SessionIndex), (request.Name, request.SessionIndexes.Single()));

        // An answer that says no, one to another request, and then the right one.
        OutgoingLogout Answer(string to, SamlStatus status) => linked.Slo.CreateResponse(LogoutPeer.Of(linked.Hub), SamlBindings.HttpRedirect, to, status, request.RelayState).Value;
        saml.AssertRefused(await browser.GetAsync(Answer("_other", SamlStatus.Success).Url!), FaultCodes.InResponseToInvalid);
        Assert.Contains("/saml/slo/tell", (await browser.GetAsync(Answer(request.Id, SamlStatus.RequestDenied).Url!)).Body, StringComparison.Ordinal);
        var last = await browser.GetAsync(Answer(request.Id, SamlStatus.Success).Url!);
        Assert.Equal(HttpStatusCode.OK, last.Status);
        Assert.DoesNotContain("/saml/slo/tell", last.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", "{}")]
    [InlineData("text/xml", "")]
    [InlineData("text/xml", "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"/>")]
    [InlineData("text/xml", "<!DOCTYPE x [<!ENTITY a \"b\">]><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>&a;</s:Body></s:Envelope>")]
    [InlineData("text/xml", "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header><x s:mustUnderstand=\"1\"/></s:Header><s:Body><y/></s:Body></s:Envelope>")]
    public async Task X06_X14_X23_noise_at_the_soap_endpoint_is_the_one_fault(string type, string body)
    {
        var (status, answer) = await SoapAsync(Encoding.UTF8.GetBytes(body), type);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(SoapBinding.Fault.ToArray(), answer);
    }
}
