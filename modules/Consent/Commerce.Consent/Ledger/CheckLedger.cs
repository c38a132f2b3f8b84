using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Consent.Ledger;

/// <summary>Answers <see cref="VerifyLedger"/>: reads the chain from its first entry, holding each against its hash, its neighbour and the anchor.</summary>
internal sealed class CheckLedger(ConsentDb db, AnchorFile file) : IRequestHandler<VerifyLedger, LedgerVerdict>
{
    private const int PageSize = 2000;

    public async Task<LedgerVerdict> Handle(VerifyLedger request, CancellationToken cancellationToken)
    {
        // The anchor is read first: the chain only grows, so whatever was anchored by then must be in it.
        IReadOnlyList<AnchorPoint> points;
        try
        {
            points = file.Read();
        }
        catch (InvalidDataException edited)
        {
            return new LedgerVerdict(false, await db.Ledger.LongCountAsync(cancellationToken), null, edited.Message);
        }

        var anchors = new Dictionary<long, AnchorPoint>();
        foreach (var point in points)
        {
            if (anchors.TryGetValue(point.Number, out var other) && other.Hash != point.Hash) return Broken(0, point.Number, $"The anchor knows two entries {point.Number}.");
            anchors[point.Number] = point;
        }

        var (number, previous) = (0L, LedgerEntry.Origin);
        while (true)
        {
            var after = number;
            var page = await db.Ledger.AsNoTracking().Where(e => e.Number > after).OrderBy(e => e.Number).Take(PageSize).ToListAsync(cancellationToken);
            foreach (var entry in page)
            {
                if (entry.Number != number + 1) return Broken(number, number + 1, $"Entry {number + 1} is missing: entry {entry.Number} comes next.");
                if (!entry.Previous.AsSpan().SequenceEqual(previous)) return Broken(number, entry.Number, $"Entry {entry.Number} does not follow the entry before it.");
                if (!entry.ComputeHash().AsSpan().SequenceEqual(entry.Hash)) return Broken(number, entry.Number, $"Entry {entry.Number} was changed: its content does not give its hash.");
                if (anchors.TryGetValue(entry.Number, out var anchor) && anchor.Hash != Convert.ToHexStringLower(entry.Hash))
                    return Broken(number, entry.Number, $"Entry {entry.Number} is not the one that was anchored on {anchor.At:yyyy-MM-dd}: the chain was written anew, from here or from an earlier entry on.");
                (number, previous) = (entry.Number, entry.Hash);
            }
            if (page.Count < PageSize) break;
        }
        if (await db.Ledger.AnyAsync(e => e.Number < 1, cancellationToken)) return Broken(number, null, "There is an entry before the first.");

        var newest = points.Count == 0 ? null : points.MaxBy(p => p.Number);
        if (newest is not null && newest.Number > number)
            return Broken(number, number + 1, $"Entry {number + 1} is missing: the chain ends at {number}, and entry {newest.Number} was anchored on {newest.At:yyyy-MM-dd}.");
        if (number > 0 && points.Count == 0) return Broken(number, null, "The anchor file is missing: whether entries were cut off or replaced cannot be told.");
        if (points.Count > 0 && points[0].Number != 0) return Broken(number, null, $"The anchor's beginning is missing: it starts at entry {points[0].Number}.");
        return new LedgerVerdict(true, number, null, newest is null or { Number: 0 }
            ? $"The ledger is whole: {number} entries." : $"The ledger is whole: {number} entries, anchored up to entry {newest.Number} on {newest.At:yyyy-MM-dd}.");
    }

    private static LedgerVerdict Broken(long entries, long? first, string finding) => new(false, entries, first, finding);
}
