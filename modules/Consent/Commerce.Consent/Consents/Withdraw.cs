using System.Security.Claims;
using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Consent.Ledger;
using Commerce.Kernel;
using Commerce.Profiles.Contracts;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Consent.Consents;

/// <summary>The customer takes a yes back. From the save on, nothing leaves under it.</summary>
internal static class Withdraw
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/account/consents/{receipt}/withdraw",
        async (string receipt, [FromForm] IFormCollection form, ClaimsPrincipal user, HttpContext context, IMediator mediator, CancellationToken stop) =>
        {
            var answer = await mediator.Send(new WithdrawConsent(user.CustomerId()!.Value, receipt), stop);
            if (answer.Refusal is { } refusal) return Answer.No(context, refusal);
            context.Response.Headers.Location = "/account?withdrawn=1";
            return Results.StatusCode(StatusCodes.Status303SeeOther);
        }).RequireCustomer().ExcludeFromDescription();

    internal sealed class Handler(ConsentDb db, LedgerWriter ledger, LedgerAnchor anchor, CustomerChanges changes, TimeProvider clock) : IRequestHandler<WithdrawConsent, Result<ConsentRecord>>
    {
        public async Task<Result<ConsentRecord>> Handle(WithdrawConsent request, CancellationToken cancellationToken)
        {
            var consent = await db.Consents.AsNoTracking().Include(c => c.Claims)
                .SingleOrDefaultAsync(c => c.Receipt == request.Receipt && c.Customer == request.Customer, cancellationToken);
            if (consent is null) return Refusals.UnknownReceipt;

            var now = clock.GetUtcNow();
            await using var transaction = await ledger.BeginAsync(cancellationToken);
            // The conditional update decides who withdraws: of two at once, one finds it standing.
            var withdrawn = await db.Consents.Where(c => c.Id == consent.Id && c.EndedAt == null)
                .ExecuteUpdateAsync(row => row.SetProperty(c => c.EndedAt, now).SetProperty(c => c.End, ConsentEnd.Withdrawn), cancellationToken);
            if (withdrawn == 0)
            {
                var end = await db.Consents.Where(c => c.Id == consent.Id).Select(c => c.End).SingleAsync(cancellationToken);
                return end == ConsentEnd.Withdrawn ? consent.ToRecord() : Refusals.Replaced;
            }
            var record = consent.ToRecord();
            await ledger.AppendAsync(new LedgerFact(LedgerKind.Withdrawal, now, consent.Customer, consent.Partner, consent.Purpose, consent.Receipt, record.Granted), cancellationToken);
            db.Publish(new ConsentWithdrawn(consent.Customer, consent.Partner, consent.Purpose, consent.Receipt, now));
            db.Publish(new TimelineFact(Guid.CreateVersion7(now), consent.Customer, now, "consent_withdrawn", Summary: consent.PurposeText,
                Partner: consent.Partner, PartnerName: consent.PartnerName, Receipt: consent.Receipt));
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            changes.Note(request.Customer);
            anchor.Wake();
            return record;
        }
    }
}
