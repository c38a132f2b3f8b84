using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Consent.Consents;

/// <summary>Answers <see cref="CurrentConsent"/> and <see cref="ConsentUnderReceipt"/>: one indexed query each, as every release asks.</summary>
/// <remarks>Answered from memory where it was asked a moment ago; see <see cref="StandingConsents"/>.</remarks>
internal sealed class ReadConsent(StandingConsents standing) : IRequestHandler<CurrentConsent, ConsentRecord?>, IRequestHandler<ConsentUnderReceipt, ConsentRecord?>
{
    public Task<ConsentRecord?> Handle(CurrentConsent request, CancellationToken cancellationToken) =>
        standing.FindAsync(request, static (db, queries, asked) => queries.OfPartner(db, asked.Customer, asked.Partner, asked.Purpose), cancellationToken);

    public Task<ConsentRecord?> Handle(ConsentUnderReceipt request, CancellationToken cancellationToken) =>
        standing.FindAsync(request, static (db, queries, asked) => queries.OfReceipt(db, asked.Receipt), cancellationToken);
}

/// <summary>
/// The consents asked about within the last two seconds, so that the requests of one sign-in ask the database once. What is given, replaced
/// or withdrawn in this process counts at once; what another process withdraws, within those two seconds.
/// </summary>
internal sealed class StandingConsents(IServiceScopeFactory scopes, ConsentQueries queries, CustomerChanges changes) : IDisposable
{
    private readonly MemoryCache known = new(new MemoryCacheOptions { SizeLimit = 50_000 });

    private sealed record Held(Task<ConsentRecord?> Answer, Guid Customer, long Stamp);

    public Task<ConsentRecord?> FindAsync<TQuestion>(
        TQuestion question, Func<ConsentDb, ConsentQueries, TQuestion, IAsyncEnumerable<ConsentQueries.Row>> read, CancellationToken stop) where TQuestion : notnull =>
        known.TryGetValue(question, out Held? held) && changes.Of(held!.Customer) == held.Stamp ? held.Answer : ReadAsync(question, read, stop);

    private async Task<ConsentRecord?> ReadAsync<TQuestion>(
        TQuestion question, Func<ConsentDb, ConsentQueries, TQuestion, IAsyncEnumerable<ConsentQueries.Row>> read, CancellationToken stop) where TQuestion : notnull
    {
        var before = changes.OfAnybody;
        await using var scope = scopes.CreateAsyncScope();
        if (await OneAsync(read(scope.ServiceProvider.GetRequiredService<ConsentDb>(), queries, question), stop) is not { } record) return null;
        var held = new Held(Task.FromResult<ConsentRecord?>(record), record.Customer, changes.Of(record.Customer));
        // Somebody's consent changed while this one was being read: it may be older than that, so it is used once and not kept.
        if (changes.OfAnybody == before)
            known.Set(question, held, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = CustomerChanges.Freshness });
        return record;
    }

    private static async Task<ConsentRecord?> OneAsync(IAsyncEnumerable<ConsentQueries.Row> rows, CancellationToken stop)
    {
        ConsentQueries.Row? first = null;
        List<string> granted = [], declined = [];
        await foreach (var row in rows.WithCancellation(stop))
        {
            first ??= row;
            (row.Granted ? granted : declined).Add(row.Claim);
        }
        return first is null ? null
            : new ConsentRecord(first.Id, first.Receipt, first.Customer, first.Partner, first.Purpose, first.ContractVersion, granted, declined, first.GivenAt);
    }

    public void Dispose() => known.Dispose();
}

/// <summary>The two questions, translated once per process and not at every release.</summary>
internal sealed class ConsentQueries
{
    public Func<ConsentDb, Guid, string, string, IAsyncEnumerable<Row>> OfPartner { get; } = EF.CompileAsyncQuery(
        (ConsentDb db, Guid customer, string partner, string purpose) => db.Claims
            .Join(db.Consents.Where(c => c.Customer == customer && c.Partner == partner && c.Purpose == purpose && c.EndedAt == null),
                claim => claim.Consent, consent => consent.Id,
                (claim, consent) => new { claim, consent }).OrderBy(r => r.claim.Position)
            .Select(r => new Row(r.consent.Id, r.consent.Receipt, r.consent.Customer, r.consent.Partner, r.consent.Purpose, r.consent.ContractVersion, r.consent.GivenAt, r.claim.Name, r.claim.Granted)));

    public Func<ConsentDb, string, IAsyncEnumerable<Row>> OfReceipt { get; } = EF.CompileAsyncQuery(
        (ConsentDb db, string receipt) => db.Claims
            .Join(db.Consents.Where(c => c.Receipt == receipt && c.EndedAt == null), claim => claim.Consent, consent => consent.Id,
                (claim, consent) => new { claim, consent }).OrderBy(r => r.claim.Position)
            .Select(r => new Row(r.consent.Id, r.consent.Receipt, r.consent.Customer, r.consent.Partner, r.consent.Purpose, r.consent.ContractVersion, r.consent.GivenAt, r.claim.Name, r.claim.Granted)));

    internal sealed record Row(
        Guid Id, string Receipt, Guid Customer, string Partner, string Purpose, int ContractVersion, DateTimeOffset GivenAt, string Claim, bool Granted);
}
