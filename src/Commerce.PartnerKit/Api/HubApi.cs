using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Commerce.PartnerKit;

/// <summary>The hub's API, called by this site in its own name (OAuth client credentials), not in a customer's.</summary>
/// <remarks>The access token is fetched when first needed and kept until shortly before it ends. Safe for concurrent use.</remarks>
public sealed class HubApi : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly CommerceHopOptions options;
    private readonly TokenEndpoint tokens;
    private readonly IHttpClientFactory clients;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim fetching = new(1, 1);
    private AccessToken? current;

    internal HubApi(CommerceHopOptions options, TokenEndpoint tokens, IHttpClientFactory clients, TimeProvider clock) =>
        (this.options, this.tokens, this.clients, this.clock) = (options, tokens, clients, clock);

    /// <summary>Tells the hub about a booking, so that the shop can send the goods here and the customer sees it on their timeline.</summary>
    /// <param name="booking">What was booked.</param>
    /// <param name="idempotencyKey">The same for every attempt at this booking; your own booking number is a good one.</param>
    /// <exception cref="HttpRequestException">The hub cannot be reached. Try again later with the same key.</exception>
    public Task<HubAnswer> PostBookingAsync(HubBooking booking, string idempotencyKey, CancellationToken stop = default) =>
        PostAsync("/api/bookings", booking, idempotencyKey, null, stop);

    /// <summary>Posts a JSON body to the hub's API. Properties are written in snake_case.</summary>
    /// <param name="path">Begins with a slash, such as <c>/api/orders</c>.</param>
    /// <param name="idempotencyKey">A repeated post with the same key and body gets the first answer again and does nothing twice.</param>
    /// <param name="language">BCP 47 tag for texts in the answer, or null.</param>
    public Task<HubAnswer> PostAsync(string path, object body, string idempotencyKey, string? language = null, CancellationToken stop = default) => SendAsync(() =>
    {
        var request = new HttpRequestMessage(HttpMethod.Post, options.Hub + path) { Content = JsonContent.Create(body, body.GetType(), options: Json) };
        request.Headers.Add("Idempotency-Key", idempotencyKey);
        if (language is not null) request.Headers.AcceptLanguage.ParseAdd(language);
        return request;
    }, stop);

    /// <summary>Reads from the hub's API.</summary>
    public Task<HubAnswer> GetAsync(string path, string? language = null, CancellationToken stop = default) => SendAsync(() =>
    {
        var request = new HttpRequestMessage(HttpMethod.Get, options.Hub + path);
        if (language is not null) request.Headers.AcceptLanguage.ParseAdd(language);
        return request;
    }, stop);

    void IDisposable.Dispose() => fetching.Dispose();

    private async Task<HubAnswer> SendAsync(Func<HttpRequestMessage> make, CancellationToken stop)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var request = make();
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(fresh: attempt > 0, stop));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var answer = await clients.CreateClient(CommerceHop.HubClient).SendAsync(request, stop);
            if (answer.StatusCode == HttpStatusCode.Unauthorized && attempt == 0) continue;    // revoked before its time: one new token
            return await HubAnswer.ReadAsync(answer, stop);
        }
    }

    private async Task<string> TokenAsync(bool fresh, CancellationToken stop)
    {
        if (options.ClientId is null) throw new InvalidOperationException("The API needs a ClientId and ClientSecret in AddCommerceHop.");
        var known = Volatile.Read(ref current);
        if (!fresh && known is not null && known.Until > clock.GetUtcNow()) return known.Value;
        await fetching.WaitAsync(stop);
        try
        {
            if (current is { } other && other != known && other.Until > clock.GetUtcNow()) return other.Value;
            var answer = await tokens.RequestAsync(
                [new("grant_type", "client_credentials"), new("scope", string.Join(' ', options.ApiScopes))], stop);
            if (answer.AccessToken is not { Length: > 0 } value)
                throw new HttpRequestException($"The hub gave no access token: {answer.Error ?? "no reason"}. Check ClientId, ClientSecret and ApiScopes.");
            var seconds = int.TryParse(answer.ExpiresIn, System.Globalization.CultureInfo.InvariantCulture, out var told) ? told : 60;
            current = new AccessToken(value, clock.GetUtcNow() + TimeSpan.FromSeconds(Math.Max(0, seconds - 10)));
            return value;
        }
        finally
        {
            fetching.Release();
        }
    }

    private sealed record AccessToken(string Value, DateTimeOffset Until);
}

/// <summary>What the hub's API answered.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">The JSON body, or null where there was none.</param>
public sealed record HubAnswer(int Status, JsonElement? Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>The stable code of a refusal (<c>code</c> of problem+json, RFC 9457), or null.</summary>
    public string? RefusalCode => Text("code");

    /// <summary>The refusal in a sentence, or null.</summary>
    public string? Message => Text("detail") ?? Text("title");

    /// <summary>A text member of the body, or null.</summary>
    public string? Text(string member) =>
        Body is { ValueKind: JsonValueKind.Object } body && body.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    internal static async Task<HubAnswer> ReadAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        var text = await answer.Content.ReadAsStringAsync(stop);
        try
        {
            using var json = JsonDocument.Parse(text, StrictJson.Document);
            return new HubAnswer((int)answer.StatusCode, json.RootElement.Clone());
        }
        catch (JsonException)
        {
            return new HubAnswer((int)answer.StatusCode, null);
        }
    }
}
