using System.Net;
using Commerce.Identity.Contracts;
using Commerce.Profiles.Contracts;
using Commerce.Testing;
using Xunit;

namespace Commerce.Profiles.Tests;

public sealed class EditTests
{
    private static readonly string[] AllNames = ["name", "given_name", "family_name", "email", "email_verified", "phone_number", "phone_number_verified", "address", "locale", "vehicle"];

    [Fact]
    public async Task What_the_customer_writes_stands_before_what_was_imported()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(customer)]));
        using var browser = await hub.SignedInAsync();

        var saved = await browser.SubmitAsync(await browser.GetAsync("/account/profile"), Form(("family_name", "Korhonen"), ("phone_number", "+358 50 765 43 21")), action: "/account/profile");

        Assert.Equal("/account?saved=1", saved.RedirectsTo!.PathAndQuery);
        await hub.AskAsync(new ImportProfiles([World.Profile(customer, source: "harbour-market", family: "Mäkinen")]));
        var values = await hub.AskAsync(new ProfileValues(customer, AllNames));
        Assert.Equal("Aino Korhonen", values["name"].GetString());
        Assert.Equal("+358507654321", values["phone_number"].GetString());
        Assert.False(values["phone_number_verified"].GetBoolean());     // the proof was of the old number
        Assert.Contains("from you", (await browser.GetAsync("/account")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_customer_leaves_as_it_is_keeps_its_source_and_its_proof()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(customer)]));
        using var browser = await hub.SignedInAsync();

        await browser.SubmitAsync(await browser.GetAsync("/account/profile"), Form(("locality", "Espoo")), action: "/account/profile");

        var values = await hub.AskAsync(new ProfileValues(customer, AllNames));
        Assert.True(values["phone_number_verified"].GetBoolean());
        Assert.Equal("Espoo", values["address"].GetProperty("locality").GetString());
    }

    [Fact]
    public async Task A_value_that_the_customer_emptied_does_not_leave_and_does_not_come_back_by_import()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(customer)]));
        using var browser = await hub.SignedInAsync();

        await browser.SubmitAsync(await browser.GetAsync("/account/profile"),
            Form(("phone_number", ""), ("street_address", ""), ("postal_code", ""), ("locality", ""), ("country", "")), action: "/account/profile");
        await hub.AskAsync(new ImportProfiles([World.Profile(customer, source: "harbour-market")]));

        var values = await hub.AskAsync(new ProfileValues(customer, AllNames));
        Assert.DoesNotContain("phone_number", values.Keys);
        Assert.DoesNotContain("phone_number_verified", values.Keys);
        Assert.DoesNotContain("address", values.Keys);
    }

    [Fact]
    public async Task Choosing_a_language_changes_the_account_and_the_pages()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        using var browser = await hub.SignedInAsync();

        var saved = await browser.SubmitAsync(await browser.GetAsync("/account/profile"), Form(("language", "ko")), action: "/account/profile");
        var page = await browser.FollowAsync(saved);

        Assert.Equal("ko", (await hub.AskAsync(new AccountOf(customer)))!.Locale);
        Assert.Contains("저장되었습니다", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("given_name", "")]
    [InlineData("family_name", "\u0007")]
    [InlineData("phone_number", "040 123 4567")]
    [InlineData("phone_number", "+35840<script>")]
    [InlineData("country", "QQ")]
    [InlineData("country", "Finland")]
    [InlineData("language", "tlh")]
    public async Task A_wrong_field_is_refused_beside_the_field_and_nothing_is_saved(string field, string value)
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        using var browser = await hub.SignedInAsync();

        var refused = await browser.SubmitAsync(await browser.GetAsync("/account/profile"), Form((field, value)), action: "/account/profile");

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        if (field != "language")    // a choice that was not offered has no field of its own to stand beside
        {
            Assert.Contains($"id=\"{field}-fault\"", refused.Body, StringComparison.Ordinal);
            Assert.Contains($"aria-describedby=\"{field}-fault\"", refused.Body, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("<script>", refused.Body, StringComparison.Ordinal);
        Assert.Empty(await hub.AskAsync(new ProfileValues(customer, ["given_name", "phone_number", "address"])));
    }

    [Fact]
    public async Task A_vehicle_is_added_once_and_removed()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        using var browser = await hub.SignedInAsync();

        for (var i = 0; i < 2; i++)
        {
            var form = (await browser.GetAsync("/account/profile")).Forms().Single(f => f.Action == "/account/vehicles");
            var added = await browser.PostAsync("/account/vehicles", form.Hidden.Concat(Vehicle(("registration", i == 0 ? "xyz-987" : "XYZ 987"))));
            Assert.Equal(HttpStatusCode.SeeOther, added.Status);
        }
        var vehicle = (await hub.AskAsync(new ProfileValues(customer, ["vehicle"])))["vehicle"];
        Assert.Equal("XYZ 987", vehicle.GetProperty("registration").GetString());
        Assert.Equal("225/45R17", vehicle.GetProperty("tire_size").GetString());
        Assert.Equal(2021, vehicle.GetProperty("year").GetInt32());

        var page = await browser.GetAsync("/account/profile");
        Assert.Single(page.Forms(), f => f.Action.EndsWith("/remove", StringComparison.Ordinal));
        await browser.SubmitAsync(page, action: "/remove");
        Assert.Empty(await hub.AskAsync(new ProfileValues(customer, ["vehicle"])));
    }

    [Theory]
    [InlineData("registration", "")]
    [InlineData("registration", "A")]
    [InlineData("registration", "ABC-123'; --")]
    [InlineData("vehicle_country", "ZZ")]
    [InlineData("year", "19")]
    [InlineData("year", "3000")]
    [InlineData("tire_size", "big")]
    public async Task A_wrong_vehicle_field_is_refused_beside_the_field(string field, string value)
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        using var browser = await hub.SignedInAsync();

        var refused = await browser.SubmitAsync(await browser.GetAsync("/account/profile"), Vehicle((field, value)), action: "/account/vehicles");

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains($"id=\"{field}-fault\"", refused.Body, StringComparison.Ordinal);
        Assert.Empty(await hub.AskAsync(new ProfileValues(customer, ["vehicle"])));
    }

    [Fact]
    public async Task Somebody_elses_vehicle_stays_where_it_is()
    {
        await using var hub = await World.StartAsync();
        var aino = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(aino)]));
        await hub.ImportAinoAsync("erik@example.com", "NT-2");
        using var ainos = await hub.SignedInAsync();
        using var eriks = await hub.SignedInAsync("erik@example.com");
        var target = (await ainos.GetAsync("/account/profile")).Forms().Single(f => f.Action.EndsWith("/remove", StringComparison.Ordinal)).Action;

        var own = (await eriks.GetAsync("/account/profile")).Forms()[0];
        await eriks.PostAsync(target, own.Hidden);

        Assert.Contains("vehicle", (await hub.AskAsync(new ProfileValues(aino, ["vehicle"]))).Keys);
    }

    [Theory]
    [InlineData("/account/profile")]
    [InlineData("/account/vehicles")]
    [InlineData("/account/vehicles/019c0000-0000-7000-8000-000000000000/remove")]
    public async Task A_form_without_its_token_changes_nothing(string path)
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        using var browser = await hub.SignedInAsync();

        var refused = await browser.PostAsync(path, Form().Concat(Vehicle()));

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Empty(await hub.AskAsync(new ProfileValues(customer, ["name", "vehicle"])));
    }

    private static IEnumerable<KeyValuePair<string, string>> Form(params (string Name, string Value)[] changes) => Merge(changes,
        ("given_name", "Aino"), ("family_name", "Virtanen"), ("phone_number", "+358401234567"), ("street_address", "Esimerkkikatu 1 A 2"),
        ("postal_code", "00100"), ("locality", "Helsinki"), ("region", ""), ("country", "fi"), ("language", "fi"));

    private static IEnumerable<KeyValuePair<string, string>> Vehicle(params (string Name, string Value)[] changes) => Merge(changes,
        ("registration", "XYZ-987"), ("vehicle_country", "fi"), ("make", "Škoda"), ("model", "Octavia"), ("year", "2021"), ("tire_size", "225/45 r17"));

    private static IEnumerable<KeyValuePair<string, string>> Merge((string Name, string Value)[] changes, params (string Name, string Value)[] form) =>
        form.Select(f => KeyValuePair.Create(f.Name, changes.Where(c => c.Name == f.Name).Select(c => c.Value).FirstOrDefault(f.Value)));
}
