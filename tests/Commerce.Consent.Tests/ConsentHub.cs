using System.Collections.Concurrent;
using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Consent.Ledger;
using Commerce.Kernel;
using Commerce.Kernel.Outbox;
using Commerce.Profiles.Contracts;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Consent.Tests;

/// <summary>The Consent module alone, and what it told the others.</summary>
internal sealed class ConsentHub : IAsyncDisposable
{
    private ConsentHub(TestHub hub, Told told) => (Hub, Told) = (hub, told);

    public TestHub Hub { get; }
    public Told Told { get; }
    public string AnchorPath => Path.Combine(Hub.Settings.DataDirectory, "ledger-anchor.jsonl");

    public static async Task<ConsentHub> StartAsync(string engine = "sqlite")
    {
        var told = new Told();
        var postgres = await PostgresServer.DatabaseForAsync(engine, reason => Xunit.Assert.Skip(reason));
        var hub = await TestHub.StartAsync([new ConsentModule()], postgres: postgres, configure: services => services.AddTestSchemes().AddSingleton(told)
            .AddEventHandler<TimelineFact, Told.OfFact, ConsentDb>().AddEventHandler<ConsentWithdrawn, Told.OfWithdrawal, ConsentDb>());
        return new ConsentHub(hub, told);
    }

    public static GiveConsent Yes(Guid customer, string partner = "kolari-auto", string purpose = "book-fitting", int version = 1) => new(
        customer, partner, "Kolari Auto", purpose, version, "Book a fitting and have the right parts ready", "en", "consent", 90, "kolari-auto.example",
        [new("name", true, "to book in your name"), new("email", true, "to confirm the appointment"), new("vehicle", true, "to fit the right car")],
        [new("phone_number", false, "to call you if something changes")]);

    public async Task<ConsentRecord> GiveAsync(Guid customer, string partner = "kolari-auto", string purpose = "book-fitting", int version = 1) =>
        (await Hub.AskAsync(Yes(customer, partner, purpose, version))).Value;

    /// <summary>As Federation tells it.</summary>
    public Task ReleaseAsync(Guid customer, string? receipt, Guid? release = null, string? hop = "hop-1") => Hub.WithDbAsync<ConsentDb, int>(db =>
    {
        db.Publish(new ClaimsReleased(release ?? Guid.NewGuid(), customer, "kolari-auto", "https://kolari-auto.example/saml", "saml", "book-fitting", receipt,
            hop, ["name", "email", "vehicle"], "c2VjcmV0", Hub.Clock.GetUtcNow()));
        return db.SaveChangesAsync();
    });

    public Task<long> EntriesAsync() => Hub.WithDbAsync<ConsentDb, long>(db => db.Ledger.LongCountAsync());

    public Task<List<LedgerEntry>> LedgerAsync() => Hub.WithDbAsync<ConsentDb, List<LedgerEntry>>(db => db.Ledger.AsNoTracking().OrderBy(e => e.Number).ToListAsync());

    public Task<LedgerVerdict> VerifyAsync() => Hub.AskAsync(new VerifyLedger());

    /// <summary>Waits until the newest entry is anchored.</summary>
    public async Task AnchoredAsync()
    {
        var head = await EntriesAsync();
        var file = Hub.Services.GetRequiredService<AnchorFile>();
        await Wait.UntilAsync(() => file.Read().LastOrDefault()?.Number == head, $"entry {head} is anchored");
    }

    public ValueTask DisposeAsync() => Hub.DisposeAsync();
}

internal sealed class Told
{
    public ConcurrentQueue<TimelineFact> Facts { get; } = new();
    public ConcurrentQueue<ConsentWithdrawn> Withdrawals { get; } = new();

    internal sealed class OfFact(Told told) : IHandleEvent<TimelineFact>
    {
        public Task Handle(TimelineFact message, Delivery delivery, CancellationToken stop)
        {
            told.Facts.Enqueue(message);
            return Task.CompletedTask;
        }
    }

    internal sealed class OfWithdrawal(Told told) : IHandleEvent<ConsentWithdrawn>
    {
        public Task Handle(ConsentWithdrawn message, Delivery delivery, CancellationToken stop)
        {
            told.Withdrawals.Enqueue(message);
            return Task.CompletedTask;
        }
    }
}
