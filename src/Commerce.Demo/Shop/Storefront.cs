using Commerce.Demo.Sites;
using Commerce.PartnerKit;

namespace Commerce.Demo.Shop;

/// <summary>The product page.</summary>
internal static class Storefront
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", (HttpContext context, SiteSettings settings, IReadOnlyList<ShopCustomer> customers) =>
    {
        var known = Known(context.GetCommerceCustomer(), customers);
        var chosen = Catalogue.Tires.FirstOrDefault(t => t.TireSize == known?.TireSize) ?? Catalogue.Tires[0];
        var sizes = Html.Join(Catalogue.Tires.Select(t => Html.Of(
            $"""<option value="{t.Sku}"{(t == chosen ? new Html(" selected") : Html.None)}>{t.TireSize} · {Catalogue.Money(t.Price)} € each</option>""")));
        return ShopSite.Frame(settings).Page("Winter tires", Html.Of($"""
            {Html.When(context.GetCommerceCustomer() is not null, $"""<p class="lead">Hello, {context.GetCommerceCustomer()?.GivenName ?? context.GetCommerceCustomer()?.Name ?? "and welcome"}. {(known is null ? "" : $"Your {known.Make} {known.Model} takes {known.TireSize}.")}</p>""")}
            <div class="card product">
              {ShopSite.TirePicture}
              <div>
                <h1>Nordic winter tire</h1>
                <p class="lead">Quiet on wet roads, sure on ice. Friction tire without studs, made for northern winters.</p>
                <form method="get" action="/checkout">
                  <div class="field"><label for="tire">Size</label><select id="tire" name="tire">{sizes}</select></div>
                  <div class="field"><label for="tires">How many</label>
                    <select id="tires" name="tires"><option value="4" selected>4 tires</option><option value="2">2 tires</option></select></div>
                  <fieldset><legend>Goes well with it</legend>
                    <label class="pick"><input type="checkbox" name="mats" value="1" checked><span>{Catalogue.Mats.Name}<small>{Catalogue.Money(Catalogue.Mats.Price)} €</small></span></label></fieldset>
                  <button class="main">Go to checkout</button>
                </form>
              </div>
            </div>
            <div class="grid">
              <div class="card"><h2>Free delivery</h2><p>To your door, or straight to a fitter near you after the purchase.</p></div>
              <div class="card"><h2>One account</h2><p>Your {settings.Retailer} account works in all our stores. Partners get only what you agree to, each time.</p></div>
            </div>
            """));
    });

    /// <summary>What the shop itself knows about a customer: only by an address that the hub says is verified.</summary>
    public static ShopCustomer? Known(CommerceCustomer? customer, IReadOnlyList<ShopCustomer> customers) =>
        customer is { EmailVerified: true, Email: { } email } ? customers.FirstOrDefault(c => string.Equals(c.Email, email, StringComparison.OrdinalIgnoreCase)) : null;
}
