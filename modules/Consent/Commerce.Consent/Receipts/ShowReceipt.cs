using System.Security.Claims;
using System.Text;
using Commerce.Consent.Consents;
using Commerce.Consent.Data;
using Commerce.Kernel;
using Commerce.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Consent.Receipts;

/// <summary>Shows the customer's own receipt in plain words, as it was signed, or hands out the signed receipt itself.</summary>
internal static class ShowReceipt
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/account/receipts/{receipt}",
        async (string receipt, string? format, ClaimsPrincipal user, HttpContext context, ConsentDb db, CancellationToken stop) =>
        {
            var customer = user.CustomerId();
            var found = await db.Consents.AsNoTracking().Where(c => c.Receipt == receipt && c.Customer == customer)
                .Join(db.Receipts, c => c.Receipt, r => r.Receipt, (c, r) => new { c.EndedAt, c.End, c.GivenAt, c.RetentionDays, r.Jws }).SingleOrDefaultAsync(stop);
            if (found is null) return Answer.No(context, Refusals.UnknownReceipt);
            context.Response.Headers.CacheControl = "no-store";
            return format == "jws"
                ? Results.File(Encoding.ASCII.GetBytes(found.Jws), "application/jose", $"consent-receipt-{receipt}.jws")
                : Page.Of("/Receipts/Receipt.cshtml", new Model(ReceiptSigner.Open(found.Jws), found.GivenAt, found.EndedAt, found.End, found.RetentionDays));
        }).RequireCustomer().ExcludeFromDescription();

    internal sealed record Model(ReceiptDocument Receipt, DateTimeOffset GivenAt, DateTimeOffset? EndedAt, ConsentEnd? End, int RetentionDays);
}
