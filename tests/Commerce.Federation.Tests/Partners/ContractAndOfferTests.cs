using System.Text.Json.Nodes;
using Commerce.Federation.Contracts;
using Commerce.Federation.Offers;
using Commerce.Purchases.Contracts;
using Commerce.Testing;

namespace Commerce.Federation.Tests.Partners;

/// <summary>Data contracts, offers, and what an operator is told about them.</summary>
public sealed class ContractAndOfferTests : IAsyncLifetime
{
    private TestHub hub = null!;

    public async ValueTask InitializeAsync()
    {
        hub = await PartnerHub.StartAsync(development: false);
        Assert.True((await hub.AskAsync(new AddOidcPartner(Documents.Client(), Documents.Contract(), "kolari"))).IsOk);
    }

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task A_contracts_version_only_goes_up()
    {
        Assert.Equal(1, (await hub.AskAsync(new SetDataContract(Documents.Contract()))).Value);                               // the same once more
        var changed = Documents.Contract(c => c["purposes"]![0]!["retention_days"] = 10);
        Assert.Equal("federation.contract_version", (await hub.AskAsync(new SetDataContract(changed))).Refusal?.Code);       // another one under the old number
        Assert.Equal(3, (await hub.AskAsync(new SetDataContract(Documents.Contract(c => c["version"] = 3)))).Value);
        Assert.Equal("federation.contract_version", (await hub.AskAsync(new SetDataContract(Documents.Contract(c => c["version"] = 2)))).Refusal?.Code);
        Assert.Equal("federation.unknown_partner", (await hub.AskAsync(new SetDataContract(Documents.Contract(c => c["partner"] = "nobody")))).Refusal?.Code);
        Assert.Equal(3, Assert.Single(await hub.AskAsync(new ListPartners())).ContractVersion);
    }

    [Theory]
    [InlineData("purposes[0].claims[1].nam", "claims", """[{"name":"name","required":true,"reason":"r"},{"name":"email","nam":1,"required":true,"reason":"r"}]""")]
    [InlineData("purposes[0].claims[0].name", "claims", """[{"name":"shoe_size","required":true,"reason":"r"}]""")]
    [InlineData("purposes[0].claims[0].name", "claims", """[{"name":"sub","required":true,"reason":"r"}]""")]
    [InlineData("purposes[0].claims[0].required", "claims", """[{"name":"email","reason":"r"}]""")]
    [InlineData("purposes[0].claims[0].reason", "claims", """[{"name":"email","required":true}]""")]
    [InlineData("purposes[0].claims", "claims", """[{"name":"email","required":true,"reason":"r"},{"name":"email","required":true,"reason":"r"}]""")]
    [InlineData("purposes[0].claims", "claims", "[]")]
    [InlineData("purposes[0].texts.en", "texts", """{"fi":"Varaus"}""")]
    [InlineData("purposes[0].texts.finnish", "texts", """{"en":"Book","finnish":"Varaus"}""")]
    [InlineData("purposes[0].retention_days", "retention_days", "0")]
    [InlineData("purposes[0].retention_days", "retention_days", "\"90\"")]
    [InlineData("purposes[0].legal_basis", "legal_basis", "\"because\"")]
    [InlineData("purposes[0].id", "id", "\"Book Fitting\"")]
    [InlineData("purposes[0].note", "note", "\"?\"")]
    public async Task A_contract_names_each_wrong_member(string field, string member, string value)
    {
        var result = await hub.AskAsync(new SetDataContract(Documents.Contract(c =>
        {
            c["version"] = 2;
            c["purposes"]![0]![member] = JsonNode.Parse(value);
        })));
        Assert.Equal("federation.contract_invalid", result.Refusal?.Code);
        Assert.Contains(field, PartnerHub.FieldsOf(result));
    }

