using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.Hops;

/// <summary>Why the consent sheet was opened by a sign-in that the partner started. Travels sealed.</summary>
/// <param name="Claims">Names of the contract's claims that this sign-in is about.</param>
internal sealed record SignInAsk(
    string Connection, Guid Customer, Guid Session, IReadOnlyList<string> Claims, string ReturnPath, string DenyPath);

/// <summary>What the sheet showed; see <see cref="ShownHop"/>.</summary>
internal sealed record ShownSignIn(SignInAsk Ask, int ContractVersion, string ValuesHash);

/// <summary>The consent sheet for a sign-in that the partner started itself: the same sheet as a hop's, without an order.</summary>
internal static class SignInSheet
{
    public const string Path = "/consent";
    public const string Use = "consent-ask";
    public const string ShownUse = "consent-shown";
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext context, string? ask, Handler handler, CancellationToken stop) => handler.OpenAsync(context, ask, stop)).ExcludeFromDescription();
        routes.MapPost(Path, (HttpContext context, IFormCollection form, Handler handler, CancellationToken stop) => handler.AnswerAsync(context, form, stop))
            .ExcludeFromDescription();
    }

    private sealed record Occasion(
        SignInAsk Ask, Connection Connection, ContractPurpose Purpose, IReadOnlyList<ContractClaim> Claims, IReadOnlyList<KeyValuePair<string, JsonElement>> Values);

    internal sealed class Handler(ReleaseGate gate, ReleaseValues releases, ConsentSheet sheet, IMediator mediator, SealedState state)
    {
        public async Task<IResult> OpenAsync(HttpContext context, string? ask, CancellationToken stop)
        {
            context.Response.Headers.CacheControl = "no-store";
            if (OpenHop.IsPrefetch(context.Request)) return Answer.No(context, Refusals.PrefetchRefused);
            return state.TryOpen<SignInAsk>(Use, ask, out var opened)
                ? (await FindAsync(context, opened, stop)).Match(occasion => Show(occasion, changed: false), no => HopRefused.Page(context, no))
                : HopRefused.Page(context, Refusals.SheetInvalid);
        }

        public async Task<IResult> AnswerAsync(HttpContext context, IFormCollection form, CancellationToken stop)
        {
            if (SheetAnswer.Read(form) is not { } answer || !state.TryOpen<ShownSignIn>(ShownUse, answer.Sheet, out var shown))
                return HopRefused.Page(context, Refusals.SheetInvalid);
            if (!(await FindAsync(context, shown.Ask, stop)).TryGet(out var occasion, out var no)) return HopRefused.Page(context, no);
            if (!answer.Allow) return new SeeOther(shown.Ask.DenyPath);

            if (shown.ContractVersion != occasion.Connection.Contract!.Version || shown.ValuesHash != releases.HashOf(occasion.Values)) return Show(occasion, changed: true);
            if (!answer.Fits(occasion.Claims, occasion.Values)) return HopRefused.Page(context, Refusals.SheetInvalid);
            if (Missing(occasion).Any()) return Show(occasion, changed: false);

            var earlier = await mediator.Send(new CurrentConsent(shown.Ask.Customer, occasion.Connection.Partner, occasion.Purpose.Id), stop);
            if (earlier?.ContractVersion != occasion.Connection.Contract.Version) earlier = null;
            var given = answer.Consent(shown.Ask.Customer, occasion.Connection, occasion.Purpose, occasion.Claims, Host(occasion.Connection), earlier);
            // The same yes once more (a double click, the back button) changes nothing: a new receipt would end the tokens made under this one.
            if (earlier is not null && Same(earlier.Granted, given.Granted) && Same(earlier.Declined, given.Declined)) return new SeeOther(shown.Ask.ReturnPath);
            return (await mediator.Send(given, stop)).Match(_ => new SeeOther(shown.Ask.ReturnPath), refused => HopRefused.Page(context, refused));
        }

        private async Task<Result<Occasion>> FindAsync(HttpContext context, SignInAsk ask, CancellationToken stop)
        {
            if (context.User.CustomerId() != ask.Customer || context.User.SessionId() != ask.Session) return Refusals.SheetInvalid;
            if (!(await gate.CheckAsync(ask.Connection, ask.Customer, ask.Session, null, stop)).TryGet(out var open, out var no)) return no;
            if (open.Connection.Contract?.SignInPurpose is not { } purpose) return Refusals.SheetInvalid;
            var claims = purpose.Claims.Where(c => ask.Claims.Contains(c.Name) && !ClaimCatalogue.IsOfHop(c.Name)).ToList();
            var names = claims.SelectMany(c => ClaimCatalogue.With(c.Name)).Distinct().ToList();
            return new Occasion(ask, open.Connection, purpose, claims, await releases.GatherAsync(ask.Customer, names, null, [], stop));
        }

        private Page Show(Occasion occasion, bool changed)
        {
            var shown = new ShownSignIn(occasion.Ask, occasion.Connection.Contract!.Version, releases.HashOf(occasion.Values));
            var model = sheet.Model(occasion.Connection, occasion.Purpose, occasion.Claims, occasion.Values, Host(occasion.Connection), changed,
                Path, state.Seal(ShownUse, shown, Lifetime));
            return new Page(ConsentSheet.View, model)
            {
                Status = changed ? StatusCodes.Status409Conflict : StatusCodes.Status200OK,
                FormTargets = [.. PartnerOrigins.Of(occasion.Connection)],
            };
        }

        private static IEnumerable<string> Missing(Occasion occasion) =>
            ConsentSheet.Missing(occasion.Purpose with { Claims = occasion.Claims }, occasion.Values);

        private static bool Same(IReadOnlyList<string> names, IReadOnlyList<ConsentedClaim> claims) =>
            names.Count == claims.Count && claims.All(c => names.Contains(c.Name, StringComparer.Ordinal));

        private static string Host(Connection connection) => connection.LandingHost ?? connection.Id;
    }
}
