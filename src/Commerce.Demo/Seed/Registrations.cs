using System.Text.Json;

namespace Commerce.Demo.Seed;

/// <summary>What an operator would hand to <c>partner add</c> and <c>offer add</c>: client metadata, data contracts, offers.</summary>
internal static class Registrations
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly string[] Any = ["*"];

    /// <summary>The shop is the retailer's own: what it needs to sell, it gets under the purchase contract and without a sheet.</summary>
    public static string Shop(string url) => Client("Northern Tires", url, "openid profile email phone address orders:write", extra: new()
    {
        ["hop_return_uri"] = url + "/hop-return",
    });

    public static string Fuel(string url) => Client("Polar Fuel", url, "openid profile email phone vehicle purchase bookings:write", extra: new()
    {
        ["initiate_login_uri"] = url + "/signin/hop",
    });

    private static string Client(string name, string url, string scope, Dictionary<string, object> extra)
    {
        var metadata = new Dictionary<string, object>(extra)
        {
            ["client_name"] = name,
            ["client_uri"] = url + "/",
            ["redirect_uris"] = new[] { url + "/signin/oidc" },
            ["post_logout_redirect_uris"] = new[] { url + "/signout/done" },
            ["backchannel_logout_uri"] = url + "/signout/backchannel",
            ["backchannel_logout_session_required"] = true,
            ["grant_types"] = new[] { "authorization_code", "client_credentials" },
            ["response_types"] = new[] { "code" },
            ["token_endpoint_auth_method"] = "client_secret_basic",
            ["id_token_signed_response_alg"] = "ES256",
            ["userinfo_signed_response_alg"] = "ES256",
            ["scope"] = scope,
        };
        return JsonSerializer.Serialize(metadata);
    }

    public static string ShopContract => Contract("northern-tires",
        Purpose("sign-in", 3650, "contract",
            Texts("Shop with your account", "Asioi omalla tililläsi", "Handla med ditt konto", "계정으로 쇼핑"),
            Claim("name", true, "to address you", "jotta osaamme puhutella sinua", "för att tilltala dig", "고객님을 부르기 위해"),
            Claim("email", true, "to send your receipt", "kuitin lähettämiseen", "för att skicka kvittot", "영수증을 보내기 위해"),
            Claim("phone_number", false, "to reach you about a delivery", "toimituksesta ilmoittamiseen", "för att nå dig om leveransen", "배송 연락을 위해"),
            Claim("locale", false, "to speak your language", "jotta puhumme kieltäsi", "för att tala ditt språk", "고객님의 언어로 안내하기 위해"),
            Claim("address", false, "to deliver your order", "tilauksen toimittamiseen", "för att leverera din beställning", "주문을 배송하기 위해")));

    public static string TiresContract => Contract("kolari-auto",
        Purpose("book-fitting", 90, "consent",
            Texts("Book a fitting and have the right parts ready", "Asennusajan varaaminen ja oikeiden osien varaaminen",
                "Boka montering och ha rätt delar redo", "장착 예약과 부품 준비"),
            Claim("name", true, "to book in your name", "varaukseen sinun nimelläsi", "för att boka i ditt namn", "고객님 이름으로 예약하기 위해"),
            Claim("email", true, "to confirm the appointment", "ajan vahvistamiseen", "för att bekräfta tiden", "예약을 확인해 드리기 위해"),
            Claim("phone_number", false, "to call you if something changes", "jos jokin muuttuu", "för att ringa om något ändras", "변경 시 연락드리기 위해"),
            Claim("vehicle", true, "to fit the right car", "oikean auton varaamiseen", "för att montera på rätt bil", "맞는 차량에 장착하기 위해"),
            Claim("purchase", true, "to know which tires arrive", "jotta tiedämme, mitkä renkaat saapuvat", "för att veta vilka däck som kommer", "어떤 타이어가 오는지 알기 위해")),
        SignIn("Kolari Auto"));

    public static string FuelContract => Contract("polar-fuel",
        Purpose("new-tire-offer", 30, "consent",
            Texts("Give you the offer that comes with your new tires", "Uusiin renkaisiisi kuuluvan edun antaminen",
                "Ge dig erbjudandet som hör till dina nya däck", "새 타이어에 따르는 혜택 제공"),
            Claim("name", true, "to greet you and book in your name", "varaukseen sinun nimelläsi", "för att boka i ditt namn", "고객님 이름으로 예약하기 위해"),
            Claim("email", false, "to send the offer to you as well", "edun lähettämiseen myös sinulle", "för att även skicka erbjudandet", "혜택을 이메일로도 보내 드리기 위해"),
            Claim("vehicle", true, "to know your car at the gate", "jotta tunnistamme auton portilla", "för att känna igen bilen vid grinden", "입구에서 차량을 알아보기 위해"),
            Claim("purchase", true, "to see that the offer is yours", "jotta näemme edun kuuluvan sinulle", "för att se att erbjudandet är ditt", "혜택 대상인지 확인하기 위해")),
        SignIn("Polar Fuel"));

    public static string FittingOffer(string url) => Offer("tire-fitting", "kolari-auto", url + "/book", "book-fitting", new()
    {
        ["en"] = new { title = "Book a fitting for your new tires", body = "Kolari Auto fits them; we ship them there." },
        ["fi"] = new { title = "Varaa renkaanvaihto uusille renkaillesi", body = "Kolari Auto asentaa; me toimitamme renkaat sinne." },
        ["sv"] = new { title = "Boka montering av dina nya däck", body = "Kolari Auto monterar; vi skickar däcken dit." },
        ["ko"] = new { title = "새 타이어 장착 예약", body = "Kolari Auto에서 장착하고, 타이어는 저희가 보내 드립니다." },
    });

    public static string FuelOffer(string url) => Offer("wash-and-fuel", "polar-fuel", url + "/offer", "new-tire-offer", new()
    {
        ["en"] = new { title = "10 cents off a litre for 30 days", body = "Polar Fuel thanks you for winter tires, with a free wash on top." },
        ["fi"] = new { title = "10 senttiä alennusta litralta 30 päivän ajan", body = "Polar Fuel kiittää talvirenkaista ja tarjoaa pesun kaupan päälle." },
        ["sv"] = new { title = "10 cent rabatt per liter i 30 dagar", body = "Polar Fuel tackar för vinterdäcken och bjuder på en tvätt." },
        ["ko"] = new { title = "30일간 리터당 10센트 할인", body = "Polar Fuel이 겨울 타이어 구매에 감사드리며 무료 세차도 드립니다." },
    });

    private static object SignIn(string partner) => Purpose("sign-in", 90, "consent",
        Texts($"Sign you in at {partner}", $"Kirjautuminen palveluun {partner}", $"Logga in hos {partner}", $"{partner} 로그인"),
        Claim("name", true, "to greet you", "tervehtimiseen", "för att hälsa dig", "인사드리기 위해"),
        Claim("email", false, "to find what you booked before", "aiempien varaustesi löytämiseen", "för att hitta tidigare bokningar", "이전 예약을 찾기 위해"));

    private static string Contract(string partner, params object[] purposes) => JsonSerializer.Serialize(new { partner, version = 1, purposes }, Json);

    private static object Purpose(string id, int retentionDays, string legalBasis, Dictionary<string, string> texts, params object[] claims) =>
        new { id, retentionDays, legalBasis, texts, claims };

    private static object Claim(string name, bool required, string en, string fi, string sv, string ko) => new { name, required, reason = Texts(en, fi, sv, ko) };

    private static Dictionary<string, string> Texts(string en, string fi, string sv, string ko) => new() { ["en"] = en, ["fi"] = fi, ["sv"] = sv, ["ko"] = ko };

    private static string Offer(string id, string partner, string targetUrl, string purpose, Dictionary<string, object> texts) => JsonSerializer.Serialize(new
    {
        id, partner, when = new { category = "tires/*", banners = Any, countries = Any }, targetUrl, purpose, texts,
    }, Json);
}
