using System.Text.Json;
using Commerce.Demo.Sites;
using Commerce.PartnerKit;
using Microsoft.AspNetCore.DataProtection;

namespace Commerce.Demo.Shop;

/// <summary>One order: paid, what can be done with it now, and where the goods go. Also the way back from a hop that was denied.</summary>
internal static class OrderPage
{
    private const string Cookie = "orders";

    public static void Map(IEndpointRouteBuilder routes)
    {
        // The hub comes back here after a denied hop. It names the order; who may see it is decided here.
        routes.MapGet("/hop-return", (string? order, string? offer, string? hop) =>
            new Go(order is { Length: > 0 and <= 64 } ? $"/orders/{Uri.EscapeDataString(order)}?hop={(hop == "denied" ? "denied" : "")}&offer={Uri.EscapeDataString(offer ?? "")}" : "/"));

        routes.MapGet("/orders/{number}", async (string number, string? paid, string? hop, string? offer, HttpContext context, SiteSettings settings,
            JsonFile<ShopOrder> orders, HubApi hub, CancellationToken stop) =>
        {
            var frame = ShopSite.Frame(settings) with { SignInReturn = $"/orders/{Uri.EscapeDataString(number)}" };
            if (orders.Find(number) is not { } order || !MaySee(context, order))
            {
                return frame.Page("Order", Html.Of($"""
                    <h1>We cannot show this order</h1>
                    <p>There is no such order for you here. If you bought it on another device, sign in first.</p>
                    """), 404);
            }
            if (order.Offers is null) order = await Checkout.PlaceAsync(orders, hub, order, stop);
            return frame.Page($"Order {order.Number}", Show(order, await AskHubAsync(hub, order, stop), paid is not null, hop, offer, settings));
        });
    }

