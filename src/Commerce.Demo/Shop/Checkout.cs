using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Demo.Sites;
using Commerce.PartnerKit;
using Microsoft.AspNetCore.Mvc;

namespace Commerce.Demo.Shop;

/// <summary>Takes the order, tells the hub, and shows the order page with what the hub offers for it.</summary>
internal static class Checkout
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/checkout", (string? tire, int? tires, string? mats, HttpContext context, SiteSettings settings, IReadOnlyList<ShopCustomer> customers) =>
        {
            var basket = Basket.Of(tire, tires, mats);
            var customer = context.GetCommerceCustomer();
            return Show(context, settings, basket, Storefront.Known(customer, customers), customer, null);
        });
        routes.MapPost("/checkout", async Task<IResult> ([FromForm] CheckoutForm form, HttpContext context, SiteSettings settings, JsonFile<ShopOrder> orders,
            IReadOnlyList<ShopCustomer> customers, HubApi hub, TimeProvider clock, CancellationToken stop) =>
        {
            var basket = Basket.Of(form.Tire, form.Tires, form.Mats);
            var customer = context.GetCommerceCustomer();
            if (form.Wrong() is { } wrong) return Show(context, settings, basket, form.AsKnown(), customer, wrong);
            var order = await PlaceAsync(orders, hub, Make(form, basket, clock.GetUtcNow(),
                Languages.First($"{customer?.Locale},{context.Request.Headers.AcceptLanguage}")), stop);
            OrderPage.Remember(context, order.Number);
            return new Go($"/orders/{order.Number}?paid=1");
        });
    }

    /// <summary>
    /// The order is kept before the hub is told, and the order number is the idempotency key: however often this is tried, the hub has it once.
    /// </summary>
    public static async Task<ShopOrder> PlaceAsync(JsonFile<ShopOrder> orders, HubApi hub, ShopOrder order, CancellationToken stop)
    {
        orders.Put(order.Number, order);
        try
        {
            var answer = await hub.PostAsync("/api/orders", order.Body, order.Number, order.Language, stop);
            if (answer is not { IsSuccess: true, Body: { } body }) return order;
            order = order with { Offers = [.. body.GetProperty("offers").EnumerateArray().Select(Offer)] };
            orders.Put(order.Number, order);
        }
        catch (HttpRequestException)
        {
            // The hub is away. The order page tries again.
        }
        return order;
    }

    private static ShopOffer Offer(JsonElement offer) => new(
        offer.GetProperty("offer").GetString()!, offer.GetProperty("partner").GetString()!, offer.GetProperty("title").GetString()!,
        offer.TryGetProperty("body", out var text) ? text.GetString() : null, offer.GetProperty("hop_url").GetString()!);

    private static ShopOrder Make(CheckoutForm form, Basket basket, DateTimeOffset now, string language)
    {
        var number = $"NT-{now.Year}-{RandomNumberGenerator.GetInt32(100_000_000):D8}";
        var lines = basket.Lines.Select((line, at) => new HubOrderLine(at + 1, line.Product.Gtin, line.Product.Sku, line.Product.Name, line.Product.Category,
            line.Quantity, Catalogue.Money(line.Product.Price), JsonSerializer.SerializeToElement(line.Product.Properties)));
        var body = new HubOrder(number, "northern-tires", new HubOrderCustomer(form.Email!.Trim()), now, "EUR", [.. lines],
            new HubOrderVehicle(form.Registration!.Trim(), form.Country!, Text(form.Make), Text(form.Model),
                int.TryParse(form.Year, NumberStyles.None, CultureInfo.InvariantCulture, out var year) ? year : null, basket.Tire.TireSize),
            new HubOrderFulfilment("home_delivery", new HubOrderAddress(form.Street!.Trim(), form.Postal!.Trim(), form.Locality!.Trim(), form.Country!)));
        return new ShopOrder(number, form.Email.Trim(), [.. basket.Lines.Select(l => new ShopLine(l.Product.Name, l.Quantity, l.Product.Price))],
            form.Registration.Trim(), language, body, null);
    }

    private static string? Text(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();

    private static SitePage Show(HttpContext context, SiteSettings settings, Basket basket, ShopCustomer? known, CommerceCustomer? customer, string? wrong)
    {
        var email = customer?.Email ?? known?.Email;
        var lines = Html.Join(basket.Lines.Select(l => Html.Of($"""<li><span>{l.Quantity} × {l.Product.Name}</span><span class="price">{Catalogue.Money(l.Quantity * l.Product.Price)} €</span></li>""")));
        var countries = Html.Join(new[] { ("FI", "Finland"), ("SE", "Sweden"), ("KR", "South Korea"), ("US", "United States") }.Select(c =>
            Html.Of($"""<option value="{c.Item1}"{(c.Item1 == (known?.Country ?? "FI") ? new Html(" selected") : Html.None)}>{c.Item2}</option>""")));
        return ShopSite.Frame(settings).Page("Checkout", Html.Of($"""
            <h1>Checkout</h1>
            {Html.When(wrong is not null, $"""<div class="note bad" role="alert"><p>{wrong}</p></div>""")}
            {Html.When(customer is null, $"""<div class="note"><p><a href="{HopPaths.SignIn}?return={Uri.EscapeDataString($"/checkout?tire={basket.Tire.Sku}&tires={basket.Tires}&mats={(basket.WithMats ? "1" : "")}")}">Sign in with {settings.Retailer}</a> to have this filled in, or go on as a guest.</p></div>""")}
            <form method="post" action="/checkout">
              {context.FormToken()}
              <input type="hidden" name="tire" value="{basket.Tire.Sku}"><input type="hidden" name="tires" value="{basket.Tires}"><input type="hidden" name="mats" value="{(basket.WithMats ? "1" : "")}">
              <div class="card"><h2>Your order</h2><ul class="plain">{lines}<li class="total"><span>Total with tax</span><span class="price">{Catalogue.Money(basket.Total)} €</span></li></ul></div>
              <div class="card"><h2>You</h2>
                <div class="field"><label for="email">E-mail</label><input id="email" name="email" type="email" autocomplete="email" required value="{email}"{(customer?.Email is null ? Html.None : new Html(" readonly"))}></div></div>
              <div class="card"><h2>Your car</h2>
                <div class="two">
                  <div class="field"><label for="registration">Registration</label><input id="registration" name="registration" type="text" required maxlength="16" value="{known?.Registration}"></div>
                  <div class="field"><label for="make">Make</label><input id="make" name="make" type="text" maxlength="40" value="{known?.Make}"></div>
                  <div class="field"><label for="model">Model</label><input id="model" name="model" type="text" maxlength="40" value="{known?.Model}"></div>
                  <div class="field"><label for="year">Year</label><input id="year" name="year" type="text" inputmode="numeric" maxlength="4" value="{known?.Year?.ToString(CultureInfo.InvariantCulture)}"></div>
                </div></div>
              <div class="card"><h2>Delivery</h2>
                <div class="two">
                  <div class="field"><label for="street">Street address</label><input id="street" name="street" type="text" autocomplete="street-address" required maxlength="100" value="{known?.StreetAddress}"></div>
                  <div class="field"><label for="postal">Postal code</label><input id="postal" name="postal" type="text" autocomplete="postal-code" required maxlength="12" value="{known?.PostalCode}"></div>
                  <div class="field"><label for="locality">Town</label><input id="locality" name="locality" type="text" autocomplete="address-level2" required maxlength="60" value="{known?.Locality}"></div>
                  <div class="field"><label for="country">Country</label><select id="country" name="country" autocomplete="country">{countries}</select></div>
                </div></div>
              <div class="actions"><button class="main">Pay {Catalogue.Money(basket.Total)} €</button><span class="quiet">A demo: no card is charged.</span></div>
            </form>
            """), wrong is null ? 200 : 422);
    }
}