    [Fact]
    public async Task A_contract_of_a_partner_that_cannot_be_or_with_a_purpose_twice_is_refused()
    {
        foreach (var (field, change) in new Dictionary<string, Action<JsonNode>>
        {
            ["partner"] = c => c["partner"] = "Kolari Auto",
            ["purposes"] = c => c["purposes"]!.AsArray().Add(c["purposes"]![0]!.DeepClone()),
        })
        {
            var result = await hub.AskAsync(new SetDataContract(Documents.Contract(c =>
            {
                c["version"] = 2;
                change(c);
            })));
            Assert.Equal("federation.contract_invalid", result.Refusal?.Code);
            Assert.Contains(field, PartnerHub.FieldsOf(result));
        }
    }

    [Fact]
    public async Task A_reason_may_be_told_in_several_languages() => Assert.True((await hub.AskAsync(new SetDataContract(Documents.Contract(c =>
    {
        c["version"] = 2;
        c["purposes"]![0]!["claims"]![0]!["reason"] = JsonNode.Parse("""{"en":"to book","fi":"varausta varten"}""");
    })))).IsOk);

    [Theory]
    [InlineData("target_url", "\"http://fitter.example/book\"", "target_url")]
    [InlineData("target_url", "\"javascript:alert(1)\"", "target_url")]
    [InlineData("purpose", "\"marketing\"", "purpose")]
    [InlineData("partner", "\"nobody\"", "partner")]
    [InlineData("id", "\"Tire Fitting\"", "id")]
    [InlineData("when", "{\"category\":\"*/winter\",\"banners\":[\"*\"],\"countries\":[\"FI\"]}", "when.category")]
    [InlineData("when", "{\"category\":\"ti*\",\"banners\":[\"*\"],\"countries\":[\"FI\"]}", "when.category")]
    [InlineData("when", "{\"category\":\"tires/*\",\"banners\":[],\"countries\":[\"FI\"]}", "when.banners")]
    [InlineData("when", "{\"category\":\"tires/*\",\"banners\":[\"*\"],\"countries\":[\"fi\"]}", "when.countries")]
    [InlineData("when", "{\"category\":\"tires/*\",\"banners\":[\"*\"],\"countries\":[\"FI\"],\"sku\":\"x\"}", "when.sku")]
    [InlineData("texts", "{\"fi\":{\"title\":\"Varaa\"}}", "texts.en")]
    [InlineData("texts", "{\"en\":{\"titel\":\"Book\"}}", "texts.en.titel")]
    [InlineData("priority", "1", "priority")]
    public async Task An_offer_names_each_wrong_member(string member, string value, string field)
    {
        var result = await hub.AskAsync(new PutOffer(Documents.Offer(o => o[member] = JsonNode.Parse(value))));
        Assert.Equal("federation.offer_invalid", result.Refusal?.Code);
        Assert.Contains(field, PartnerHub.FieldsOf(result));
    }

    [Theory]
    [InlineData("tires/*", "tires/winter", true)]
    [InlineData("tires/*", "tires", true)]
    [InlineData("tires/*", "tires/winter/studded", true)]
    [InlineData("tires/*", "tires-used/winter", false)]
    [InlineData("tires/winter", "tires/winter", true)]
    [InlineData("tires/winter", "tires/winter/studded", false)]
    [InlineData("tires/winter", "Tires/winter", false)]
    [InlineData("*", "anything", true)]
    public void A_rule_takes_a_category_and_what_is_below_it(string rule, string category, bool fits) =>
        Assert.Equal(fits, new OfferRule(rule, ["*"], ["*"]).FitsLine(category));

    [Fact]
    public async Task Offers_that_fit_come_with_title_and_address_in_the_customers_language()
    {
        Assert.Equal("tire-fitting", (await hub.AskAsync(new PutOffer(Documents.Offer()))).Value);
        var offer = Assert.Single(await MatchAsync("tires/winter", "FI", "fi"));
        Assert.Equal(("tire-fitting", "kolari-auto", "oidc", "Varaa renkaanvaihto", null), (offer.Offer, offer.Partner, offer.Protocol, offer.Title, offer.Body));
        Assert.Equal($"{hub.Origin}/hop/tire-fitting?order=A%2F1%20%26", offer.HopUrl);
        Assert.Equal("Book a fitting for your new tires", Assert.Single(await MatchAsync("tires/winter", "FI", "sv")).Title);

        Assert.Empty(await MatchAsync("accessories/interior", "FI", "en"));
        Assert.Empty(await MatchAsync("tires/winter", "SE", "en"));
        Assert.Empty(await MatchAsync("tires/winter", null, "en"));
    }

