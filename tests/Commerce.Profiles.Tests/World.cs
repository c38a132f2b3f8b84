using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Commerce.Identity;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Profiles.Contracts;
using Commerce.Profiles.Data;
using Commerce.Testing;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Profiles.Tests;

/// <summary>Profiles with Identity, and one customer who came by import and can sign in.</summary>
internal static class World
{
    public const string Email = "aino.virtanen@example.com";
    public const string Password = "vihreä lokki soutaa yöllä";

    public static Task<TestHub> StartAsync(SignIns? signIns = null) => TestHub.StartAsync([new IdentityModule(), new ProfilesModule()], configure: services => services
        .AddSingleton<IRequestHandler<SignInsAtPartners, IReadOnlyList<TimelineFact>>>(signIns ??= new SignIns())
        .AddSingleton<IRequestHandler<PartnerNames, IReadOnlyDictionary<string, string>>>(signIns));

    public static async Task<Guid> ImportAinoAsync(this TestHub hub, string email = Email, string externalId = "NT-1", string locale = "fi-FI", bool verified = true)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var key = Rfc2898DeriveBytes.Pbkdf2(Password, salt, 1000, HashAlgorithmName.SHA256, 32);
        var hash = new ImportedPasswordHash("pbkdf2-sha256", $"$pbkdf2-sha256$1000${Convert.ToBase64String(salt).TrimEnd('=')}${Convert.ToBase64String(key).TrimEnd('=')}");
        var outcome = Assert.Single(await hub.AskAsync(new ImportCustomers(
            [new ImportedAccount(1, externalId, "northern-tires", email, verified, locale, new DateTimeOffset(2017, 3, 2, 7, 0, 0, TimeSpan.Zero), hash)])));
        Assert.Null(outcome.Reason);
        return outcome.Customer!.Value;
    }

    public static ImportedProfile Profile(Guid customer, string source = "northern-tires", string given = "Aino", string family = "Virtanen") => new(
        customer, source, given, family, "fi-FI", "+358401234567", true, new PostalAddress("Esimerkkikatu 1 A 2", "00100", "Helsinki", null, "FI"),
        [new Vehicle("ABC-123", "FI", "Volvo", "V60", 2019, "205/55R16")], "6014 3500 0001", new DateTimeOffset(2017, 3, 2, 7, 0, 0, TimeSpan.Zero));

    public static async Task<TestBrowser> SignedInAsync(this TestHub hub, string email = Email)
    {
        var browser = hub.NewBrowser();
        var answer = await browser.SubmitAsync(await browser.GetAsync("/signin"), Fields(("email", email), ("password", Password)));
        Assert.Equal(HttpStatusCode.SeeOther, answer.Status);
        return browser;
    }

    /// <summary>Publishes an event as some module would, and waits until every consumer has it.</summary>
    public static async Task TellAsync(this TestHub hub, params IIntegrationEvent[] events)
    {
        await hub.WithDbAsync<ProfilesDb, int>(async db =>
        {
            foreach (var message in events) db.Publish(message);
            return await db.SaveChangesAsync();
        });
        await hub.SettledAsync();
    }

    public static Task SettledAsync(this TestHub hub) => Wait.UntilAsync(async () =>
    {
        foreach (var module in (string[])["identity", "profiles"])
        {
            await using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={hub.PathOf(module)}");
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT COUNT(*) FROM outbox";
            if (Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture) > 0) return false;
        }
        return true;
    }, "every outbox is empty");

    public static IEnumerable<KeyValuePair<string, string>> Fields(params (string Name, string Value)[] fields) =>
        fields.Select(f => KeyValuePair.Create(f.Name, f.Value));
}

/// <summary>Sign-ins as Consent's ledger has them, and partners as Federation names them.</summary>
internal sealed class SignIns : IRequestHandler<SignInsAtPartners, IReadOnlyList<TimelineFact>>, IRequestHandler<PartnerNames, IReadOnlyDictionary<string, string>>
{
    public List<TimelineFact> Ledger { get; } = [];
    public Dictionary<string, string> Names { get; } = [];

    public TimelineFact Add(Guid customer, DateTimeOffset at, string partner, string receipt = "r-1", Guid? release = null)
    {
        Ledger.Add(new TimelineFact(release ?? Guid.CreateVersion7(at), customer, at, "released", Partner: partner, Receipt: receipt, Claims: ["given_name", "email"]));
        return Ledger[^1];
    }

    public Task<IReadOnlyList<TimelineFact>> Handle(SignInsAtPartners request, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<TimelineFact>>(
        [.. Ledger.Where(f => f.Customer == request.Customer).OrderByDescending(f => f.At).Take(request.AtMost)]);

    public Task<IReadOnlyDictionary<string, string>> Handle(PartnerNames request, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(Names.Where(n => request.Partners.Contains(n.Key)).ToDictionary());
}
