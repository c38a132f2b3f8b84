using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using MediatR;

namespace Commerce.Federation.Releases;

/// <summary>Either what may leave, or the page that asks the customer first. Exactly one of the two is set.</summary>
/// <param name="SheetPath">Local path and query of the consent sheet; when answered with yes it returns to the caller's return path.</param>
internal sealed record SignInReleaseAnswer(Release? Release, string? SheetPath)
{
    /// <summary>The release is stored nowhere yet: the caller does it, in the commit of the code or assertion that it is for.</summary>
    public bool IsNew { get; init; }
}

/// <param name="Yes">Own path to which the browser returns after a yes: the request that is being answered.</param>
/// <param name="No">Own path to which it goes after a no.</param>
internal readonly record struct SheetPaths(string Yes, string No);

/// <summary>What a sign-in that the partner started itself, without a hop, may release.</summary>
internal sealed class SignInRelease(ReleaseGate gate, ReleaseValues values, StandingValues standing, IMediator mediator, SealedState state)
{
    /// <param name="askedClaims">Claim names of the scopes asked for; null for SAML, which takes what there is.</param>
    /// <param name="paths">Where the browser goes from the sheet; asked for only where the sheet has to be shown.</param>
    /// <param name="forceAsk">Show the sheet although a consent stands (<c>prompt=consent</c>).</param>
    public async Task<Result<SignInReleaseAnswer>> DecideAsync(
        Connection connection, Guid customer, Guid session, IReadOnlyCollection<string>? askedClaims, Func<SheetPaths> paths, bool forceAsk, CancellationToken stop)
    {
        if (!(await gate.CheckAsync(connection.Id, customer, session, null, stop)).TryGet(out var open, out var no)) return no;

        if (open.Connection.Contract is not { } contract) return await ReleaseAsync(open.Connection, customer, session, null, null, null, stop);
        var purpose = contract.SignInPurpose;
        // Nothing of the contract was asked for: there is nothing to agree to.
        var wanted = purpose.Claims.Where(c => !ClaimCatalogue.IsOfHop(c.Name) && (askedClaims is null || ClaimCatalogue.With(c.Name).Any(askedClaims.Contains))).ToList();
        if (wanted.Count == 0) return await ReleaseAsync(open.Connection, customer, session, null, null, null, stop);

        var consent = purpose.NeedsConsent ? await mediator.Send(new CurrentConsent(customer, open.Connection.Partner, purpose.Id), stop) : null;
        if (purpose.NeedsConsent && (forceAsk || !ClaimsRelease.Covers(consent, contract, purpose, wanted)))
        {
            var (afterYes, afterNo) = paths();
            var ask = new SignInAsk(open.Connection.Id, customer, session, [.. wanted.Select(c => c.Name)], afterYes, afterNo);
            return new SignInReleaseAnswer(null, $"{SignInSheet.Path}?ask={state.Seal(SignInSheet.Use, ask, SignInSheet.Lifetime)}");
        }
        var decision = ClaimsRelease.Decide(contract, purpose.Id, consent, null, askedClaims);
        return await ReleaseAsync(open.Connection, customer, session, purpose, consent?.Receipt, decision, stop);
    }

    private async Task<SignInReleaseAnswer> ReleaseAsync(
        Connection connection, Guid customer, Guid session, ContractPurpose? purpose, string? receipt, ReleaseDecision? decision, CancellationToken stop)
    {
        var key = new ValuesKey(customer, connection.Id, purpose?.Id ?? "", connection.Contract?.Version ?? 0, receipt, decision is null ? "" : string.Join(' ', decision.Names));
        Release release;
        if (standing.Find(key) is { } known)
        {
            release = values.Again(connection, customer, session, purpose, receipt, known);
        }
        else
        {
            var stamp = standing.StampOf(customer);
            var leaving = decision is null ? [] : await values.GatherAsync(customer, decision.Names, null, [], stop);
            release = await values.FixAsync(connection, customer, session, purpose, receipt, null, leaving, stop);
            standing.Keep(key, new FixedValues(release.ClaimNames, release.Values, release.Opened!, release.ValuesHash), stamp);
        }
        return new SignInReleaseAnswer(release, null) { IsNew = true };
    }
}
