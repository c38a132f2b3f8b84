using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.AspNetCore.WebUtilities;
using Xunit;

namespace Commerce.Host.Tests.Journey;

internal sealed record Credentials(string Id, string Secret);

/// <summary>Shop, browser and both partners of one customer's journey. A step that got no answer is taken again after the restart.</summary>
internal sealed class Traveller(int customer, string origin, Credentials shop, Credentials fuel, Credentials fitter, ServiceProviderSide fitterSide, OneTimeThings once) : IDisposable
{
    private readonly HttpClient api = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(origin), Timeout = TimeSpan.FromSeconds(60) };
    private readonly TestBrowser browser = new(new Uri(origin));
    private readonly HashSet<string> unsure = [];
    private readonly string orderKey = Guid.NewGuid().ToString();
    private readonly List<string> mine = [];
    private string verifier = "", ticket = "", code = "", orderAnswer = "";
    private OutgoingAuthnRequest? request;
    private int step;

    public string OrderNumber { get; } = $"NT-2026-{customer:D4}";
    public bool IsDone => step == 8;

    /// <summary>What the hub acknowledged.</summary>
    public List<(string Hop, string Receipt)> Landed { get; } = [];
    public List<(string Key, string Hop, string Answer, bool OverSaml)> Booked { get; } = [];

    /// <summary>Takes the next step. Where the hub is gone in the middle of it, the step stays the next one.</summary>
    /// <exception cref="HubGoneException">The hub gave no whole answer.</exception>
    public async Task StepAsync()
    {
        try
        {
            step = await (step switch
            {
                0 => OrderAsync(),
                1 => HopAsync("new-tire-fuel", "fuel.example", "login_hint", 2),
                2 => AuthorizeAsync(),
                3 => RedeemAsync(),
                4 => BookAsync(overSaml: false),
                5 => HopAsync("tire-fitting", "fitter.example", "hop", 6),
                6 => SingleSignOnAsync(),
                7 => BookAsync(overSaml: true),
                _ => throw new InvalidOperationException("The journey is over."),
            });
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TaskCanceledException)
        {
            throw new HubGoneException(error);
        }
    }

    /// <summary>Everything of this journey that must happen once is sent again, and what was acknowledged is asked for again.</summary>
    public async Task RepeatAsync()
    {
        try
        {
            await once.ReplayAsync(mine);
            Assert.Equal(orderAnswer, await PostAsync("/api/orders", shop, orderKey, Registrations.Order(OrderNumber, customer)));
            foreach (var booking in Booked)
                Assert.Equal(booking.Answer, await PostAsync("/api/bookings", booking.OverSaml ? fitter : fuel, booking.Key, Registrations.Booking(booking.Hop)));
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TaskCanceledException)
        {
            throw new HubGoneException(error);
        }
    }

    private async Task<int> OrderAsync()
    {
        orderAnswer = await PostAsync("/api/orders", shop, orderKey, Registrations.Order(OrderNumber, customer));
        using var answer = JsonDocument.Parse(orderAnswer);
        Assert.Equal(2, answer.RootElement.GetProperty("offers").GetArrayLength());
        return 1;
    }

    // Through sign-in and sheet, as far as the hub asks for them, until the browser is sent to the partner.
    private async Task<int> HopAsync(string offer, string host, string parameter, int next)
    {
        var page = await browser.GetAsync($"/hop/{offer}?order={OrderNumber}");
        for (var i = 0; i < 12; i++)
        {
            if (page.RedirectsTo is { } to && to.Host == host)
            {
                ticket = QueryHelpers.ParseQuery(to.Query)[parameter].ToString();
                Assert.NotEmpty(ticket);
                (code, request) = ("", null);
                return next;
            }
            if (page.RedirectsTo is { } inside && inside.Authority == new Uri(origin).Authority) page = await browser.GetAsync(inside.AbsoluteUri);
            else if (page.Body.Contains("name=\"password\"", StringComparison.Ordinal))
                page = await browser.SubmitAsync(page, [new("email", Registrations.Email(customer)), new("password", Registrations.Password)], action: "/signin");
            else if (page.Body.Contains("name=\"decision\"", StringComparison.Ordinal)) page = await browser.SubmitAsync(page, [new("decision", "allow"), new("claims", "email")], action: "/hop/");
            else Assert.Fail($"Lost on {page.Address} with {(int)page.Status}: {page.Text}");
        }
        throw new InvalidOperationException("The hub sends the browser in circles.");
    }

    private async Task<int> AuthorizeAsync()
    {
        verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(48));
        var (hint, challenge) = (ticket, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))));
        var got = "";
        var yes = await SendOnceAsync($"ticket {hint}", async () =>
        {
            var page = await browser.GetAsync(QueryHelpers.AddQueryString("/connect/authorize", new Dictionary<string, string?>
            {
                ["client_id"] = fuel.Id, ["redirect_uri"] = Registrations.FuelCallback, ["response_type"] = "code", ["scope"] = "openid profile email vehicle purchase", ["state"] = "s",
                ["nonce"] = "n", ["code_challenge"] = challenge, ["code_challenge_method"] = "S256", ["login_hint"] = hint,
            }));
            Assert.Equal(HttpStatusCode.SeeOther, page.Status);
            Assert.StartsWith(Registrations.FuelCallback, page.RedirectsTo!.AbsoluteUri, StringComparison.Ordinal);
            var answer = QueryHelpers.ParseQuery(page.RedirectsTo.Query);
            if (!answer.TryGetValue("code", out var value)) Assert.Equal("access_denied", answer["error"].ToString());
            got = value.ToString();
            return got.Length > 0;
        });
        code = got;
        return yes ? 3 : 1;
    }

    private async Task<int> RedeemAsync()
    {
        var (redeemed, proof) = (code, verifier);
        var claims = default(JsonElement);
        var yes = await SendOnceAsync($"code {redeemed}", async () =>
        {
            using var answer = await TokenAsync(fuel, new()
            {
                ["grant_type"] = "authorization_code", ["code"] = redeemed, ["redirect_uri"] = Registrations.FuelCallback, ["code_verifier"] = proof,
            });
            if (answer.RootElement.TryGetProperty("error", out var error))
            {
                Assert.Equal("invalid_grant", error.GetString());
                return false;
            }
            claims = JsonDocument.Parse(Base64Url.DecodeFromChars(answer.RootElement.GetProperty("id_token").GetString()!.Split('.')[1])).RootElement;
            return true;
        });
        if (yes) Landed.Add((claims.GetProperty("hop").GetProperty("id").GetString()!, claims.GetProperty("consent_receipt").GetString()!));
        return yes ? 4 : 1;
    }

    private async Task<int> SingleSignOnAsync()
    {
        if (request is null)
        {
            using var metadata = new MemoryStream(await api.GetByteArrayAsync(new Uri("/saml/metadata", UriKind.Relative)));
            var hub = IdpMetadataReader.Read(metadata, null, requireHttps: false, TimeProvider.System).Value;
            request = fitterSide.CreateAuthnRequest(hub, new AuthnRequestOptions { HopTicket = ticket }).Value;
        }
        var (sent, assertion) = (request, "");
        var yes = await SendOnceAsync($"request {sent.Id}", async () =>
        {
            var page = await browser.GetAsync(sent.Url);
            var form = page.Forms().FirstOrDefault(f => f.Action == Registrations.FitterAcs);
            if (form is null) return false;      // refused on a page: the id has been seen
            var xml = Encoding.UTF8.GetString(Convert.FromBase64String(form.Hidden.Single(f => f.Key == "SAMLResponse").Value));
            assertion = xml;
            return xml.Contains("status:Success", StringComparison.Ordinal);
        });
        if (yes)
        {
            var hop = System.Text.RegularExpressions.Regex.Match(assertion, @"\{""id"":""([0-9a-f-]{36})""");
            if (!hop.Success) hop = System.Text.RegularExpressions.Regex.Match(WebUtility.HtmlDecode(assertion), @"\{""id"":""([0-9a-f-]{36})""");
            Assert.True(hop.Success, assertion);
            Landed.Add((hop.Groups[1].Value, ""));
        }
        return yes ? 7 : 5;
    }

    private async Task<int> BookAsync(bool overSaml)
    {
        var hop = Landed[^1].Hop;
        var key = $"{hop}-booking";
        Booked.Add((key, hop, await PostAsync("/api/bookings", overSaml ? fitter : fuel, key, Registrations.Booking(hop)), overSaml));
        return overSaml ? 8 : 5;
    }

    // A no is right only where an earlier try was cut off: then the hub may have used the thing up and not been able to say so.
    private async Task<bool> SendOnceAsync(string name, Func<Task<bool>> send)
    {
        var cutOff = !unsure.Add(name);
        if (!mine.Contains(name)) mine.Add(name);
        var yes = await once.SendAsync(name, send);
        Assert.True(yes || cutOff, $"The hub refused a fresh {name.Split(' ')[0]}.");
        return yes;
    }

    private async Task<string> PostAsync(string path, Credentials client, string key, string body)
    {
        using var token = await TokenAsync(client, new() { ["grant_type"] = "client_credentials", ["scope"] = path == "/api/orders" ? "orders:write" : "bookings:write" });
        using var post = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        post.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.RootElement.GetProperty("access_token").GetString());
        post.Headers.Add("Idempotency-Key", key);
        using var answer = await api.SendAsync(post);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{path} answered {(int)answer.StatusCode}: {text}");
        return text;
    }

    private async Task<JsonDocument> TokenAsync(Credentials client, Dictionary<string, string> fields)
    {
        using var post = new HttpRequestMessage(HttpMethod.Post, "/connect/token") { Content = new FormUrlEncodedContent(fields) };
        post.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{WebUtility.UrlEncode(client.Id)}:{WebUtility.UrlEncode(client.Secret)}")));
        using var answer = await api.SendAsync(post);
        Assert.True((int)answer.StatusCode < 500, $"The token endpoint answered {(int)answer.StatusCode}.");
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
    }

    public void Dispose()
    {
        api.Dispose();
        browser.Dispose();
    }
}

internal sealed class HubGoneException(Exception inner) : Exception("The hub is gone.", inner);
