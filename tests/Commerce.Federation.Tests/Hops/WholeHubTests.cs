using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Identity.Contracts;
using Commerce.Profiles.Contracts;
using Commerce.Purchases.Contracts;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Tests.Hops;

/// <summary>The hop with every real module around it: a customer signs in by password, and consents live in the Consent module.</summary>
public sealed class WholeHubTests : IAsyncLifetime
{
    private const string Email = "aino.virtanen@example.com";
    private const string Password = "vihreä lokki soutaa yöllä";
    private TestHub hub = null!;
    private TestBrowser browser = null!;
    private Guid customer;

    public async ValueTask InitializeAsync()
    {
        hub = await TestHub.StartAsync();
        browser = hub.NewBrowser();
        await hub.AskAsync(new PutBanner(new Banner("northern-tires", "Northern Tires", ["tires.example"], ["en", "fi"], new BannerLook("#0b5d3b", null), "hello@tires.example")));
        Assert.True((await hub.AskAsync(new AddOidcPartner(Documents.Client(), Documents.Contract(), HopHub.Client))).IsOk);
        Assert.True((await hub.AskAsync(new PutOffer(Documents.Offer()))).IsOk);

        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = "{SSHA512}" + Convert.ToBase64String([.. SHA512.HashData([.. Encoding.UTF8.GetBytes(Password), .. salt]), .. salt]);
        var now = hub.Clock.GetUtcNow();
        var outcome = Assert.Single(await hub.AskAsync(new ImportCustomers(
            [new ImportedAccount(1, "c-1", "northern-tires", Email, true, "en-FI", now, new ImportedPasswordHash("ssha512", hash))])));
        customer = outcome.Customer!.Value;
        await hub.AskAsync(new ImportProfiles([new ImportedProfile(customer, "northern-tires", "Aino", "Virtanen", "en-FI", "+358401234567", false, null, [], null, now)]));
        var order = new
        {
            order_number = HopHub.Order, banner = "northern-tires", customer = new { email = Email }, placed_at = "2026-10-05T14:12:33+03:00", currency = "EUR",
            lines = new object[]
            {
                new { line = 1, gtin = "6410001122337", sku = "NT-WT-2055516", description = "Winter tire 205/55 R16 94T", category = "tires/winter", quantity = 4,
                    unit_price = "129.90", properties = new { width_mm = 205, profile_pct = 55, rim_in = 16, season = "winter" } },
                new { line = 2, sku = "NT-MAT-07", description = "Rubber floor mats, set of 4", category = "accessories/interior", quantity = 1, unit_price = "39.00", properties = new { } },
            },
            vehicle = new { registration = "ABC-123", country = "FI", make = "Volvo", model = "V60", year = 2019, tire_size = "205/55R16" },
            fulfilment = new { method = "home_delivery", address = new { street_address = "Salakatu 9", postal_code = "00100", locality = "Helsinki", country = "FI" } },
        };
        var imported = Assert.Single(await hub.AskAsync(new ImportOrders([new ImportedOrder(1, JsonSerializer.Serialize(order))])));
        Assert.Null(imported.Reason);
    }

    public async ValueTask DisposeAsync()
    {
        browser.Dispose();
        await hub.DisposeAsync();
    }

    [Fact]
    public async Task From_the_offer_through_sign_in_and_sheet_to_the_partner_and_without_a_sheet_the_second_time_until_it_is_withdrawn()
    {
        var signIn = await browser.FollowAsync(await browser.GetAsync(HopHub.Path()));
        Assert.Equal("/signin", signIn.Address.AbsolutePath);
        Assert.Contains("https://fitter.example", signIn.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        var sheet = await SheetAsync(signIn);
        Assert.Contains("Northern Tires", sheet.Text, StringComparison.Ordinal);
        Assert.Contains("ABC-123", sheet.Text, StringComparison.Ordinal);
        Assert.Contains("4 × 205/55R16 winter", sheet.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("floor mats", sheet.Text, StringComparison.Ordinal);

        Assert.NotEmpty(HopHub.TicketIn(await browser.SubmitAsync(sheet, HopHub.Fields("allow"))));
        Assert.NotEmpty(HopHub.TicketIn(await browser.GetAsync(HopHub.Path())));       // covered now

        var receipt = await hub.WithDbAsync<FederationDb, string>(db => db.Releases.OrderByDescending(r => r.CreatedAt).Select(r => r.Receipt!).FirstAsync());
        Assert.True((await hub.AskAsync(new Commerce.Consent.Contracts.WithdrawConsent(customer, receipt))).IsOk);
        Assert.Contains("Share your details with Kolari Auto?", (await browser.GetAsync(HopHub.Path())).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_no_is_on_the_customers_timeline()
    {
        var sheet = await SheetAsync(await browser.FollowAsync(await browser.GetAsync(HopHub.Path())));
        var after = await browser.SubmitAsync(sheet, HopHub.Fields("deny"));
        Assert.Contains("Nothing was shared", after.Text, StringComparison.Ordinal);
        await Wait.UntilAsync(async () => (await browser.GetAsync("/account")).Text.Contains("You shared nothing with Kolari Auto", StringComparison.Ordinal),
            "the timeline shows the hop that was denied");
        Assert.False(await hub.WithDbAsync<FederationDb, bool>(db => db.Releases.AnyAsync()));
    }

    [Fact]
    public async Task A_sign_in_at_a_partner_is_on_the_customers_timeline_by_the_partners_name()
    {
        using var metadata = new MemoryStream(await hub.Http.GetByteArrayAsync("/saml/metadata"));
        var fitter = new Saml.TestServiceProvider(hub.Clock) { Hub = Commerce.Saml.IdpMetadataReader.Read(metadata, null, requireHttps: false, hub.Clock).Value };
        Assert.True((await hub.AskAsync(new AddSamlPartner(fitter.Metadata(), null, null))).IsOk);
        var request = fitter.Request();
        var page = await browser.FollowAsync(await browser.GetAsync(request.Url));
        page = await browser.FollowAsync(await browser.SubmitAsync(page, [new("email", Email), new("password", Password)]));
        Assert.True((await fitter.ReceiveAsync(page, request.Id)).IsSuccess);
        await Wait.UntilAsync(async () => (await browser.GetAsync("/account")).Text.Contains($"Fitter {fitter.Number} received these details", StringComparison.Ordinal),
            "the timeline shows the sign-in");
    }

    [Fact]
    public async Task Locking_the_account_ends_the_way_at_once()
    {
        var sheet = await SheetAsync(await browser.FollowAsync(await browser.GetAsync(HopHub.Path())));
        Assert.True(await hub.AskAsync(new SetAccountLock(customer, true)));
        var after = await browser.SubmitAsync(sheet, HopHub.Fields("allow"));
        Assert.NotEqual("fitter.example", after.RedirectsTo?.Host);
        Assert.True((int)after.Status < 500);
        Assert.False(await hub.WithDbAsync<FederationDb, bool>(db => db.Hops.AnyAsync()));
    }

    private async Task<TestPage> SheetAsync(TestPage signIn)
    {
        var sheet = await browser.FollowAsync(await browser.SubmitAsync(signIn, [new("email", Email), new("password", Password)]));
        Assert.Contains("Share your details with Kolari Auto?", sheet.Text, StringComparison.Ordinal);
        return sheet;
    }
}
