using System.Data.Common;
using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Kernel;
using MediatR;
using Microsoft.Extensions.Caching.Memory;

namespace Commerce.Consent.Consents;

/// <summary>Answers <see cref="CurrentConsent"/> and <see cref="ConsentUnderReceipt"/>: one prepared, indexed read each, as every release asks.</summary>
/// <remarks>Answered from memory where it was asked a moment ago; see <see cref="StandingConsents"/>.</remarks>
internal sealed class ReadConsent(StandingConsents standing) : IRequestHandler<CurrentConsent, ConsentRecord?>, IRequestHandler<ConsentUnderReceipt, ConsentRecord?>
{
    private const string Standing = """
        SELECT c."Id", c."Receipt", c."Customer", c."Partner", c."Purpose", c."ContractVersion", c."GivenAt", k."Name", k."Granted"
        FROM {schema}consents c JOIN {schema}consent_claims k ON k."Consent" = c."Id" WHERE c."EndedAt" IS NULL
        """;

    private static readonly HotSql
        OfPartner = new(Standing + """ AND c."Customer" = $1 AND c."Partner" = $2 AND c."Purpose" = $3 ORDER BY k."Position" """),
        OfReceipt = new(Standing + """ AND c."Receipt" = $1 ORDER BY k."Position" """);

    public Task<ConsentRecord?> Handle(CurrentConsent request, CancellationToken cancellationToken) =>
        standing.FindAsync(request, OfPartner, static asked => [asked.Customer, asked.Partner, asked.Purpose], cancellationToken);

    public Task<ConsentRecord?> Handle(ConsentUnderReceipt request, CancellationToken cancellationToken) =>
        standing.FindAsync(request, OfReceipt, static asked => [asked.Receipt], cancellationToken);
}

/// <summary>
/// The consents asked about within the last two seconds, so that the requests of one sign-in ask the database once. What is given, replaced
/// or withdrawn in this process counts at once; what another process withdraws, within those two seconds.
/// </summary>
internal sealed class StandingConsents(HotStore<ConsentDb> store, CustomerChanges changes) : IDisposable
{
    private readonly MemoryCache known = new(new MemoryCacheOptions { SizeLimit = 50_000 });

    private sealed record Held(Task<ConsentRecord?> Answer, Guid Customer, long Stamp);

    /// <summary>A claim of a consent, each with the consent's own columns beside it.</summary>
    private sealed record Row(ConsentRecord Consent, string Claim, bool Granted)
    {
        public static Row Of(DbDataReader row) => new(
            new ConsentRecord(row.GetGuid(0), row.GetString(1), row.GetGuid(2), row.GetString(3), row.GetString(4), row.GetInt32(5), [], [], row.GetInstant(6)),
            row.GetString(7), row.GetBoolean(8));
    }

    /// <param name="question">Equal questions have one answer.</param>
    /// <param name="values">What the statement is told of the question.</param>
    public Task<ConsentRecord?> FindAsync<TQuestion>(TQuestion question, HotSql sql, Func<TQuestion, object?[]> values, CancellationToken stop) where TQuestion : notnull =>
        known.TryGetValue(question, out Held? held) && changes.Of(held!.Customer) == held.Stamp ? held.Answer : ReadAsync(question, sql, values(question), stop);

    private async Task<ConsentRecord?> ReadAsync(object question, HotSql sql, object?[] values, CancellationToken stop)
    {
        var before = changes.OfAnybody;
        var rows = await store.ReadAsync(read => read.ListAsync(sql, Row.Of, values), stop);
        if (rows.Count == 0) return null;
        var record = rows[0].Consent with { Granted = [.. rows.Where(r => r.Granted).Select(r => r.Claim)], Declined = [.. rows.Where(r => !r.Granted).Select(r => r.Claim)] };
        var held = new Held(Task.FromResult<ConsentRecord?>(record), record.Customer, changes.Of(record.Customer));
        // Somebody's consent changed while this one was being read: it may be older than that, so it is used once and not kept.
        if (changes.OfAnybody == before)
            known.Set(question, held, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = CustomerChanges.Freshness });
        return record;
    }

    public void Dispose() => known.Dispose();
}
