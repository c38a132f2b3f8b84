using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Federation.OpenIdConnect.Registration;

/// <summary>Reads what a client sends about itself and answers with what was registered (RFC 7591 §2, §3.2).</summary>
internal static class ClientMetadata
{
    private const int MaxBody = 64 * 1024;

    /// <summary>The request's JSON object; null where it is none, too large, or has a member twice.</summary>
    public static async Task<JsonElement?> ReadBodyAsync(HttpRequest request, CancellationToken stop)
    {
        if (!request.HasJsonContentType() || request.ContentLength > MaxBody) return null;
        var buffer = new byte[MaxBody + 1];
        var length = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop);
        return length <= MaxBody && StrictJson.TryReadObject(buffer.AsSpan(0, length), out var read) ? read : null;
    }

    /// <summary>The same checks as at the command line. Members that the hub does not know are left out, and the answer shows it (RFC 7591 §2).</summary>
    public static async Task<Result<OidcClient>> CheckAsync(JsonElement body, RegistrationPolicy policy, SectorIdentifier sectors, HubSettings settings, CancellationToken stop)
    {
        if (!OidcClientJson.Read(body.GetRawText(), settings.IsDevelopment, ignoreUnknown: true).TryGet(out var client, out var no)) return Fault(no.Errors ?? []);
        if (policy.FaultOf(client) is { } fault) return Fault([fault]);
        return await sectors.FaultAsync(client, stop) is { } wrong ? Fault([new("sector_identifier_uri", wrong)]) : client;
    }

    /// <summary>RFC 7591 §3.2.2: redirect URIs have an error of their own.</summary>
    private static Refusal Fault(IReadOnlyList<FieldError> errors) => OAuth.InvalidClientMetadata(
        errors.Count > 0 && errors.All(e => e.Field.StartsWith("redirect_uris", StringComparison.Ordinal)),
        string.Join(" ", errors.Select(e => e.Field.Length == 0 ? e.Message : $"{e.Field}: {e.Message}")));

    /// <param name="secret">A new secret, which is shown this once; null where it stays as it is or there is none.</param>
    public static IResult Answer(int status, Issuer issuer, string id, OidcClient client, DateTimeOffset registeredAt, string token, string? secret) =>
        new Registered(status, issuer, id, client, registeredAt, token, secret);

    private sealed class Registered(int status, Issuer issuer, string id, OidcClient client, DateTimeOffset registeredAt, string token, string? secret) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => JsonAnswer.WriteAsync(httpContext, status, this, static (json, self) => self.Write(json));

        private void Write(Utf8JsonWriter json)
        {
            json.WriteString("client_id", id);
            json.WriteNumber("client_id_issued_at", registeredAt.ToUnixTimeSeconds());
            if (secret is not null)
            {
                json.WriteString("client_secret", secret);
                json.WriteNumber("client_secret_expires_at", 0);
            }
            json.WriteString("registration_access_token", token);
            json.WriteString("registration_client_uri", issuer.Url(ClientRegistration.PathOf(id)));
            json.WriteString("scope", string.Join(' ', client.Scopes));
            foreach (var (name, value) in JsonSerializer.SerializeToNode(client, HubJson.Options)!.AsObject())
            {
                if (name is "scopes" || value is null or JsonArray { Count: 0 }) continue;
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }
    }
}
