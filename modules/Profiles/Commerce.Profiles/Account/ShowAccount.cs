using System.Security.Claims;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Attributes;
using Commerce.Profiles.Data;
using Commerce.Profiles.Timeline;
using Commerce.Profiles.Vehicles;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Profiles.Account;

/// <summary>The customer's own page: what we know, where it came from, what happened, and every consent that still stands.</summary>
internal static class ShowAccount
{
    private const int FactsShown = 100;

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/account",
        async (ClaimsPrincipal user, string? withdrawn, string? saved, HttpContext context, ProfilesDb db, PersonalData personal, ReadTimeline timeline, IMediator mediator, CancellationToken stop) =>
        {
            var customer = user.CustomerId()!.Value;
            if (await mediator.Send(new AccountOf(customer), stop) is not { } account) return Answer.No(context, Refusals.NoAccount);
            var facts = await timeline.OfAsync(customer, FactsShown, stop);
            var withdrawnReceipts = facts.Where(f => f.Kind == "consent_withdrawn").Select(f => f.Details.Receipt).ToHashSet();
            return new Page("/Account/Account.cshtml", new AccountPage(
                account,
                await SingleView.LoadAsync(db, personal, customer, stop),
                await KeptVehicle.OfAsync(db, personal, customer, KeptVehicle.MostPerCustomer, stop),
                facts,
                facts.Where(f => f.Kind == "consent_given" && f.Details.Receipt is not null && !withdrawnReceipts.Contains(f.Details.Receipt)).Select(f => f.Details.Receipt!).ToHashSet(StringComparer.Ordinal),
                withdrawn == "1" ? "account.withdrawn" : saved == "1" ? "account.saved" : null));
        }).RequireCustomer().ExcludeFromDescription();
}

/// <param name="Standing">Receipts of consents that can be withdrawn.</param>
/// <param name="Note">Key of the text that says what was just done, or null.</param>
internal sealed record AccountPage(
    Identity.Contracts.Account Account, SingleView View, IReadOnlyList<ShownVehicle> Vehicles, IReadOnlyList<ShownFact> Facts, IReadOnlySet<string> Standing, string? Note);
