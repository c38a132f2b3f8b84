using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Purchases.Contracts;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.RichAuthorization;

/// <summary>One customer's purchase as a detail asks for it, as it stands now.</summary>
/// <param name="Claims">Claims of the contract's purpose that were asked for.</param>
/// <param name="Asked">Claim names of the scopes, and the purchase.</param>
internal sealed record PurchaseOccasion(
    Connection Connection, ContractPurpose Purpose, Purchase Purchase, HopScope Scope, IReadOnlyList<ContractClaim> Claims, IReadOnlyList<string> Asked);

/// <summary>
/// What an authorization request with a <c>retail_purchase</c> may release: the same function as for a hop decides, contract ∩ consent ∩
/// this order's lines ∩ scopes. The customer is asked about every purchase anew; a consent for the purpose alone is no yes to a purchase.
/// </summary>
internal sealed class PurchaseRelease(OnDemand<FederationDb> db, ReleaseGate gate, ReleaseValues values, IMediator mediator, SealedState state)
{
    /// <param name="handle">Handle of the frozen request; the caller freezes it where it is new.</param>
    public async Task<Result<SignInReleaseAnswer>> DecideAsync(
        AuthorizeRequest request, Connection connection, Guid customer, Guid session, string handle, CancellationToken stop)
    {
        var detail = request.Purchase!;
        if (!(await FindAsync(connection.Id, customer, session, detail, request.Scopes, stop)).TryGet(out var occasion, out var no)) return no;
        if (!occasion.Purpose.NeedsConsent)
        {
            var release = await FixAsync(occasion, customer, session, null, await MostAsync(occasion, customer, stop), stop);
            return new SignInReleaseAnswer(release, null);
        }
        var hash = Token.Hash(handle);
        var agreed = await (
            from yes in db.Value.Set<AgreedPurchase>().AsNoTracking()
            join release in db.Value.Releases.AsNoTracking() on yes.Release equals release.Id
            where yes.HandleHash == hash && release.Customer == customer && release.Session == session && release.Connection == connection.Id
            select release).SingleOrDefaultAsync(stop);
        if (agreed is not null)
        {
            // Withdrawn between the yes and here: the yes is over.
            return (await gate.CheckAsync(connection.Id, customer, session, agreed.Receipt, stop)).TryGet(out _, out no) ? new SignInReleaseAnswer(agreed, null) : no;
        }
        var ask = new PurchaseAsk(connection.Id, customer, session, detail, request.Scopes, handle);
        return new SignInReleaseAnswer(null, $"{PurchaseSheet.Path}?ask={state.Seal(PurchaseSheet.Use, ask, PurchaseSheet.Lifetime)}");
    }

    /// <summary>An order of somebody else, one that is not there and one without such lines get one answer: it tells a guesser nothing.</summary>
    public async Task<Result<PurchaseOccasion>> FindAsync(
        string connection, Guid customer, Guid session, RetailPurchase detail, IReadOnlyList<string> scopes, CancellationToken stop)
    {
        if (!(await gate.CheckAsync(connection, customer, session, null, stop)).TryGet(out var open, out var no)) return no;
        if (open.Connection.Contract?.Purpose(detail.Purpose) is not { } purpose) return OAuth.AccessDenied;
        if (!(await mediator.Send(new PurchaseOf(customer, detail.OrderNumber), stop)).TryGet(out var purchase, out _)) return OAuth.AccessDenied;
        var lines = purchase.Lines.Where(l => detail.FitsLine(l.Category)).Select(l => l.Line).ToList();
        if (lines.Count == 0) return OAuth.AccessDenied;
        var asked = GrantedDetails.Claims(scopes, detail);
        return new PurchaseOccasion(open.Connection, purpose, purchase, new HopScope(purchase.OrderNumber, lines),
            [.. purpose.Claims.Where(c => ClaimCatalogue.With(c.Name).Any(asked.Contains))], asked);
    }

    /// <summary>What would leave if the customer agreed to everything that was asked for.</summary>
    public Task<IReadOnlyList<KeyValuePair<string, JsonElement>>> MostAsync(PurchaseOccasion occasion, Guid customer, CancellationToken stop) => values.GatherAsync(
        customer, [.. occasion.Claims.SelectMany(c => ClaimCatalogue.With(c.Name)).Where(occasion.Asked.Contains).Distinct()], occasion.Purchase, occasion.Scope.Lines, stop);

    /// <summary>Fixes what the decision lets leave. Saved by the caller.</summary>
    /// <param name="shown">Every value that the customer saw.</param>
    public async Task<Release> FixAsync(
        PurchaseOccasion occasion, Guid customer, Guid session, ConsentRecord? consent, IReadOnlyList<KeyValuePair<string, JsonElement>> shown, CancellationToken stop)
    {
        var decision = ClaimsRelease.Decide(occasion.Connection.Contract!, occasion.Purpose.Id, consent, occasion.Scope, occasion.Asked);
        var release = await values.FixAsync(occasion.Connection, customer, session, occasion.Purpose, consent?.Receipt, null,
            [.. shown.Where(v => decision.Names.Contains(v.Key))], stop);
        db.Value.Releases.Add(release);
        return release;
    }
}
