using System.Buffers.Text;
using System.Net;
using System.Text.Json.Nodes;
using Commerce.Consent.Contracts;
using Commerce.Kernel.Secrets;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Commerce.Consent.Tests;

public sealed class ReceiptAndPageTests
{
    private static readonly Guid Aino = Guid.Parse("019a5b4e-0000-7000-8000-000000000001");

    [Fact]
    public async Task A_receipt_verifies_with_the_public_keys_alone_and_says_what_was_agreed()
    {
        await using var hub = await ConsentHub.StartAsync();
        var given = await hub.GiveAsync(Aino);
        using var browser = hub.Hub.NewBrowser().AsCustomer(Aino);
        var download = await browser.GetAsync($"/account/receipts/{given.Receipt}?format=jws");
        Assert.Equal("application/jose", download.MediaType);
        Assert.True((await ValidateAsync(hub, download.Body)).IsValid);

        var receipt = JsonNode.Parse(Base64Url.DecodeFromChars(download.Body.Split('.')[1]))!;
        Assert.Equal(given.Receipt, receipt["jti"]!.GetValue<string>());
        Assert.Equal("Northern Group", receipt["controller"]!["name"]!.GetValue<string>());
        Assert.Equal(("kolari-auto", "kolari-auto.example"), (receipt["recipient"]!["id"]!.GetValue<string>(), receipt["recipient"]!["landing"]!.GetValue<string>()));
        var purpose = receipt["purposes"]![0]!;
        Assert.Equal(("P90D", "consent"), (purpose["retention_period"]!.GetValue<string>(), purpose["legal_basis"]!.GetValue<string>()));
        Assert.Equal(["name:granted", "email:granted", "vehicle:granted", "phone_number:declined"],
            purpose["claims"]!.AsArray().Select(c => $"{c!["name"]!.GetValue<string>()}:{c["decision"]!.GetValue<string>()}"));
        Assert.Equal($"{hub.Hub.Origin}/account/receipts/{given.Receipt}", receipt["withdrawal_url"]!.GetValue<string>());
        Assert.DoesNotContain(Aino.ToString("N"), receipt.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Aino.ToString("D"), receipt.ToJsonString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_edited_receipt_does_not_verify()
    {
        await using var hub = await ConsentHub.StartAsync();
        var given = await hub.GiveAsync(Aino);
        using var browser = hub.Hub.NewBrowser().AsCustomer(Aino);
        var parts = (await browser.GetAsync($"/account/receipts/{given.Receipt}?format=jws")).Body.Split('.');
        var payload = System.Text.Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1])).Replace("declined", "granted", StringComparison.Ordinal);
        Assert.False((await ValidateAsync(hub, $"{parts[0]}.{Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(payload))}.{parts[2]}")).IsValid);
    }

    [Fact]
    public async Task Partners_cannot_put_their_receipts_of_one_customer_together()
    {
        await using var hub = await ConsentHub.StartAsync();
        var (first, second) = (await hub.GiveAsync(Aino), await hub.GiveAsync(Aino, partner: "neste"));
        using var browser = hub.Hub.NewBrowser().AsCustomer(Aino);
        async Task<string> SubjectAsync(string receipt) =>
            new JsonWebToken((await browser.GetAsync($"/account/receipts/{receipt}?format=jws")).Body).Subject;
        Assert.NotEqual(await SubjectAsync(first.Receipt), await SubjectAsync(second.Receipt));
        Assert.Equal(await SubjectAsync(first.Receipt), await SubjectAsync((await hub.GiveAsync(Aino)).Receipt));
    }

    [Fact]
    public async Task A_receipt_still_verifies_years_after_its_key_was_retired()
    {
        await using var hub = await ConsentHub.StartAsync();
        var given = await hub.GiveAsync(Aino);
        using var browser = hub.Hub.NewBrowser().AsCustomer(Aino);
        var jws = (await browser.GetAsync($"/account/receipts/{given.Receipt}?format=jws")).Body;
        var keys = hub.Hub.Services.GetRequiredService<SigningKeys>();
        await keys.RotateAsync(null);
        hub.Hub.Clock.Advance(TimeSpan.FromDays(365 * 5));
        await keys.RotateAsync(null);
        Assert.True((await ValidateAsync(hub, jws)).IsValid);
        Assert.DoesNotContain("\"d\"", await hub.Hub.Http.GetStringAsync("/consent/jwks"));
    }

    [Fact]
    public async Task A_receipt_is_shown_to_its_customer_and_to_nobody_else()
    {
        await using var hub = await ConsentHub.StartAsync();
        var given = await hub.GiveAsync(Aino);
        using var browser = hub.Hub.NewBrowser().AsCustomer(Aino);
        var page = await browser.GetAsync($"/account/receipts/{given.Receipt}");
        Assert.Equal(HttpStatusCode.OK, page.Status);
        foreach (var word in new[] { "Kolari Auto", "kolari-auto.example", "Book a fitting", "to book in your name", "90 days", "Phone number" }) Assert.Contains(word, page.Text);

        using var stranger = hub.Hub.NewBrowser().AsCustomer(Guid.NewGuid());
        foreach (var path in new[] { $"/account/receipts/{given.Receipt}", $"/account/receipts/{given.Receipt}?format=jws", "/account/receipts/none" })
        {
            var refused = await stranger.GetAsync(path);
            Assert.Equal((HttpStatusCode.NotFound, "consent.unknown_receipt"), (refused.Status, refused.RefusalCode));
        }
        using var nobody = hub.Hub.NewBrowser();
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync($"/account/receipts/{given.Receipt}")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("/account/consents")).Status);
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task The_page_says_who_has_what_and_withdraws_by_one_button(string engine)
    {
        await using var hub = await ConsentHub.StartAsync(engine);
        var given = await hub.GiveAsync(Aino);
        await hub.GiveAsync(Guid.NewGuid(), partner: "neste");
        using var browser = hub.Hub.NewBrowser().AsCustomer(Aino);
        Assert.Contains("Nothing yet", (await browser.GetAsync("/account/consents")).Text);
        await hub.ReleaseAsync(Aino, given.Receipt);
        await Wait.UntilAsync(async () => await hub.EntriesAsync() == 3, "the release is in the ledger");
        var page = await browser.GetAsync("/account/consents");
        foreach (var word in new[] { "Kolari Auto", "Book a fitting", "Name, E-mail address, Vehicle", "90 days", "Once, on" }) Assert.Contains(word, page.Text);
        Assert.Single(page.Forms());

        var answer = await browser.SubmitAsync(page);
        Assert.Equal((HttpStatusCode.SeeOther, "/account?withdrawn=1"), (answer.Status, answer.RedirectsTo!.PathAndQuery));
        Assert.Null(await hub.Hub.AskAsync(new ConsentUnderReceipt(given.Receipt)));
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.SubmitAsync(page)).Status);    // the button pressed twice
        page = await browser.GetAsync("/account/consents");
        Assert.Empty(page.Forms());
        Assert.Contains("Withdrawn on", page.Text);
        Assert.Contains("Withdrawn on", (await browser.GetAsync($"/account/receipts/{given.Receipt}")).Text);
    }

    [Fact]
    public async Task A_withdrawal_without_the_forms_token_or_by_a_stranger_changes_nothing()
    {
        await using var hub = await ConsentHub.StartAsync();
        var given = await hub.GiveAsync(Aino);
        using var browser = hub.Hub.NewBrowser().AsCustomer(Aino);
        var forged = await browser.PostAsync($"/account/consents/{given.Receipt}/withdraw", []);
        Assert.Equal(HttpStatusCode.BadRequest, forged.Status);

        using var stranger = hub.Hub.NewBrowser().AsCustomer(Guid.NewGuid());
        await hub.GiveAsync(Guid.NewGuid());
        var theirs = Guid.NewGuid();
        await hub.GiveAsync(theirs);
        using var other = hub.Hub.NewBrowser().AsCustomer(theirs);
        var page = await other.GetAsync("/account/consents");
        var token = page.Forms()[0].Hidden;
        var refused = await other.PostAsync($"/account/consents/{given.Receipt}/withdraw", token);
        Assert.Equal((HttpStatusCode.NotFound, "consent.unknown_receipt"), (refused.Status, refused.RefusalCode));
        Assert.NotNull(await hub.Hub.AskAsync(new ConsentUnderReceipt(given.Receipt)));
    }

    [Theory]
    [InlineData("en", "Who has what about you", "Receipt for your agreement")]
    [InlineData("fi", "Kenellä on tietojasi", "Kuitti suostumuksestasi")]
    [InlineData("sv", "Vem har uppgifter om dig", "Kvitto på ditt samtycke")]
    [InlineData("ko", "내 정보를 받은 곳", "동의 영수증")]
    public async Task The_pages_speak_every_language(string language, string consents, string receipt)
    {
        await using var hub = await ConsentHub.StartAsync();
        var given = await hub.GiveAsync(Aino);
        using var browser = hub.Hub.NewBrowser().AsCustomer(Aino);
        Assert.Contains(consents, (await browser.GetAsync($"/account/consents?lang={language}")).Text);
        Assert.Contains(receipt, (await browser.GetAsync($"/account/receipts/{given.Receipt}?lang={language}")).Text);
    }

    private static async Task<TokenValidationResult> ValidateAsync(ConsentHub hub, string jws) =>
        await new JsonWebTokenHandler().ValidateTokenAsync(jws, new TokenValidationParameters
        {
            IssuerSigningKeys = new JsonWebKeySet(await hub.Hub.Http.GetStringAsync("/consent/jwks")).Keys,
            ValidIssuer = hub.Hub.Origin, ValidTypes = ["consent-receipt+jwt"], ValidAlgorithms = ["ES256"], ValidateAudience = false, ValidateLifetime = false,
        });
}
