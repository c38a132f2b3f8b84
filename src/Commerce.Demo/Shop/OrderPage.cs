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
            return frame.Page($"Order {order.Number}", Show(order, await FulfilmentAsync(hub, order, stop), paid is not null, hop, offer, settings));
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

    private static Html Show(ShopOrder order, Html fulfilment, bool paid, string? hop, string? offer, SiteSettings settings)
    {
        var denied = hop == "denied" ? order.Offers?.FirstOrDefault(o => o.Offer == offer) : null;
        var lines = Html.Join(order.Lines.Select(l => Html.Of($"""<li><span>{l.Quantity} × {l.Name}</span><span class="price">{Catalogue.Money(l.Quantity * l.Price)} €</span></li>""")));
        var offers = Html.Join((order.Offers ?? []).Select(o => Html.Of($"""
            <div class="card offer" lang="{order.Language}"><h3>{o.Title}</h3><p>{o.Body}</p>
              <div class="actions"><a class="main" href="{o.HopUrl}" data-offer="{o.Offer}">{Go(order.Language)}</a></div></div>
            """)));
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
            <h2>What you bought</h2>
            <div class="card"><ul class="plain">{lines}<li class="total"><span>Total with tax</span><span class="price">{Catalogue.Money(order.Total)} €</span></li></ul></div>
            <h2>Delivery</h2>
            <div class="card">{fulfilment}</div>
            """);
    }

    private static string Go(string language) => language switch { "fi" => "Jatka", "sv" => "Gå vidare", "ko" => "계속하기", _ => "Go on" };

    // Fulfilment is asked for each time: a partner's booking changes it.
    private static async Task<Html> FulfilmentAsync(HubApi hub, ShopOrder order, CancellationToken stop)
    {
        var address = order.Body.Fulfilment.Address;
        var home = Html.Of($"<p>Home delivery to {address.StreetAddress}, {address.PostalCode} {address.Locality}.</p>");
        HubAnswer answer;
        try
        {
            answer = await hub.GetAsync($"/api/orders/{Uri.EscapeDataString(order.Number)}", order.Language, stop);
        }
        catch (HttpRequestException)
        {
            return home;
        }
        if (answer is not { IsSuccess: true, Body: { } body } || !body.TryGetProperty("fulfilment", out var fulfilment)) return home;
        var where = fulfilment.GetProperty("method").GetString() != "ship_to_partner" ? home
            : Html.Of($"<p><strong>Ships to the fitter.</strong> The tires go straight to {Member(fulfilment, "name") ?? "the partner"}, so you need not carry them.</p>");
        return Html.Of($"{where}{Booked(body)}");
    }

    private static Html Booked(JsonElement order) => !order.TryGetProperty("bookings", out var bookings) ? Html.None : Html.Join(bookings.EnumerateArray().Select(b => Html.Of($"""
        <p class="booked"><strong>{Member(b, "partner_name")}</strong>: {string.Join(", ", b.GetProperty("services").EnumerateArray().Select(s => Member(s, "title")))},
        {Slots.Words(b.GetProperty("starts_at").GetDateTimeOffset())}.</p>
        """)));

    private static string? Member(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
