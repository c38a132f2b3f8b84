using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Federation.Saml;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SeeOther = Commerce.Web.SeeOther;

namespace Commerce.Federation.Logout;

/// <summary>A logout request that passed every check.</summary>
/// <param name="Client">Proven by the hint; null without one.</param>
/// <param name="Subject">Who signs out, as the client knows them; null without a hint.</param>
/// <param name="ReturnTo">The client's own registered address with <c>state</c>; only with a hint.</param>
internal sealed record LogoutPlan(string? Client, string? Subject, string? ReturnTo);

/// <summary>Sign-out that a relying party starts (OpenID Connect RP-Initiated Logout 1.0 §2, §3).</summary>
/// <remarks>
/// With an ID token of ours for the customer who is signed in, it happens at once; otherwise the customer is asked first, so that a foreign
/// page cannot sign anybody out. Without a valid hint nobody is sent anywhere.
/// </remarks>
internal static class EndSessionEndpoint
{
    private const string Use = "logout", ContinuePath = Issuer.LogoutPath + "/continue", ConfirmPath = Issuer.LogoutPath + "/confirm";
    private static readonly TimeSpan PlanLifetime = TimeSpan.FromMinutes(10);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Issuer.LogoutPath, async (HttpContext context, CancellationToken stop) =>
            Parameters.TryReadQuery(context.Request, out var query)
                ? await AnswerAsync(context, query, plan => ContinueAsync(context, plan, stop), stop)
                : Answer.RefusedPage(context, Refusals.AuthorizeMalformed)).ExcludeFromDescription();

        // A post from the partner's site comes without our session cookie: the checked request is sealed, and the browser comes back by GET.
        routes.MapPost(Issuer.LogoutPath, async (HttpContext context, SealedState state, CancellationToken stop) =>
            !context.Request.QueryString.HasValue && await Parameters.ReadFormAsync(context.Request, stop) is { } form
                ? await AnswerAsync(context, form, plan => Task.FromResult<IResult>(
                    new SeeOther($"{ContinuePath}?plan={state.Seal(Use, plan, PlanLifetime)}")), stop)
                : Answer.RefusedPage(context, Refusals.AuthorizeMalformed)).DisableAntiforgery().ExcludeFromDescription();

        routes.MapGet(ContinuePath, async (string? plan, HttpContext context, SealedState state, CancellationToken stop) =>
            state.TryOpen<LogoutPlan>(Use, plan, out var opened)
                ? await ContinueAsync(context, opened, stop)
                : Answer.RefusedPage(context, Refusals.LogoutFormOld)).ExcludeFromDescription();

        routes.MapPost(ConfirmPath, async ([FromForm] string? plan, HttpContext context, SealedState state, CancellationToken stop) =>
            state.TryOpen<LogoutPlan>(Use, plan, out var opened)
                ? await SignOutAsync(context, opened, stop)
                : Answer.RefusedPage(context, Refusals.LogoutFormOld)).ExcludeFromDescription();
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, Parameters parameters, Func<LogoutPlan, Task<IResult>> go, CancellationToken stop)
    {
        if (!(await CheckAsync(context.RequestServices, parameters, stop)).TryGet(out var plan, out var no)) return Answer.RefusedPage(context, no);
        return await go(plan);
    }

    private static async Task<Result<LogoutPlan>> CheckAsync(IServiceProvider services, Parameters parameters, CancellationToken stop)
    {
        // No hint: whatever else was sent proves nothing about who sent it, and nobody is redirected.
        if (parameters["id_token_hint"] is not { } hint) return new LogoutPlan(null, null, null);
        var (signer, issuer) = (services.GetRequiredService<TokenSigner>(), services.GetRequiredService<Issuer>());
        // An expired ID token still says whose session is meant (§4); any other fault ends it.
        if (JwtGate.Open(hint, JwtUse.IdToken, signer.OwnKeys(), out var fault) is not { } jwt || !jwt.Says("iss", issuer.Name)
            || jwt.Claims.Text("aud") is not { } audience || jwt.Claims.Text("sub") is not { } subject
            || (parameters["client_id"] is { } named && !string.Equals(named, audience, StringComparison.Ordinal))
            || await services.GetRequiredService<Connections>().FindAsync(audience, stop) is not { IsActive: true, Oidc: { } oidc })
        {
            services.GetRequiredService<ILogger<LogoutPlan>>().LogWarning("A logout hint was refused: {Reason}.", fault);
            return Refusals.LogoutHintInvalid;
        }
        if (parameters["post_logout_redirect_uri"] is not { } returnTo) return new LogoutPlan(audience, subject, null);
        if (!oidc.PostLogoutRedirectUris.Contains(returnTo, StringComparer.Ordinal)) return Refusals.LogoutRedirect;
        if (parameters["state"] is { } state)
        {
            if (state.Length > 2048) return Refusals.AuthorizeMalformed;
            returnTo += $"{(returnTo.Contains('?', StringComparison.Ordinal) ? '&' : '?')}state={System.Text.Encodings.Web.UrlEncoder.Default.Encode(state)}";
        }
        return new LogoutPlan(audience, subject, returnTo);
    }

    private static async Task<IResult> ContinueAsync(HttpContext context, LogoutPlan plan, CancellationToken stop)
    {
        if (context.User.CustomerId() is not { } customer) return Gone(plan);
        var services = context.RequestServices;
        if (plan.Client is not null && await services.GetRequiredService<Connections>().FindAsync(plan.Client, stop) is { } connection
            && PairwiseSubject.For(connection.Sector, customer, services.GetRequiredService<SharedSecrets>().HashBy(PairwiseSubject.Salt)) == plan.Subject)
            return await SignOutAsync(context, plan, stop);
        var sealedPlan = services.GetRequiredService<SealedState>().Seal(Use, plan, PlanLifetime);
        return new Page("/Logout/ConfirmSignOut.cshtml", new ConfirmSignOutModel(ConfirmPath, sealedPlan))
        {
            FormTargets = plan.ReturnTo is { } to ? [new Uri(to).GetLeftPart(UriPartial.Authority)] : [],
        };
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, LogoutPlan plan, CancellationToken stop)
    {
        // Identity ends the session and tells so; the relying parties of the session hear of it through the outbox.
        if (context.User.SessionId() is not { } session) return Gone(plan);
        var services = context.RequestServices;
        await services.GetRequiredService<IMediator>().Send(new EndSession(session), stop);
        var onward = plan.ReturnTo is { } to && await services.GetRequiredService<Connections>().FindAsync(plan.Client!, stop) is { } client
            ? new Onward(client.PartnerName, to) : null;
        return await services.GetRequiredService<SignOutByBrowser>().SignedOutAsync(session, onward, stop);
    }

    private static IResult Gone(LogoutPlan plan) => plan.ReturnTo is { } to ? new SeeOther(to) : Page.Of("/Logout/SignedOut.cshtml", new SignedOutModel());
}

/// <param name="Action">Where the form goes.</param>
/// <param name="Plan">The checked request, sealed.</param>
internal sealed record ConfirmSignOutModel(string Action, string Plan);

internal sealed record SignedOutModel
{
    /// <summary>Sites that only the customer's browser can tell.</summary>
    public IReadOnlyList<SignOutLink> ByBrowser { get; init; } = [];

    /// <summary>Null where nobody said: the page then leads back to the sign-in.</summary>
    public Onward? Onward { get; init; }
}

/// <summary>Where the customer goes after the sign-out.</summary>
/// <param name="Name">Of the partner.</param>
/// <param name="Address">The return address that the partner registered, with its <c>state</c>.</param>
internal sealed record Onward(string Name, string Address);

/// <param name="Name">Of the partner.</param>
/// <param name="Path">Own path that leads there.</param>
internal sealed record SignOutLink(string Name, string Path);
