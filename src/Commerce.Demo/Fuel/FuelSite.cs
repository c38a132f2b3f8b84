using Commerce.Demo.Shop;
using Commerce.Demo.Sites;
using Commerce.PartnerKit;

namespace Commerce.Demo.Fuel;

/// <summary>Polar Fuel: a chain of filling stations, an OpenID Connect relying party of the hub.</summary>
internal static class FuelSite
{
    public const string Name = "Polar Fuel";

    public static WebApplication Build(SiteSettings settings) => Site.Build(settings, Style, builder =>
    {
        builder.Services.AddCommerceHop(hop =>
        {
            hop.Hub = settings.Hub;
            hop.BaseUrl = settings.Url;
            hop.AllowHttp = true;    // a demo on one machine
            hop.ClientId = settings.Credentials.ClientId;
            hop.ClientSecret = settings.Credentials.ClientSecret;
            hop.FailurePath = "/not-signed-in";
        });
        builder.Services.AddSingleton(new JsonFile<Visit>(settings.Data, "visits.json"));
    }).WithPages(Frame(settings), app =>
    {
        Front.Map(app);
        Offer.Map(app);
        MyData.Map(app);
    });

    public static SiteFrame Frame(SiteSettings settings) => new(
        Name, Mark, settings.Retailer, "Polar Fuel is a demo: there is no pump behind it.", "/offer",
        [new Html("""<a href="/offer">My offer</a>"""), new Html("""<a href="/my-data">My data</a>""")]);

    private static readonly Html Mark = new("""<img alt="" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M16 2c6 8 10 12 10 18a10 10 0 0 1-20 0C6 14 10 10 16 2z' fill='%230a5c8f'/%3E%3Cpath d='M16 13v12M10.800 16l10.400 6M21.200 16l-10.400 6' stroke='%23fff' stroke-width='2.200'/%3E%3C/svg%3E">""");

    private const string Style = """
        :root { --accent: #0a5c8f; --on-accent: #fff; --ink: #0f2433; --quiet: #4a5f6e; --line: #cfe0ea; --paper: #fff; --ground: #eef6fa; --good: #17643a; --bad: #a4161a; --focus: #0a5c8f; }
        header.top { background: #fff; border-bottom: 1px solid #cfe0ea; box-shadow: 0 4px 0 #7cc4e8; }
        .deal { background: #0a5c8f; color: #fff; border-color: #0a5c8f; }
        .deal .big { font-size: 2.2rem; font-weight: 800; line-height: 1.1; margin: 0 0 .4rem; }
        .deal p { max-width: none; }
        """;
}
