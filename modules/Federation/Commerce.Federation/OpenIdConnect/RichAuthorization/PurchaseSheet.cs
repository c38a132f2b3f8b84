using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.RichAuthorization;

/// <summary>Why the sheet was opened. Travels sealed.</summary>
/// <param name="Handle">Handle of the frozen request to which the answer belongs.</param>
internal sealed record PurchaseAsk(string Connection, Guid Customer, Guid Session, RetailPurchase Detail, IReadOnlyList<string> Scopes, string Handle)
{
    public string ReturnPath => AuthorizeFlow.ResumePath(Handle);
    public string DenyPath => $"{Issuer.DenyPath}?handle={Handle}";
}

/// <summary>What the sheet showed; see <see cref="ShownHop"/>.</summary>
internal sealed record ShownPurchase(PurchaseAsk Ask, int ContractVersion, string ValuesHash);

/// <summary>The consent sheet for a <c>retail_purchase</c>: this order, these lines one by one, for this purpose.</summary>
internal static class PurchaseSheet
{
    public const string Path = "/consent/purchase";
    public const string Use = "purchase-ask";
    private const string ShownUse = "purchase-shown";
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext context, string? ask, Handler handler, CancellationToken stop) => handler.OpenAsync(context, ask, stop)).ExcludeFromDescription();
        routes.MapPost(Path, (HttpContext context, IFormCollection form, Handler handler, CancellationToken stop) => handler.AnswerAsync(context, form, stop))
            .ExcludeFromDescription();
    }

    private sealed record Occasion(PurchaseAsk Ask, PurchaseOccasion Found, IReadOnlyList<KeyValuePair<string, JsonElement>> Values);

    internal sealed class Handler(FederationDb db, PurchaseRelease purchases, ReleaseValues releases, ConsentSheet sheet, IMediator mediator, SealedState state, TimeProvider clock)
    {
        public async Task<IResult> OpenAsync(HttpContext context, string? ask, CancellationToken stop)
        {
            context.Response.Headers.CacheControl = "no-store";
            if (OpenHop.IsPrefetch(context.Request)) return Answer.No(context, Refusals.PrefetchRefused);
            return state.TryOpen<PurchaseAsk>(Use, ask, out var opened)
                ? (await FindAsync(context, opened, stop)).Match(occasion => Show(occasion, changed: false), no => HopRefused.Page(context, no))
                : HopRefused.Page(context, Refusals.SheetInvalid);
        }

        public async Task<IResult> AnswerAsync(HttpContext context, IFormCollection form, CancellationToken stop)
        {
            if (SheetAnswer.Read(form) is not { } answer || !state.TryOpen<ShownPurchase>(ShownUse, answer.Sheet, out var shown))
                return HopRefused.Page(context, Refusals.SheetInvalid);
            if (!(await FindAsync(context, shown.Ask, stop)).TryGet(out var occasion, out var no)) return HopRefused.Page(context, no);
            if (!answer.Allow) return new SeeOther(shown.Ask.DenyPath);

            var (connection, purpose) = (occasion.Found.Connection, occasion.Found.Purpose);
            if (shown.ContractVersion != connection.Contract!.Version || shown.ValuesHash != releases.HashOf(occasion.Values)) return Show(occasion, changed: true);
            if (!answer.Fits(occasion.Found.Claims, occasion.Values)) return HopRefused.Page(context, Refusals.SheetInvalid);
            if (Missing(occasion).Any()) return Show(occasion, changed: false);

            var earlier = await mediator.Send(new CurrentConsent(shown.Ask.Customer, connection.Partner, purpose.Id), stop);
            if (earlier?.ContractVersion != connection.Contract.Version) earlier = null;
            var given = answer.Consent(shown.Ask.Customer, connection, purpose, occasion.Found.Claims, Host(connection), earlier);
            // The same yes as before keeps its receipt: a new one would end the tokens made under it.
            var consent = earlier is not null && Same(earlier.Granted, given.Granted) && Same(earlier.Declined, given.Declined) ? earlier : null;
            if (consent is null && !(await mediator.Send(given, stop)).TryGet(out consent, out no)) return HopRefused.Page(context, no);

            await AgreeAsync(occasion, consent, stop);
            return new SeeOther(shown.Ask.ReturnPath);
        }

        private async Task AgreeAsync(Occasion occasion, ConsentRecord consent, CancellationToken stop)
        {
            var ask = occasion.Ask;
            var release = await purchases.FixAsync(occasion.Found, ask.Customer, ask.Session, consent, occasion.Values, stop);
            var hash = Token.Hash(ask.Handle);
            db.Add(new AgreedPurchase { HandleHash = hash, Release = release.Id, ExpiresAt = clock.GetUtcNow() + AgreedPurchase.Lifetime });
            try
            {
                await db.SaveChangesAsync(stop);
            }
            catch (DbUpdateException)
            {
                // A double click: the first answer stands.
                db.ChangeTracker.Clear();
                if (!await db.Set<AgreedPurchase>().AsNoTracking().AnyAsync(a => a.HandleHash == hash, stop)) throw;
            }
        }

        private async Task<Result<Occasion>> FindAsync(HttpContext context, PurchaseAsk ask, CancellationToken stop)
        {
            if (context.User.CustomerId() != ask.Customer || context.User.SessionId() != ask.Session) return Refusals.SheetInvalid;
            if (!(await purchases.FindAsync(ask.Connection, ask.Customer, ask.Session, ask.Detail, ask.Scopes, stop)).TryGet(out var found, out var no))
                return no == OAuth.AccessDenied ? Refusals.SheetInvalid : no;
            return new Occasion(ask, found, await purchases.MostAsync(found, ask.Customer, stop));
        }

        private Page Show(Occasion occasion, bool changed)
        {
            var (connection, purpose) = (occasion.Found.Connection, occasion.Found.Purpose);
            var shown = new ShownPurchase(occasion.Ask, connection.Contract!.Version, releases.HashOf(occasion.Values));
            var model = sheet.Model(connection, purpose, occasion.Found.Claims, occasion.Values, Host(connection), changed, Path, state.Seal(ShownUse, shown, Lifetime)) with
            {
                OrderNumber = occasion.Found.Purchase.OrderNumber,
            };
            return new Page(ConsentSheet.View, model)
            {
                Status = changed ? StatusCodes.Status409Conflict : StatusCodes.Status200OK,
                FormTargets = [.. PartnerOrigins.Of(connection)],
            };
        }

        private static IEnumerable<string> Missing(Occasion occasion) =>
            ConsentSheet.Missing(occasion.Found.Purpose with { Claims = occasion.Found.Claims }, occasion.Values);

        private static bool Same(IReadOnlyList<string> names, IReadOnlyList<ConsentedClaim> claims) =>
            names.Count == claims.Count && claims.All(c => names.Contains(c.Name, StringComparer.Ordinal));

        private static string Host(Connection connection) => connection.LandingHost ?? connection.Id;
    }
}