/// <summary>Field by field what the checkout form posts.</summary>
internal sealed record CheckoutForm(
    string? Tire, int? Tires, string? Mats, string? Email, string? Registration, string? Make, string? Model, string? Year,
    string? Street, string? Postal, string? Locality, string? Country)
{
    public string? Wrong()
    {
        if (string.IsNullOrWhiteSpace(Email) || Email.Length > 254 || Email.Count(c => c == '@') != 1) return "Please give an e-mail address.";
        if (string.IsNullOrWhiteSpace(Registration) || Registration.Length > 16) return "Please give your car's registration.";
        if (new[] { Street, Postal, Locality }.Any(string.IsNullOrWhiteSpace)) return "Please give the delivery address.";
        return Country is "FI" or "SE" or "KR" or "US" ? null : "Please choose a country.";
    }

    public ShopCustomer AsKnown() => new(Email ?? "", Registration ?? "", Country ?? "FI", Make, Model,
        int.TryParse(Year, NumberStyles.None, CultureInfo.InvariantCulture, out var year) ? year : null, null, Street ?? "", Postal ?? "", Locality ?? "");
}

/// <summary>What is bought. Prices come from the catalogue, never from the form.</summary>
internal sealed record Basket(Product Tire, int Tires, bool WithMats)
{
    public IReadOnlyList<(Product Product, int Quantity)> Lines => WithMats ? [(Tire, Tires), (Catalogue.Mats, 1)] : [(Tire, Tires)];

    public decimal Total => Lines.Sum(l => l.Quantity * l.Product.Price);

    public static Basket Of(string? sku, int? tires, string? mats) =>
        new(Catalogue.Tires.FirstOrDefault(t => t.Sku == sku) ?? Catalogue.Tires[0], tires is 2 ? 2 : 4, mats == "1");
}

internal static class Languages
{
    /// <summary>The first of some language tags, such as those of an Accept-Language header, that the hub speaks.</summary>
    public static string First(string header) => header.Split(',').Select(part => part.Trim())
        .Where(part => part.Length >= 2).Select(part => part[..2].ToLowerInvariant()).FirstOrDefault(code => code is "en" or "fi" or "sv" or "ko") ?? "en";
}
