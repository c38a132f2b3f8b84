using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using SeeOther = Commerce.Web.SeeOther;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// Answers a validated authorize request: with a code at once where a live session and a standing consent allow it, else by sending the
/// browser to the sign-in page or the consent sheet and taking the request up again afterwards.
/// </summary>
internal sealed class AuthorizeFlow(
    OnDemand<FederationDb> db, Connections connections, FrozenRequests frozen, PushedRequests pushed, SignInRelease signIn, RichAuthorization.PurchaseRelease purchases,
    GrantManagement.ReplacedGrants replaced, ReleasedClaims released, RedeemHop hops, IMediator mediator, SealedState state,
    SharedSecrets secrets, GrantRows rows, RecentGrants recent, Issuer issuer, TimeProvider clock, ILogger<AuthorizeFlow> log)
{
    /// <param name="thawed">Set where the request was frozen before.</param>
    /// <param name="handle">The frozen request's handle, else null.</param>
    public async Task<IResult> ContinueAsync(HttpContext context, AuthorizeRequest request, ThawedRequest? thawed, string? handle, CancellationToken stop)
    {
        var connection = await connections.FindAsync(request.Client, stop);
        if (connection is not { IsActive: true, Oidc: not null }) return Answer.RefusedPage(context, Refusals.AuthorizeClient);

        var (customer, session) = (context.User.CustomerId(), context.User.SessionId());
        if (request.HasTicket && customer is null)
        {
            // A ticket belongs to the session that made it: signing in afresh cannot make it good, and must not look as if it had.
            log.LogWarning("A hop ticket came without a session to {Client}.", connection.Id);
            return await RefuseAsync(context, request, thawed, handle, Refusals.TicketInvalid, stop);
        }
        if (customer is null || session is null || !IsProofEnough(context, request, thawed, connection, customer.Value))
        {
            // OpenID Connect Core §3.1.2.1: not the customer of the hint, and they have just signed in as who they are.
            var isOther = customer is not null && thawed is not null && context.User.AuthenticatedAt() is { } proven && IsSince(thawed, proven, session);
            if (request.PromptNone || isOther) return await RefuseAsync(context, request, thawed, handle, OAuth.LoginRequired, stop);
            return await SendToSignInAsync(context, request, thawed, handle, connection, stop);
        }
        // OpenID Connect Core §5.5.1.1: an essential acr that is not reached is a failed sign-in; there is no stronger one to send the customer to.
        if (request.Claims?.TakesAcr(context.User.Acr()) == false) return await RefuseAsync(context, request, thawed, handle, OAuth.AccessDenied, stop);
        return await ReleaseAsync(context, request, thawed, handle, connection, customer.Value, session.Value, stop);
    }

    /// <summary>Whether this session answers prompt, max_age and id_token_hint (OpenID Connect Core §3.1.2.3).</summary>
    private bool IsProofEnough(HttpContext context, AuthorizeRequest request, ThawedRequest? thawed, Connection connection, Guid customer)
    {
        if (request.HintedSubject is { } hinted && !string.Equals(hinted, SubjectOf(connection, customer), StringComparison.Ordinal)) return false;
        if (request.Claims?.TakesSubject(SubjectOf(connection, customer)) == false) return false;
        if (!request.PromptLogin && request.MaxAge is null) return true;
        if (context.User.AuthenticatedAt() is not { } proven) return false;
        if (thawed is not null && IsSince(thawed, proven, context.User.SessionId())) return true;
        return !request.PromptLogin && request.MaxAge > 0 && clock.GetUtcNow() - proven <= TimeSpan.FromSeconds(request.MaxAge.Value);
    }

    /// <summary>Whether the proof was given after the request came. <c>auth_time</c> has whole seconds, so within one second it takes a change to tell.</summary>
    private static bool IsSince(ThawedRequest thawed, DateTimeOffset proven, Guid? session)
    {
        var came = Whole(thawed.CreatedAt);
        return thawed.Before is { } before ? proven >= came && (session != before.Session || proven > before.AuthenticatedAt) : proven > came;
    }

    private static DateTimeOffset Whole(DateTimeOffset t) => DateTimeOffset.FromUnixTimeSeconds(t.ToUnixTimeSeconds());

    private async Task<IResult> SendToSignInAsync(
        HttpContext context, AuthorizeRequest request, ThawedRequest? thawed, string? handle, Connection connection, CancellationToken stop)
    {
        var (pathHandle, user) = (handle ?? Token.New(), context.User);
        if (thawed is null) await frozen.FreezeAsync(context, pathHandle, request, SessionBefore.Of(user), stop);
        var page = state.SignInPath(new SignInRequest(ResumePath(pathHandle))
        {
            Again = user.CustomerId() is not null,
            LoginHint = request.LoginHint is { } hint && hint.Contains('@', StringComparison.Ordinal) ? hint : null,
            For = connection.PartnerName,
            Onward = [OriginOf(request.Target)],
        });
        return Local(request.Language is { } language ? $"{page}&lang={language}" : page);
    }

    private async Task<IResult> ReleaseAsync(
        HttpContext context, AuthorizeRequest request, ThawedRequest? thawed, string? handle, Connection connection, Guid customer, Guid session, CancellationToken stop)
    {
        if (request.Replaces is { } old && !await replaced.IsThereAsync(old, connection.Id, customer, stop)) return await RefuseAsync(context, request, thawed, handle, OAuth.InvalidGrantId, stop);
        Release? release;
        WaitingHop? waiting = null;
        var isNew = false;
        if (request.HasTicket)
        {
            if (!(await hops.FindAsync(request.LoginHint!, connection.Id, customer, session, stop)).TryGet(out waiting, out var no))
            {
                log.LogWarning("A hop ticket was refused to {Client}: {Reason}.", connection.Id, no.Code);
                return await RefuseAsync(context, request, thawed, handle, no, stop);
            }
            release = waiting.Release;
        }
        else
        {
            var pathHandle = handle ?? Token.New();
            var answer = await DecideAsync(request, thawed, connection, customer, session, pathHandle, stop);
            if (!answer.TryGet(out var decided, out var no))
            {
                log.LogWarning("A sign-in at {Client} was refused: {Reason}.", connection.Id, no.Code);
                return await RefuseAsync(context, request, thawed, handle, no, stop);
            }
            if (decided.SheetPath is { } sheet)
            {
                if (request.PromptNone) return await RefuseAsync(context, request, thawed, handle, OAuth.ConsentRequired, stop);
                if (thawed is null) await frozen.FreezeAsync(context, pathHandle, request, SessionBefore.Of(context.User), stop);
                return Local(sheet);
            }
            (release, isNew) = (decided.Release, decided.IsNew);
        }

        var grant = NewGrant(context, request, connection, customer, session, release, await SelectAsync(request.Claims, release, stop), out var code);
        if (thawed is null && request.Pushed is null && (isNew || waiting is not null))
        {
            // The ordinary sign-in, and the hop: one commit, shared with whoever comes at this moment.
            if (waiting is null) await rows.AddAsync(grant, release, stop);
            else if (!await rows.AddForHopAsync(grant, waiting, stop)) return await TicketUsedAsync(context, request, thawed, handle, stop);
            recent.Keep(grant, release);
            return AuthorizationResponse.Code(request.Target, issuer, code);
        }
        // A ticket, a frozen and a pushed request are each used up with the code that comes of them, in one transaction.
        await using var transaction = thawed is not null || request.Pushed is not null || waiting is not null ? await db.Value.Database.BeginTransactionAsync(stop) : null;
        if (waiting is not null && !await hops.TakeAsync(db.Value, waiting, stop))
        {
            await transaction!.RollbackAsync(stop);
            return await TicketUsedAsync(context, request, thawed, handle, stop);
        }
        if (thawed is not null && !await frozen.CompleteAsync(thawed.HandleHash, stop)) return Answer.RefusedPage(context, Refusals.HandleInvalid);
        if (request.Pushed is { } uri && !await pushed.UseUpAsync(uri, stop)) return Answer.RefusedPage(context, Refusals.RequestUriOver);
        if (isNew) db.Value.Releases.Add(release!);
        db.Value.Add(grant);
        await db.Value.SaveChangesAsync(stop);
        if (transaction is not null) await transaction.CommitAsync(stop);
        if (handle is not null) frozen.ForgetBrowser(context, handle);
        return AuthorizationResponse.Code(request.Target, issuer, code);
    }

    private Task<IResult> TicketUsedAsync(HttpContext context, AuthorizeRequest request, ThawedRequest? thawed, string? handle, CancellationToken stop)
    {
        log.LogWarning("A hop ticket was used meanwhile at {Client}.", request.Client);
        return RefuseAsync(context, request, thawed, handle, Refusals.TicketInvalid, stop);
    }

    private async Task<Result<SignInReleaseAnswer>> DecideAsync(
        AuthorizeRequest request, ThawedRequest? thawed, Connection connection, Guid customer, Guid session, string handle, CancellationToken stop)
    {
        if (request.Purchase is not null) return await purchases.DecideAsync(request, connection, customer, session, handle, stop);
        var asked = OidcScopes.Claims(request.Scopes);
        if (request.Claims is { } named) asked = [.. asked, .. named.Names()];
        Task<Result<SignInReleaseAnswer>> Decide(bool ask) =>
            signIn.DecideAsync(connection, customer, session, asked, () => new SheetPaths(ResumePath(handle), $"{Issuer.DenyPath}?handle={handle}"), ask, stop);
        if (!request.PromptConsent) return await Decide(false);
        // prompt=consent: a yes counts only where it was given after the request came.
        var answer = thawed is null ? await Decide(true) : await Decide(false);
        if (thawed is null || answer is not { IsOk: true, Value.Release: { } release }) return answer;
        var consent = release.Receipt is { } receipt ? await mediator.Send(new ConsentUnderReceipt(receipt), stop) : null;
        if (release.Receipt is null || consent?.GivenAt >= thawed.CreatedAt) return answer;
        db.Value.ChangeTracker.Clear();
        return await Decide(true);
    }

    private Grant NewGrant(HttpContext context, AuthorizeRequest request, Connection connection, Guid customer, Guid session, Release? release, (string? UserInfo, string? IdToken) claims, out string code)
    {
        var now = clock.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        code = OneTimeCode.New(id);
        var offline = request.Asks(OidcScopes.Offline) && connection.Oidc!.MayUse("refresh_token");
        return new Grant
        {
            Id = id,
            Connection = connection.Id,
            Customer = customer,
            Session = session,
            Release = release?.Id,
            Receipt = release?.Receipt,
            IsHop = release?.Hop is not null,
            Subject = SubjectOf(connection, customer),
            Scope = string.Join(' ', request.Scopes.Where(s => s != OidcScopes.Offline || offline)),
            IsOffline = offline,
            Details = request.Purchase?.ToJson(),
            Replaces = request.Replaces,
            RedirectUri = request.Target.RedirectUri,
            Challenge = request.Challenge,
            UserInfoClaims = claims.UserInfo,
            IdTokenClaims = claims.IdToken,
            BoundTo = request.DpopKey is { } thumbprint ? SenderKey.OfDpop(thumbprint).Text : null,
            Nonce = request.Nonce,
            AuthenticatedAt = context.User.AuthenticatedAt() ?? now,
            Acr = context.User.Acr() ?? "",
            Amr = string.Join(' ', context.User.Amr()),
            CodeHash = OneTimeCode.Hash(code),
            CodeExpiresAt = now + OneTimeCode.Lifetime,
            CreatedAt = now,
            EndsAt = now + RefreshToken.Absolute,
        };
    }

    /// <summary>The names that the <c>claims</c> parameter selects; one that was asked for with values drops out where it has another.</summary>
    private async Task<(string? UserInfo, string? IdToken)> SelectAsync(ClaimsRequest? asked, Release? release, CancellationToken stop)
    {
        if (asked is null || release is null) return default;
        var names = asked.Names().ToHashSet(StringComparer.Ordinal);
        var held = asked.UserInfo.Concat(asked.IdToken).Any(c => c.Values.Count > 0) ? await released.ReadAsync(release, names, stop) : null;
        return (Selected(asked.UserInfo), Selected(asked.IdToken));

        string? Selected(IReadOnlyList<RequestedClaim> claims)
        {
            var selected = claims.Where(c => names.Contains(c.Name) && (c.Values.Count == 0 || (held is not null && held.TryGetValue(c.Name, out var value) && c.Takes(value))))
                .Select(c => c.Name).ToList();
            return selected.Count == 0 ? null : string.Join(' ', selected);
        }
    }

    /// <summary>Sends an error to the client and ends the frozen request, if there is one.</summary>
    public async Task<IResult> RefuseAsync(HttpContext context, AuthorizeRequest request, ThawedRequest? thawed, string? handle, Refusal refusal, CancellationToken stop)
    {
        if (thawed is not null && !await frozen.CompleteAsync(thawed.HandleHash, stop)) return Answer.RefusedPage(context, Refusals.HandleInvalid);
        if (request.Pushed is { } uri && !await pushed.UseUpAsync(uri, stop)) return Answer.RefusedPage(context, Refusals.RequestUriOver);
        if (handle is not null) frozen.ForgetBrowser(context, handle);
        return AuthorizationResponse.Error(request.Target, issuer, refusal);
    }

    private string SubjectOf(Connection connection, Guid customer) => PairwiseSubject.For(connection.Sector, customer, secrets.HashBy(PairwiseSubject.Salt));

    public static string ResumePath(string handle) => $"{Issuer.ResumePath}?handle={handle}";

    private static string OriginOf(ResponseTarget target) => new Uri(target.RedirectUri).GetLeftPart(UriPartial.Authority);

    private static SeeOther Local(string path) => new(path);
}
