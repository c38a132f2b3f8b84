using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Identity.Contracts;
using Commerce.Profiles.Contracts;
using Commerce.Testing;

namespace Commerce.Conformance.Tests.Suite;

internal sealed record Person(Guid Id, string Email, string Password);

/// <summary>
/// The whole hub with one customer who has a full profile. A test speaks to it by HTTP alone; beside that it registers clients, as an
/// operator would, and moves the clock.
/// </summary>
public class ConformanceHub : IAsyncLifetime
{
    public const string Email = "aino.virtanen@example.com", Password = "vihreä lokki soutaa yöllä";

    internal TestHub Hub { get; private set; } = null!;

    /// <summary>The discovery document: every address of the hub is taken from it.</summary>
    internal JsonElement Metadata { get; private set; }
    internal string Issuer => Hub.Origin;
    internal Person Customer { get; private set; } = null!;
    internal long Now => Hub.Clock.GetUtcNow().ToUnixTimeSeconds();

    protected virtual Task<TestHub> StartAsync() => TestHub.StartAsync();

    public virtual async ValueTask InitializeAsync()
    {
        Hub = await StartAsync();
        await Hub.AskAsync(new PutBanner(new Banner("northern-tires", "Northern Tires", ["tires.example"], ["en", "fi"], new BannerLook("#0b5d3b", null), "hello@tires.example")));
        Customer = await NewCustomerAsync(Email);
        Metadata = JsonElement.Parse(await Hub.Http.GetStringAsync("/.well-known/openid-configuration"));
    }

    /// <summary>A customer with a full profile.</summary>
    internal async Task<Person> NewCustomerAsync(string email)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = "{SSHA512}" + Convert.ToBase64String([.. SHA512.HashData([.. Encoding.UTF8.GetBytes(Password), .. salt]), .. salt]);
        var now = Hub.Clock.GetUtcNow();
        var outcome = Assert.Single(await Hub.AskAsync(new ImportCustomers(
            [new ImportedAccount(1, email, "northern-tires", email, true, "en-FI", now, new ImportedPasswordHash("ssha512", hash))])));
        var customer = outcome.Customer!.Value;
        var home = new PostalAddress("Esimerkkikatu 1 A 2", "00100", "Helsinki", null, "FI");
        await Hub.AskAsync(new ImportProfiles([new ImportedProfile(customer, "northern-tires", "Aino", "Virtanen", "en-FI", "+358401234567", true, home, [], null, now)]));
        return new Person(customer, email, Password);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (Hub is not null) await Hub.DisposeAsync();
    }

    internal string Endpoint(string name) => Metadata.GetProperty(name).GetString()!;

    internal bool Supports(string list, string value) =>
        Metadata.TryGetProperty(list, out var values) && values.EnumerateArray().Any(v => v.GetString() == value);

    internal void Wait(int seconds) => Hub.Clock.Advance(TimeSpan.FromSeconds(seconds));

    internal async Task<JsonElement> KeysAsync() => JsonElement.Parse(await Hub.Http.GetStringAsync(Endpoint("jwks_uri")));

    /// <summary>Registers a client as an operator does. A member given as null is left out.</summary>
    /// <param name="basis"><c>contract</c>: the customer is not asked; <c>consent</c>: the sheet is shown.</param>
    internal async Task<Rp> AddAsync(string basis = "contract", params (string Member, object? Value)[] members)
    {
        var rp = new Rp(this, "rp-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)));
        var metadata = rp.DefaultMetadata();
        foreach (var (member, value) in members)
        {
            if (value is null) metadata.Remove(member);
            else metadata[member] = value;
        }
        var contract = JsonSerializer.Serialize(new
        {
            partner = "partner-" + rp.Id, version = 1,
            purposes = new[]
            {
                new
                {
                    id = "sign-in", retention_days = 30, legal_basis = basis, texts = new { en = "Sign in" },
                    claims = new[] { "name", "email", "phone_number", "address", "locale" }.Select(name => new { name, required = true, reason = "to serve you" }),
                },
            },
        });
        var added = await Hub.AskAsync(new AddOidcPartner(JsonSerializer.Serialize(metadata), contract, rp.Id));
        Assert.True(added.IsOk, string.Join("; ", added.Refusal?.Errors?.Select(e => $"{e.Field}: {e.Message}") ?? [added.Refusal?.Code ?? ""]));
        rp.Is(JsonSerializer.SerializeToElement(metadata), added.Value.Secret);
        return rp;
    }
}
