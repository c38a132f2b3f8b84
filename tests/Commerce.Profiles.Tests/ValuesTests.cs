using Commerce.Identity.Contracts;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Profiles.Tests;

public sealed class ValuesTests
{
    [Fact]
    public async Task Values_come_for_exactly_the_names_asked()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(customer)]));

        var values = await hub.AskAsync(new ProfileValues(customer, ["email", "given_name", "vehicle", "purchase", "no_such_claim"]));

        Assert.Equal(["email", "given_name", "vehicle"], values.Keys.Order());
        Assert.Equal(World.Email, values["email"].GetString());
        Assert.Equal("""{"registration":"ABC-123","country":"FI","make":"Volvo","model":"V60","year":2019,"tire_size":"205/55R16"}""", values["vehicle"].GetRawText());
        Assert.Empty(await hub.AskAsync(new ProfileValues(Guid.CreateVersion7(), ["email", "name", "vehicle"])));
    }

    [Fact]
    public async Task The_address_has_the_names_of_openid_connect()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(customer)]));

        var address = (await hub.AskAsync(new ProfileValues(customer, ["address"])))["address"];

        Assert.Equal("""{"street_address":"Esimerkkikatu 1 A 2","postal_code":"00100","locality":"Helsinki","country":"FI"}""", address.GetRawText());
    }

    [Theory]
    [InlineData("Aino", "Virtanen", "Aino Virtanen")]
    [InlineData("민지", "김", "김민지")]
    [InlineData("Minji", "김", "Minji 김")]
    public async Task A_full_name_is_written_as_its_language_writes_it(string given, string family, string full)
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(customer, given: given, family: family)]));

        Assert.Equal(full, (await hub.AskAsync(new ProfileValues(customer, ["name"])))["name"].GetString());
    }

    [Fact]
    public async Task O24_an_unproven_address_is_said_to_be_unverified()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync(verified: false);

        Assert.False((await hub.AskAsync(new ProfileValues(customer, ["email_verified"])))["email_verified"].GetBoolean());
    }

    [Fact]
    public async Task An_import_repeated_makes_no_doubles()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();

        Assert.Equal(1, await hub.AskAsync(new ImportProfiles([World.Profile(customer)])));
        Assert.Equal(0, await hub.AskAsync(new ImportProfiles([World.Profile(customer), World.Profile(customer)])));

        Assert.Equal((5, 1), await hub.WithDbAsync<ProfilesDb, (int, int)>(async db => (await db.Attributes.CountAsync(), await db.Vehicles.CountAsync())));
    }

    [Fact]
    public async Task A_registered_name_reaches_the_profile()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();

        await hub.TellAsync(new CustomerRegistered(customer, "hub", "Aino", "Virtanen", "fi", hub.Clock.GetUtcNow()));

        Assert.Equal("Aino Virtanen", (await hub.AskAsync(new ProfileValues(customer, ["name"])))["name"].GetString());
    }

    [Fact]
    public async Task Rows_hold_no_plain_personal_data_and_an_erased_key_takes_the_values_along()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        await hub.AskAsync(new ImportProfiles([World.Profile(customer)]));
        var at = hub.Clock.GetUtcNow();
        await hub.TellAsync(new TimelineFact(Guid.CreateVersion7(at), customer, at, "purchase", "4 × winter tire 205", PartnerName: "Kolari Auto"));

        foreach (var file in Directory.GetFiles(hub.Settings.DataDirectory, "*.db*"))
        {
            var bytes = await ReadSharedAsync(file);
            foreach (var secret in (string[])["aino", "Aino", "Virtanen", "358401234567", "Esimerkkikatu", "ABC-123", "6014 3500", "Kolari Auto", "winter tire", "NT-1"])
            {
                Assert.True(bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(secret)) < 0, $"'{secret}' stands in {Path.GetFileName(file)}.");
            }
        }

        await hub.Services.GetRequiredService<PersonalData>().EraseAsync(customer);

        Assert.Empty(await hub.AskAsync(new ProfileValues(customer, ["name", "email", "phone_number", "address", "vehicle"])));
        await hub.TellAsync(new TimelineFact(Guid.CreateVersion7(at), customer, at, "purchase", "too late"));   // swallowed, not a dead letter
    }

    [Fact]
    public async Task A_fact_that_is_told_twice_stands_on_the_timeline_once()
    {
        await using var hub = await World.StartAsync();
        var customer = await hub.ImportAinoAsync();
        var at = hub.Clock.GetUtcNow();
        var fact = new TimelineFact(Guid.CreateVersion7(at), customer, at, "purchase", "4 × winter tire 205");

        await hub.TellAsync(fact, fact);
        await hub.TellAsync(fact, fact with { Fact = Guid.CreateVersion7(at) });

        Assert.Equal(2, await hub.WithDbAsync<ProfilesDb, int>(db => db.Timeline.CountAsync(t => t.Customer == customer)));
    }

    private static async Task<byte[]> ReadSharedAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }
}
