using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Commerce.EndToEnd.Tests;

/// <summary>A till without a keyboard asks for a customer: she types its code into her own phone (RFC 8628).</summary>
public sealed class DeviceTests(DemoProcess demo)
{
    private const string DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

    private static readonly string[] Grants = [DeviceGrant];

    private static readonly object[] Claims = [new { name = "name", required = true, reason = "to greet you" }, new { name = "email", required = false, reason = "to send your receipt" }];

    [Theory]
    [InlineData(Screen.Desktop)]
    [InlineData(Screen.Phone)]
    public async Task A_customer_lets_a_till_know_who_she_is(Screen screen)
    {
        await using var visitor = await Visitor.ArriveAsync(demo, screen);
        await visitor.RegisterAsync();
        var page = visitor.Page;
        using var till = await AddTillAsync(screen);
        var device = await till.PostAsync("device_authorization_endpoint", new() { ["scope"] = "openid profile email" });

        await page.GotoAsync(device.GetProperty("verification_uri").GetString()!);
        await visitor.LookAsync("device code");
        await page.FillAsync("[name=user_code]", "BCDF-GHJK");
        await page.ClickAsync("main button[type=submit]");
        await Expect(page.Locator("[role=alert]")).ToBeVisibleAsync();
        await visitor.LookAsync("device wrong code");
        await page.FillAsync("[name=user_code]", device.GetProperty("user_code").GetString()!);
        await page.ClickAsync("main button[type=submit]");
        await Expect(page.Locator("main")).ToContainTextAsync("Eeva Mäkinen");
        await visitor.LookAsync("device consent sheet");
        await visitor.DecideAsync(allow: true, "email");
        await visitor.LookAsync("device done");

        var tokens = await till.PostAsync("token_endpoint", new() { ["grant_type"] = DeviceGrant, ["device_code"] = device.GetProperty("device_code").GetString()! });
        Assert.Equal(visitor.Email, (await till.UserInfoAsync(tokens.GetProperty("access_token").GetString()!)).GetProperty("email").GetString());
    }

    private async Task<Till> AddTillAsync(Screen screen)
    {
        var partner = $"till-{screen}".ToLowerInvariant();
        var purpose = new { id = "till", retention_days = 30, legal_basis = "consent", texts = new { en = "Serve you at the till" }, claims = Claims };
        var client = await demo.RunVerbAsync("partner", "add", "--oidc",
            demo.Write(partner + ".json", JsonSerializer.Serialize(new { client_name = "Till 7", grant_types = Grants, scope = "openid profile email", redirect_uris = Array.Empty<string>() })),
            "--contract", demo.Write(partner + "-contract.json", JsonSerializer.Serialize(new { partner, version = 1, purposes = new[] { purpose } })));
        return await Till.ConnectAsync(demo.Ready.Hub, client);
    }

    private sealed class Till(HttpClient http, JsonElement discovery) : IDisposable
    {
        public static async Task<Till> ConnectAsync(string hub, JsonElement client)
        {
            var http = new HttpClient();
            var credentials = $"{client.GetProperty("client_id").GetString()}:{client.GetProperty("secret").GetString()}";
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(credentials)));
            return new Till(http, await http.GetFromJsonAsync<JsonElement>(hub + "/.well-known/openid-configuration"));
        }

        public async Task<JsonElement> PostAsync(string endpoint, Dictionary<string, string> form)
        {
            using var content = new FormUrlEncodedContent(form);
            using var answer = await http.PostAsync(discovery.GetProperty(endpoint).GetString(), content);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, text);
            return JsonDocument.Parse(text).RootElement;
        }

        public async Task<JsonElement> UserInfoAsync(string token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, discovery.GetProperty("userinfo_endpoint").GetString()) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
            using var answer = await http.SendAsync(request);
            return await answer.Content.ReadFromJsonAsync<JsonElement>();
        }

        public void Dispose() => http.Dispose();
    }
}
