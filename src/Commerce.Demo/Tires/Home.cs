using Commerce.Demo.Sites;
using Commerce.PartnerKit;

namespace Commerce.Demo.Tires;

internal static class Home
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", (HttpContext context, SiteSettings settings) =>
        TireSite.Frame(settings).Page("Tires fitted while you wait", Html.Of($"""
            <h1>Tires fitted while you wait</h1>
            <p class="lead">Family workshop in Vantaa since 1978. Fitting, balancing, tire hotel, air conditioning.</p>
            <div class="actions"><a class="main" href="/book">Book a time</a>
              {Html.When(context.GetCommerceCustomer() is null, $"""<a class="second" href="{HopPaths.SignIn}?return=/book">Sign in with {settings.Retailer}</a>""")}</div>
            <h2>Services</h2>
            <div class="grid">
              <div class="card"><h2>Fitting and balancing</h2><p>Four tires, about 45 minutes.</p><p class="price">79.00 €</p></div>
              <div class="card"><h2>Air conditioning</h2><p>Check, refill and a new cabin filter, done at the same time.</p><p class="price">59.00 €</p></div>
              <div class="card"><h2>Tire hotel</h2><p>We wash and keep your other set until spring.</p><p class="price">69.00 €</p></div>
            </div>
            """)));
}