    [Fact]
    public async Task An_offer_for_one_banner_is_not_shown_at_another()
    {
        await hub.AskAsync(new PutOffer(Documents.Offer(o => o["when"]!["banners"] = new JsonArray("northern-tires"))));
        Assert.Single(await MatchAsync("tires/winter", "FI", "en"));
        Assert.Empty(await hub.AskAsync(new MatchOffers("A-1", "southern-tires", "FI", ["tires/winter"], "en")));
    }

    [Fact]
    public async Task A_replaced_offer_counts_at_once_and_another_partners_id_is_not_taken_over()
    {
        await hub.AskAsync(new PutOffer(Documents.Offer()));
        await hub.AskAsync(new PutOffer(Documents.Offer(o => o["texts"]!["en"]!["title"] = "New title")));
        Assert.Equal("New title", Assert.Single(await MatchAsync("tires/winter", "FI", "en")).Title);

        Assert.True((await hub.AskAsync(new AddOidcPartner(Documents.Client(), Documents.Contract(c => c["partner"] = "rival"), "rival"))).IsOk);
        var result = await hub.AskAsync(new PutOffer(Documents.Offer(o => o["partner"] = "rival")));
        Assert.Equal(["id"], PartnerHub.FieldsOf(result));
    }

    [Fact]
    public async Task An_offer_whose_purpose_the_contract_dropped_is_not_shown_and_the_check_says_so()
    {
        await hub.AskAsync(new PutOffer(Documents.Offer()));
        Assert.True((await hub.AskAsync(new CheckPartner("kolari-auto"))).Value.IsHealthy);
        await hub.AskAsync(new SetDataContract(Documents.Contract(c =>
        {
            c["version"] = 2;
            c["purposes"]![0]!["id"] = "something-else";
        })));
        Assert.Empty(await MatchAsync("tires/winter", "FI", "en"));
        var report = (await hub.AskAsync(new CheckPartner("kolari-auto"))).Value;
        Assert.False(report.IsHealthy);
        Assert.Contains(report.Findings, f => f is { Level: "error", Subject: "tire-fitting" });
    }

    [Fact]
    public async Task The_check_tells_what_an_operator_should_know()
    {
        await hub.AskAsync(new PutOffer(Documents.Offer(o => o["target_url"] = "https://elsewhere.example/book")));
        var report = (await hub.AskAsync(new CheckPartner("kolari-auto"))).Value;
        var all = string.Join('\n', report.Findings.Select(f => $"{f.Level} {f.Message}"));
        foreach (var said in new[]
        {
            "ok Kolari Auto is switched on.", "https://fitter.example/callback", "Hops begin at https://fitter.example/hop", "warning Without backchannel_logout_uri",
            "purpose book-fitting (consent, kept 90 days)", "name (required)", "warning The target is on elsewhere.example, but details are delivered to fitter.example",
        }) Assert.Contains(said, all, StringComparison.Ordinal);
        await hub.AskAsync(new SwitchPartner("kolari-auto", false));
        Assert.False((await hub.AskAsync(new CheckPartner("kolari-auto"))).Value.IsHealthy);
        Assert.Equal("federation.unknown_partner", (await hub.AskAsync(new CheckPartner("nobody"))).Refusal?.Code);
    }

    [Fact]
    public async Task A_booking_may_refer_to_a_landed_hop_of_its_own_partner_alone()
    {
        Assert.Equal("federation.unknown_hop", (await hub.AskAsync(new HopForBooking("nonsense", "kolari-auto"))).Refusal?.Code);
        Assert.Equal("federation.unknown_hop", (await hub.AskAsync(new HopForBooking(Guid.CreateVersion7().ToString(), "kolari-auto"))).Refusal?.Code);
    }

    private Task<IReadOnlyList<MatchedOffer>> MatchAsync(string category, string? country, string language) =>
        hub.AskAsync(new MatchOffers("A/1 &", "northern-tires", country, ["accessories/other", category], language));
}
