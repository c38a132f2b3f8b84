using Commerce.Demo.Sites;
using Commerce.PartnerKit;

namespace Commerce.Demo.Shop;

/// <summary>The storefront: one of the retailer's own brands, and an ordinary client of the hub.</summary>
internal static class ShopSite
{
    public static WebApplication Build(SiteSettings settings, IReadOnlyList<ShopCustomer> customers) => Site.Build(settings, Style, builder =>
    {
        builder.Services.AddCommerceHop(hop =>
        {
            hop.Hub = settings.Hub;
            hop.BaseUrl = settings.Url;
            hop.AllowHttp = true;    // a demo on one machine
            hop.ClientId = settings.Credentials.ClientId;
            hop.ClientSecret = settings.Credentials.ClientSecret;
            hop.Scopes = ["openid", "profile", "email", "phone", "address"];
            hop.ApiScopes = ["orders:write"];
            hop.FailurePath = "/not-signed-in";
        });
        builder.Services.AddSingleton(new JsonFile<ShopOrder>(settings.Data, "orders.json"));
        builder.Services.AddSingleton(customers);
    }).WithPages(Frame(settings), app =>
    {
        Storefront.Map(app);
        Checkout.Map(app);
        OrderPage.Map(app);
    });

    /// <summary>Adds the pages and the one for a sign-in that did not complete.</summary>
    public static WebApplication WithPages(this WebApplication app, SiteFrame frame, Action<WebApplication> map)
    {
        app.MapGet("/not-signed-in", (string? reason) => frame.NotSignedIn(reason));
        map(app);
        app.MapFallback(() => frame.Page("Not here", Html.Of($"""<h1>There is nothing here</h1><p><a href="/">Go to the front page</a></p>"""), 404));
        return app;
    }

    public static SiteFrame Frame(SiteSettings settings) => new(
        "Northern Tires", Mark, settings.Retailer, "Northern Tires is a demo shop. Nothing is sold and no card is charged.", "/", []);

    private static readonly Html Mark = new("""<img alt="" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Ccircle cx='16' cy='16' r='11' fill='none' stroke='%230b5d3b' stroke-width='7'/%3E%3Ccircle cx='16' cy='16' r='15' fill='none' stroke='%230b5d3b' stroke-width='2' stroke-dasharray='2.6 2.1'/%3E%3C/svg%3E">""");

    public static readonly Html TirePicture = new("""<img class="picture" alt="" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 200 200'%3E%3Ccircle cx='100' cy='100' r='92' fill='none' stroke='%23242a30' stroke-width='8' stroke-dasharray='9 5.45'/%3E%3Ccircle cx='100' cy='100' r='76' fill='none' stroke='%23242a30' stroke-width='30'/%3E%3Ccircle cx='100' cy='100' r='69' fill='none' stroke='%23424b54' stroke-width='2'/%3E%3Ccircle cx='100' cy='100' r='58' fill='%23d3dae0'/%3E%3Cg stroke='%238b97a2' stroke-width='11'%3E%3Cpath d='M100 100V48M100 100l49.500-16.100M100 100l30.600 42.100M100 100l-30.600 42.100M100 100l-49.500-16.100'/%3E%3C/g%3E%3Ccircle cx='100' cy='100' r='15' fill='%23f4f6f8' stroke='%238b97a2' stroke-width='4'/%3E%3C/svg%3E">""");

    private const string Style = """
        :root { --accent: #0b5d3b; --on-accent: #fff; --ink: #17201b; --quiet: #4f5d55; --line: #d6ded9; --paper: #fff; --ground: #f4f7f5; --good: #17643a; --bad: #a4161a; --focus: #0b5d3b; }
        header.top { background: #fff; border-bottom: 4px solid #0b5d3b; }
        .product { display: grid; grid-template-columns: minmax(7rem, 13rem) 1fr; gap: 1.5rem; align-items: center; }
        .picture { width: 100%; height: auto; display: block; }
        .offer { display: flex; flex-direction: column; gap: .35rem; }
        .offer h3 { margin: 0; font-size: 1.1rem; }
        .offer p { margin: 0; }
        .offer .actions { margin-top: auto; padding-top: .8rem; }
        .booked { font-weight: 650; color: var(--good); }
        @media (max-width: 34rem) { .product { grid-template-columns: 1fr; } .picture { max-width: 11rem; margin: 0 auto; } }
        """;
}
