using Commerce.Demo.Shop;
using Commerce.Demo.Sites;
using Commerce.PartnerKit;

namespace Commerce.Demo.Tires;

/// <summary>Kolari Auto: an independent tire fitter, a SAML 2.0 service provider of the hub.</summary>
internal static class TireSite
{
    public const string Name = "Kolari Auto";

    public static void Configure(CommerceHopOptions hop, string url, string hub)
    {
        hop.Protocol = HopProtocol.Saml;
        hop.Hub = hub;
        hop.BaseUrl = url;
        hop.AllowHttp = true;    // a demo on one machine
        hop.LandingPath = "/";
        hop.FailurePath = "/not-signed-in";
        hop.DisplayNames = new Dictionary<string, string> { ["en"] = Name, ["fi"] = Name, ["sv"] = Name, ["ko"] = Name };
    }

    public static WebApplication Build(SiteSettings settings) => Site.Build(settings, Style, builder =>
    {
        builder.Services.AddCommerceHop(hop =>
        {
            Configure(hop, settings.Url, settings.Hub);
            hop.ClientId = settings.Credentials.ClientId;
            hop.ClientSecret = settings.Credentials.ClientSecret;
        });
        builder.Services.AddSingleton(new JsonFile<Booking>(settings.Data, "bookings.json"));
    }).WithPages(Frame(settings), app =>
    {
        Home.Map(app);
        Book.Map(app);
    });

    public static SiteFrame Frame(SiteSettings settings) => new(
        Name, Mark, settings.Retailer, "Kolari Auto, Kolarintie 7, Vantaa. A demo workshop: nobody will wait for you there.", "/book", [new Html("""<a href="/book">Book</a>""")]);

    private static readonly Html Mark = new("""<img alt="" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='6' fill='%23f5b324'/%3E%3Cpath d='M9 6v20M10 17L22 6M13 15l10 11' stroke='%231d2733' stroke-width='4' fill='none'/%3E%3C/svg%3E">""");

    private const string Style = """
        :root { --accent: #8a4b00; --on-accent: #fff; --ink: #1d2733; --quiet: #525d69; --line: #dcd7cc; --paper: #fff; --ground: #faf7f0; --good: #17643a; --bad: #a4161a; --focus: #8a4b00; }
        header.top { background: #1d2733; color: #fff; border-bottom: 4px solid #f5b324; }
        header.top :focus-visible { outline-color: #f5b324; }
        .arrives { list-style: none; padding: 0; margin: 0; }
        .arrives li { padding: .35rem 0; font-weight: 600; }
        """;
}
