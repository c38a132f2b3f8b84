using System.Security.Claims;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.Hops;

/// <summary>The customer opens an offer: with a standing consent the hop starts at once, else the consent sheet asks.</summary>
internal static class OpenHop
{
    public static string PathOf(string offer, string order) => $"/hop/{Uri.EscapeDataString(offer)}?order={Uri.EscapeDataString(order)}";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/hop/{offer}",
        (HttpContext context, string offer, string? order, Handler handler, CancellationToken stop) => handler.OpenAsync(context, offer, order, stop))
        .ExcludeFromDescription();

    /// <summary>A browser that fetches ahead of time acts for nobody: it gets an answer that it may not keep, and nothing happens.</summary>
    public static bool IsPrefetch(HttpRequest request) =>
        request.Headers["Sec-Purpose"].ToString().Contains("prefetch", StringComparison.OrdinalIgnoreCase)
        || request.Headers["Purpose"].ToString().Contains("prefetch", StringComparison.OrdinalIgnoreCase)
        || request.Headers["X-Moz"].ToString().Contains("prefetch", StringComparison.OrdinalIgnoreCase);

    /// <summary>To the sign-in page and back to the hop.</summary>
    public static async Task<IResult> SignInFirstAsync(string offer, string? order, OfferBook offers, SealedState state, CancellationToken stop)
    {
        var open = offer.Length <= Lengths.Offer ? await offers.FindAsync(offer, stop) : null;
        return new SeeOther(state.SignInPath(new SignInRequest(PathOf(Short(offer, Lengths.Offer), Short(order ?? "", Lengths.OrderNumber)))
        {
            For = open?.Connection.PartnerName,
            Onward = open is null ? [] : [.. PartnerOrigins.Of(open.Connection).Append(PartnerUrl.Origin(open.Offer.TargetUrl)).Distinct()],
        }));
    }

    private static string Short(string text, int longest) => text.Length <= longest ? text : text[..longest];

    internal sealed class Handler(HopOccasions occasions, OfferBook offers, SendHop send, HopCookie cookie, ConsentSheet sheet, SealedState state)
    {
        public async Task<IResult> OpenAsync(HttpContext context, string offer, string? order, CancellationToken stop)
        {
            context.Response.Headers.CacheControl = "no-store";
            if (IsPrefetch(context.Request)) return Answer.No(context, Refusals.PrefetchRefused);
            var user = context.User;
            if (user.CustomerId() is not { } customer || user.SessionId() is not { } session) return await SignInFirstAsync(offer, order, offers, state, stop);

            if (!(await occasions.FindAsync(offer, order, customer, session, stop)).TryGet(out var occasion, out var no))
                return no == Refusals.SessionOver ? await SignInFirstAsync(offer, order, offers, state, stop) : HopRefused.Page(context, no);
            if (!occasion.IsCovered) return await sheet.ShowAsync(context, occasion, session, changed: false, stop);

            var values = await occasions.UnderAsync(occasion, occasion.Consent, stop);
            if (ConsentSheet.Missing(occasion.Purpose, values).Any()) return await sheet.ShowAsync(context, occasion, session, changed: false, stop);
            var hop = send.Begin(occasion, session, null, HopState.Created);
            cookie.Set(context.Response, occasion.Connection);
            return new SeeOther(await send.SendAsync(hop, occasion, occasion.Consent?.Receipt, values, stop));
        }
    }
}
