using System.Text;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Saml;

/// <summary>What an operator finds behind the reference on a customer's page; and that the customer learns nothing else (X23).</summary>
public sealed class DiagnosisTests(SamlHub saml) : IClassFixture<SamlHub>
{
    private async Task<RefusedMessage> BehindAsync(TestPage page)
    {
        var reference = SamlHub.ReferenceOf(page);
        await Wait.UntilAsync(async () => (await saml.Hub.AskAsync(new FindRefusedMessage(reference))).IsOk, "the refusal is on record");
        return Assert.Single((await saml.Hub.AskAsync(new FindRefusedMessage(reference))).Value);
    }

    [Fact]
    public async Task X23_a_refused_message_is_on_record_under_its_reference_with_rule_connection_and_masked_message()
    {
        var sp = await saml.AddPartnerAsync();
        using var browser = saml.Hub.NewBrowser();
        var xml = sp.RequestXml(acs: "https://evil.example/acs", children: "<saml:Subject><saml:NameID>aino.virtanen@example.com</saml:NameID></saml:Subject>");
        var page = await browser.GetAsync(sp.Redirect(xml, "relay-secret", sp.SigningKey));
        saml.AssertRefused(page, FaultCodes.AcsInvalid);
        var record = await BehindAsync(page);
        Assert.Equal((FaultCodes.AcsInvalid, "/saml/sso", sp.EntityId), (record.Code, record.Endpoint, record.Connection));
        Assert.Contains("AssertionConsumerServiceURL=\"https://evil.example/acs\"", record.Message, StringComparison.Ordinal);
        Assert.Contains($"<saml:Issuer>{sp.EntityId}", record.Message, StringComparison.Ordinal);
        Assert.Contains("<saml:NameID>[25 characters]", record.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("aino", record.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("relay-secret", record.Message + record.Detail, StringComparison.Ordinal);
        Assert.Contains((await saml.Hub.AskAsync(new ListRefusedMessages(sp.EntityId, 10))), r => r.Reference == record.Reference);
    }

    [Fact]
    public async Task X23_messages_by_post_and_soap_and_those_that_are_no_xml_are_on_record_too()
    {
        var sp = await saml.AddPartnerAsync();
        using var browser = saml.Hub.NewBrowser();
        var posted = await BehindAsync(await browser.PostAsync("/saml/sso", TestServiceProvider.Post(TestServiceProvider.Sign(sp.RequestXml(), withStrangersKey: true))));
        Assert.Equal((FaultCodes.SignatureInvalid, sp.EntityId), (posted.Code, posted.Connection));
        Assert.Contains("<ds:SignatureValue>", posted.Message!.Replace("<SignatureValue", "<ds:SignatureValue", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotMatch("[A-Za-z0-9+/]{100}", posted.Message);     // neither signature nor certificate

        var noise = await BehindAsync(await browser.PostAsync("/saml/sso", TestServiceProvider.Post("<!DOCTYPE a><a>secret</a>")));
        Assert.Equal(FaultCodes.XmlRefused, noise.Code);
        Assert.Null(noise.Connection);
        Assert.DoesNotContain("secret", noise.Message, StringComparison.Ordinal);

        using var content = new StringContent("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><x>secret</x></s:Body></s:Envelope>", Encoding.UTF8, "text/xml");
        await saml.Hub.Http.PostAsync("/saml/slo/soap", content, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(async () => (await saml.Hub.AskAsync(new ListRefusedMessages(null, 100))).Any(r => r.Endpoint == "/saml/slo/soap"), "the SOAP message is on record");
        var soap = (await saml.Hub.AskAsync(new ListRefusedMessages(null, 100))).First(r => r.Endpoint == "/saml/slo/soap");
        Assert.Contains("[6 characters]", soap.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_reference_is_a_refusal()
    {
        Assert.Equal("federation.unknown_refusal", (await saml.Hub.AskAsync(new FindRefusedMessage("none"))).Refusal?.Code);
    }

    [Fact]
    public async Task Records_are_swept_by_age_and_beyond_the_cap()
    {
        var now = saml.Clock.GetUtcNow();
        await saml.Hub.WithDbAsync<FederationDb, int>(async db =>
        {
            for (var i = 0; i < 3; i++)
                db.Add(new RefusalRecord { Id = Guid.CreateVersion7(), At = now - RefusalRecord.Keep - TimeSpan.FromMinutes(i + 1), Reference = "old", Code = "x", Endpoint = "/", Detail = "" });
            db.Add(new RefusalRecord { Id = Guid.CreateVersion7(), At = now, Reference = "new", Code = "x", Endpoint = "/", Detail = "" });
            await db.SaveChangesAsync();
            return 0;
        });
        await RefusalRecord.SweepAsync(saml.Hub.Services.GetRequiredService<HotStore<FederationDb>>(), now, default);
        Assert.Equal(0, await saml.Hub.WithDbAsync<FederationDb, int>(db => db.Set<RefusalRecord>().CountAsync(r => r.Reference == "old")));
        Assert.Equal(1, await saml.Hub.WithDbAsync<FederationDb, int>(db => db.Set<RefusalRecord>().CountAsync(r => r.Reference == "new")));
    }
}
