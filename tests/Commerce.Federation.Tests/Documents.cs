using System.Text.Json;
using System.Text.Json.Nodes;

namespace Commerce.Federation.Tests;

/// <summary>What an operator would write: client metadata, data contract, offer. Each can be edited before it is used.</summary>
internal static class Documents
{
    public static string Client(Action<JsonObject>? edit = null) => Edited(new
    {
        client_name = "Kolari Auto",
        redirect_uris = new[] { "https://fitter.example/callback" },
        grant_types = new[] { "authorization_code", "client_credentials" },
        token_endpoint_auth_method = "client_secret_basic",
        initiate_login_uri = "https://fitter.example/hop",
        policy_uri = "https://fitter.example/privacy",
        scope = "openid profile email phone vehicle purchase bookings:write",
    }, edit);

    public static string Shop(Action<JsonObject>? edit = null) => Edited(new
    {
        client_name = "Northern Tires shop",
        redirect_uris = new[] { "https://shop.example/callback" },
        grant_types = new[] { "authorization_code", "client_credentials" },
        scope = "openid profile email orders:write",
        client_uri = "https://shop.example/",
        hop_return_uri = "https://shop.example/thanks?from=hub",
    }, edit);

    public static string Contract(Action<JsonObject>? edit = null) => Edited(new
    {
        partner = "kolari-auto",
        version = 1,
        purposes = new[]
        {
            new
            {
                id = "book-fitting",
                retention_days = 90,
                legal_basis = "consent",
                texts = new { en = "Book a fitting and have the right parts ready", fi = "Asennusajan varaaminen" },
                claims = new object[]
                {
                    new { name = "name", required = true, reason = "to book in your name" },
                    new { name = "email", required = true, reason = "to confirm the appointment" },
                    new { name = "phone_number", required = false, reason = "to call you if something changes" },
                    new { name = "vehicle", required = true, reason = "to fit the right car" },
                    new { name = "purchase", required = true, reason = "to know which tires arrive" },
                },
            },
        },
    }, edit);

    public static string Offer(Action<JsonObject>? edit = null) => Edited(new
    {
        id = "tire-fitting",
        partner = "kolari-auto",
        when = new { category = "tires/*", banners = new[] { "*" }, countries = new[] { "FI" } },
        target_url = "https://fitter.example/book",
        purpose = "book-fitting",
        texts = new
        {
            en = new { title = "Book a fitting for your new tires", body = "Kolari Auto fits them." },
            fi = new { title = "Varaa renkaanvaihto" },
        },
    }, edit);

    private static string Edited<T>(T document, Action<JsonObject>? edit)
    {
        var node = JsonSerializer.SerializeToNode(document)!.AsObject();
        edit?.Invoke(node);
        return node.ToJsonString();
    }
}
