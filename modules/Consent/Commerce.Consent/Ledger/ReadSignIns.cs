using System.Text.Json;
using Commerce.Consent.Data;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Consent.Ledger;

/// <summary>Answers <see cref="SignInsAtPartners"/>: what the customer's timeline shows of sign-ins is what the ledger proves.</summary>
internal sealed class ReadSignIns(ConsentDb db, LookupHash hash) : IRequestHandler<SignInsAtPartners, IReadOnlyList<TimelineFact>>
{
    public async Task<IReadOnlyList<TimelineFact>> Handle(SignInsAtPartners request, CancellationToken cancellationToken)
    {
        var pseudonym = LedgerEntry.PseudonymOf(request.Customer, hash);
        var entries = await db.Ledger.AsNoTracking().Where(e => e.Customer == pseudonym && e.Kind == LedgerKind.Release && e.Hop == null)
            .OrderByDescending(e => e.Number).Take(request.AtMost).ToListAsync(cancellationToken);
        return [.. entries.Select(e => new TimelineFact(e.Release!.Value, request.Customer, e.At, "released", Partner: e.Partner, Receipt: e.Receipt,
            Claims: JsonSerializer.Deserialize<string[]>(e.Claims, HubJson.Options)))];
    }
}
