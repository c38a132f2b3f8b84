using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Hops;

/// <summary>Takes the customer's answer on the consent sheet: with a yes the browser goes on to the partner, with a no back to the shop.</summary>
internal static class StartHop
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/hop/{offer}",
        (HttpContext context, string offer, IFormCollection form, Handler handler, CancellationToken stop) => handler.AnswerAsync(context, offer, form, stop))
        .ExcludeFromDescription();

    internal sealed class Handler(
        FederationDb db, HopOccasions occasions, OfferBook offers, ReleaseValues releases, SendHop send, HopCookie cookie, ConsentSheet sheet, Connections connections,
        IMediator mediator, SealedState state, TimeProvider clock, ILogger<Handler> log)
    {
        public async Task<IResult> AnswerAsync(HttpContext context, string offer, IFormCollection form, CancellationToken stop)
        {
            var user = context.User;
            if (SheetAnswer.Read(form) is not { } answer || !state.TryOpen<ShownHop>(ConsentSheet.Use, answer.Sheet, out var shown) || shown.Offer != offer)
                return HopRefused.Page(context, Refusals.SheetInvalid);
            if (user.CustomerId() is not { } customer || user.SessionId() is not { } session)
                return await OpenHop.SignInFirstAsync(shown.Offer, shown.Order, offers, state, stop);
            // A sheet is answered by the one to whom it was shown, in the same browser session (row O18).
            if (shown.Customer != customer || shown.Session != session) return HopRefused.Page(context, Refusals.SheetInvalid);

            if (!(await occasions.FindAsync(shown.Offer, shown.Order, customer, session, stop)).TryGet(out var hop, out var no)) return HopRefused.Page(context, no);
            return answer.Allow ? await AllowAsync(context, hop, shown, answer, stop) : await DenyAsync(context, hop, shown, stop);
        }

        private async Task<IResult> AllowAsync(HttpContext context, HopOccasion occasion, ShownHop shown, SheetAnswer answer, CancellationToken stop)
        {
            // What was shown is what goes: if anything is different now, the customer reads it again first.
            var values = await occasions.MostAsync(occasion, stop);
            if (shown.Connection != occasion.Connection.Id || shown.ContractVersion != occasion.Contract.Version || shown.ValuesHash != releases.HashOf(values))
                return await sheet.ShowAsync(context, occasion, shown.Session, changed: true, stop);
            if (!answer.Fits(occasion.Purpose.Claims, values)) return HopRefused.Page(context, Refusals.SheetInvalid);
            if (ConsentSheet.Missing(occasion.Purpose, values).Any()) return await sheet.ShowAsync(context, occasion, shown.Session, changed: false, stop);

            var hop = send.Begin(occasion, shown.Session, shown.Id, HopState.Created);
            db.Hops.Add(hop);
            if (!await TakeSheetAsync(stop)) return new SeeOther(OpenHop.PathOf(shown.Offer, shown.Order));

            var given = answer.Consent(occasion.Customer, occasion.Connection, occasion.Purpose, occasion.Purpose.Claims, new Uri(occasion.Offer.TargetUrl).Host);
            if (!(await mediator.Send(given, stop)).TryGet(out var consent, out var no))
            {
                hop.State = HopState.Failed;
                await db.SaveChangesAsync(stop);
                log.LogWarning("Hop {Hop} has no consent: {Reason}.", hop.Id, no.Code);
                return HopRefused.Page(context, no);
            }
            var decision = ClaimsRelease.Decide(occasion.Contract, occasion.Purpose.Id, consent, occasion.Scope, null);
            cookie.Set(context.Response, occasion.Connection);
            return new SeeOther(await send.SendAsync(db, hop, occasion, consent.Receipt, [.. values.Where(v => decision.Names.Contains(v.Key))], stop));
        }

        private async Task<IResult> DenyAsync(HttpContext context, HopOccasion occasion, ShownHop shown, CancellationToken stop)
        {
            var hop = send.Begin(occasion, shown.Session, shown.Id, HopState.Denied);
            db.Hops.Add(hop);
            db.Publish(new TimelineFact(hop.Id, occasion.Customer, clock.GetUtcNow(), "hop_denied", Partner: occasion.Connection.Partner,
                PartnerName: occasion.Connection.PartnerName, Banner: occasion.Purchase.Banner, OrderNumber: occasion.Purchase.OrderNumber, Hop: hop.Id.ToString("D")));
            await TakeSheetAsync(stop);     // answered before: the first answer stands, and the way back is the same
            return await ShopReturn.UrlAsync(occasion.Purchase, connections, stop) is { } shop
                ? new SeeOther(ShopReturn.Denied(shop, shown.Offer, shown.Order))
                : Page.Of("/Hops/Denied.cshtml", new DeniedModel(occasion.Connection.PartnerName));
        }

        // The unique key decides which of two answers to one sheet is the first.
        private async Task<bool> TakeSheetAsync(CancellationToken stop)
        {
            try
            {
                await db.SaveChangesAsync(stop);
                return true;
            }
            catch (DbUpdateException)
            {
                db.ChangeTracker.Clear();
                return false;
            }
        }
    }
}

internal sealed record DeniedModel(string PartnerName);

/// <summary>The plain page that says no. It is the same for every reason that a stranger could probe for.</summary>
internal static class HopRefused
{
    public static IResult Page(HttpContext context, Refusal refusal) => Answer.WantsPage(context.Request)
        ? new Page("/Hops/HopRefused.cshtml", new HopRefusedModel(refusal.Code, refusal.Message, context.TraceIdentifier)) { Status = refusal.Status }
        : Problem.From(refusal);
}

internal sealed record HopRefusedModel(string Code, string Message, string Reference);
