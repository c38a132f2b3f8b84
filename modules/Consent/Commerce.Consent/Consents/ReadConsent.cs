using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Consent.Consents;

/// <summary>Answers <see cref="CurrentConsent"/> and <see cref="ConsentUnderReceipt"/>: one indexed query each, as every release asks.</summary>
/// <remarks>Nothing is cached: a withdrawal counts from the moment it is saved, in every process.</remarks>
internal sealed class ReadConsent(ConsentDb db, ConsentQueries queries) : IRequestHandler<CurrentConsent, ConsentRecord?>, IRequestHandler<ConsentUnderReceipt, ConsentRecord?>
{
    public Task<ConsentRecord?> Handle(CurrentConsent request, CancellationToken cancellationToken) =>
        OneAsync(queries.OfPartner(db, request.Customer, request.Partner, request.Purpose), cancellationToken);

    public Task<ConsentRecord?> Handle(ConsentUnderReceipt request, CancellationToken cancellationToken) =>
        OneAsync(queries.OfReceipt(db, request.Receipt), cancellationToken);

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