    /// <summary>Lets this browser see the order again: guests have no account to prove it with.</summary>
    public static void Remember(HttpContext context, string number)
    {
        var numbers = Remembered(context).Prepend(number).Distinct().Take(20);
        context.Response.Cookies.Append(Cookie, Protector(context).Protect(string.Join(' ', numbers)),
            new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, MaxAge = TimeSpan.FromDays(30) });
    }

    private static bool MaySee(HttpContext context, ShopOrder order) =>
        Remembered(context).Contains(order.Number)
        || (context.GetCommerceCustomer() is { EmailVerified: true, Email: { } email } && string.Equals(email, order.Email, StringComparison.OrdinalIgnoreCase));

    private static string[] Remembered(HttpContext context)
    {
        try
        {
            return context.Request.Cookies[Cookie] is { } kept ? Protector(context).Unprotect(kept).Split(' ') : [];
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return [];
        }
    }

    private static IDataProtector Protector(HttpContext context) => context.RequestServices.GetRequiredService<IDataProtectionProvider>().CreateProtector("shop.orders");

    private static Html Show(ShopOrder order, OrderNow now, bool paid, string? hop, string? offer, SiteSettings settings)
    {
        var denied = hop == "denied" ? order.Offers?.FirstOrDefault(o => o.Offer == offer) : null;
        var lines = Html.Join(order.Lines.Select(l => Html.Of($"""<li><span>{l.Quantity} × {l.Name}</span><span class="price">{Catalogue.Money(l.Quantity * l.Price)} €</span></li>""")));
        var offers = Html.Join((order.Offers ?? []).Select(o => Card(order, o, now)));
        var address = order.Body.Fulfilment.Address;
        return Html.Of($"""
            {Html.When(hop == "denied", $"""<div class="note" role="status"><p><strong>Nothing was shared.</strong> You chose not to pass your details on{(denied is null ? "" : $" for “{denied.Title}”")}, so nothing left {settings.Retailer}. Your order is as it was, and you can change your mind below.</p></div>""")}
            {Html.When(paid, $"""<div class="note good" role="status"><p><strong>Paid.</strong> Thank you! A receipt is on its way to {order.Email}.</p></div>""")}
            <h1>Order {order.Number}</h1>
            {Html.When(order.Offers is { Count: > 0 }, $"""
                <h2>Next for your car {order.Registration}</h2>
                <p class="quiet">Our partners can take it from here. You see what would be shared before anything is.</p>
                <div class="grid">{offers}</div>
                """)}
            {Html.When(order.Offers is null, $"""<div class="note"><p>Services for your new tires will appear here in a moment. <a href="/orders/{order.Number}">Look again</a></p></div>""")}
            <h2>Delivery</h2>
            <div class="card">{(now.ShipsTo is null
                ? Html.Of($"<p>Home delivery to {address.StreetAddress}, {address.PostalCode} {address.Locality}.</p>")
                : Html.Of($"<p><strong>Ships to the fitter.</strong> The tires go straight to {now.ShipsTo}. You need not carry them.</p>"))}</div>
            <h2>What you bought</h2>
            <div class="card"><ul class="plain">{lines}<li class="total"><span>Total with tax</span><span class="price">{Catalogue.Money(order.Total)} €</span></li></ul></div>
            """);
    }

    // The words of an offer come from the hub in the customer's language; the rest of this demo shop speaks English.
    private static Html Card(ShopOrder order, ShopOffer offer, OrderNow now)
    {
        var words = Html.Of($"""<div lang="{order.Language}"><h3 id="{offer.Offer}">{offer.Title}</h3><p>{offer.Body}</p></div>""");
        return now.Bookings.FirstOrDefault(b => b.Partner == offer.Partner) is { } booking
            ? Html.Of($"""<div class="card offer">{words}<p class="booked">Booked at {booking.PartnerName}: {booking.Services}, {Slots.Words(booking.StartsAt)}</p></div>""")
            : Html.Of($"""<div class="card offer">{words}<div class="actions"><a class="main" href="{offer.HopUrl}" data-offer="{offer.Offer}" aria-describedby="{offer.Offer}" lang="{order.Language}">{Continue(order.Language, PartnerName(offer.Partner))}</a></div></div>""");
    }

    private static string Continue(string language, string partner) => language switch
    {
        "fi" => $"Jatka: {partner}", "sv" => $"Vidare till {partner}", "ko" => $"{partner}에서 계속하기", _ => $"Continue to {partner}",
    };

    private static string PartnerName(string id) => id switch { "kolari-auto" => "Kolari Auto", "polar-fuel" => "Polar Fuel", _ => id };

    // Asked each time the page is opened: a partner's booking changes where the goods go.
    private static async Task<OrderNow> AskHubAsync(HubApi hub, ShopOrder order, CancellationToken stop)
    {
        try
        {
            var answer = await hub.GetAsync($"/api/orders/{Uri.EscapeDataString(order.Number)}", order.Language, stop);
            if (answer is not { IsSuccess: true, Body: { } body }) return OrderNow.Unknown;
            var fulfilment = body.GetProperty("fulfilment");
            return new OrderNow(
                fulfilment.GetProperty("method").GetString() == "ship_to_partner" ? Member(fulfilment, "name") ?? "the partner" : null,
                [.. body.GetProperty("bookings").EnumerateArray().Select(b => new BookingNow(Member(b, "partner")!, Member(b, "partner_name")!,
                    string.Join(" and ", b.GetProperty("services").EnumerateArray().Select(s => Member(s, "title"))), b.GetProperty("starts_at").GetDateTimeOffset()))]);
        }
        catch (HttpRequestException)
        {
            return OrderNow.Unknown;
        }
    }

    private static string? Member(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <param name="ShipsTo">The partner to whom the goods go, or null where they go home.</param>
    private sealed record OrderNow(string? ShipsTo, IReadOnlyList<BookingNow> Bookings)
    {
        public static readonly OrderNow Unknown = new(null, []);
    }

    private sealed record BookingNow(string Partner, string PartnerName, string Services, DateTimeOffset StartsAt);
}
