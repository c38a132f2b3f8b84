using System.Security.Claims;
using Commerce.Consent.Data;
using Commerce.Consent.Ledger;
using Commerce.Kernel;
using Commerce.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Consent.Consents;

/// <summary>"Who has what about me": every partner that the customer has agreed with, what stands, and what was sent under it.</summary>
internal static class ShowConsents
{
    /// <summary>Ended consents beyond these are left out of the page; their receipts and the ledger keep them.</summary>
    private const int MostEnded = 50;

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/account/consents",
        async (ClaimsPrincipal user, ConsentDb db, LedgerWriter ledger, CancellationToken stop) =>
        {
            var customer = user.CustomerId()!.Value;
            var standing = await db.Consents.AsNoTracking().Include(c => c.Claims).Where(c => c.Customer == customer && c.EndedAt == null)
                .OrderByDescending(c => c.GivenAt).ToListAsync(stop);
            var ended = await db.Consents.AsNoTracking().Include(c => c.Claims).Where(c => c.Customer == customer && c.EndedAt != null)
                .OrderByDescending(c => c.EndedAt).Take(MostEnded).ToListAsync(stop);
            var pseudonym = ledger.PseudonymOf(customer);
            var sent = await db.Ledger.AsNoTracking().Where(e => e.Customer == pseudonym && e.Kind == LedgerKind.Release && e.Receipt != null)
                .GroupBy(e => e.Receipt!).Select(g => new { Receipt = g.Key, Count = g.Count(), Last = g.Max(e => e.At) }).ToListAsync(stop);
            var releases = sent.ToDictionary(s => s.Receipt, s => new Releases(s.Count, s.Last));
            return Page.Of("/Consents/Consents.cshtml", new Model(
                [.. standing.Select(Shown)], [.. ended.Select(Shown)]));

            Item Shown(GivenConsent consent) => new(consent, releases.GetValueOrDefault(consent.Receipt));
        }).RequireCustomer().ExcludeFromDescription();

    internal sealed record Model(IReadOnlyList<Item> Standing, IReadOnlyList<Item> Ended);

    /// <param name="Sent">Null where nothing has left under it.</param>
    internal sealed record Item(GivenConsent Consent, Releases? Sent)
    {
        public IEnumerable<string> Granted => Consent.Claims.Where(c => c.Granted).OrderBy(c => c.Position).Select(c => c.Name);
    }

    internal sealed record Releases(int Count, DateTimeOffset Last);
}
