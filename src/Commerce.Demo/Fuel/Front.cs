using Commerce.Demo.Sites;
using Commerce.PartnerKit;

namespace Commerce.Demo.Fuel;

internal static class Front
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", (HttpContext context, SiteSettings settings) =>
        FuelSite.Frame(settings).Page("Fuel, wash, charge", Html.Of($"""
            <h1>Warm coffee, full tank</h1>
            <p class="lead">Ninety stations from Hanko to Utsjoki: fuel, fast charging, car wash.</p>
            <div class="actions"><a class="main" href="/offer">See your offers</a>
              {Html.When(context.GetCommerceCustomer() is null, $"""<a class="second" href="{HopPaths.SignIn}?return=/offer">Sign in with {settings.Retailer}</a>""")}</div>
            <h2>At every station</h2>
            <div class="grid">
              <div class="card"><h2>Soft-brush wash</h2><p>With a rinse for wheels and wheel arches.</p></div>
              <div class="card"><h2>Tire pressure check</h2><p>Free, and we tell you what your new tires want.</p></div>
              <div class="card"><h2>Fast charging</h2><p>Up to 180 kW, pay by card.</p></div>
            </div>
            """)));
}
