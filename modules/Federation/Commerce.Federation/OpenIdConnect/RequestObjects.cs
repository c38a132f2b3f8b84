using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// Opens signed requests (RFC 9101, OpenID Connect Core §6.1). What counts is inside: parameters beside the object are not looked at, save
/// the <c>client_id</c> that says whose keys to try (§5, §6.3).
/// </summary>
internal sealed class RequestObjects(Connections connections, ClientKeys clientKeys, Issuer issuer, TimeProvider clock, ILogger<RequestObjects> log)
{
    /// <summary>FAPI 2.0 Message Signing §5.3.1: an object is not older than this, and not good for longer.</summary>
    private static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(60);

    private static readonly string[] OfTheToken = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

    /// <summary>The parameters inside.</summary>
    public async Task<Result<Parameters>> OpenAsync(Parameters outer, CancellationToken stop)
    {
        if (outer["request_uri"] is not null) return OAuth.InvalidRequest("Send request or request_uri, not both.");
        if (await connections.FindAsync(outer["client_id"], stop) is not { IsActive: true, Oidc: { } oidc } client) return Refusals.AuthorizeClient;
        var text = outer["request"]!;
        // OpenID Connect Core §6.1 has unsigned objects; here they are not supported, which is an error of its own (B21).
        if (text.EndsWith('.')) return OAuth.RequestNotSupported;
        if (CompactJws.Read(text, out var fault) is not { } jws) return No(client, fault);
        var keys = AlgorithmPolicy.Narrow(await clientKeys.OfAsync(oidc, jws.KeyId, stop), oidc, oidc.RequestObjectSigningAlg);
        if (JwtGate.Verify(jws, JwtUse.RequestObject, keys, out fault) is not { } jwt) return No(client, fault);

        if (jwt.Claims.TryGetProperty("request", out _) || jwt.Claims.TryGetProperty("request_uri", out _)) return No(client, "an object inside the object");
        if (jwt.Claims.TryGetProperty("client_id", out _) && !jwt.Says("client_id", client.Id)) return No(client, "client_id");
        // §10.8: an assertion by which the client proves itself is no request, and this is how the two are told apart.
        if (jwt.Claims.Text("sub") == client.Id) return No(client, "sub");
        if (Unfit(jwt, client) is { } reason) return No(client, reason);
        return ReadParameters(jwt.Claims, client) is { } inner ? inner : No(client, "a member that is no parameter");
    }

    /// <summary>Issuer, audience and times. A client that is held to signed requests names them all; another's are checked where they are there.</summary>
    private string? Unfit(VerifiedJwt jwt, Connection client)
    {
        var strict = client.Oidc!.MustSignRequests;
        if ((strict || jwt.Claims.TryGetProperty("iss", out _)) && !jwt.Says("iss", client.Id)) return "iss";
        if ((strict || jwt.Claims.TryGetProperty("aud", out _)) && !jwt.Says("aud", issuer.Name)
            && jwt.Claims.Texts("aud")?.Contains(issuer.Name, StringComparer.Ordinal) != true) return "aud";
        var now = clock.GetUtcNow();
        if (!jwt.Claims.TryInstant("exp", out var ends) || !jwt.Claims.TryInstant("nbf", out var begins) || !jwt.Claims.TryInstant("iat", out var made)) return "time";
        if (ends is not null && now - JwtGate.Skew >= ends) return "expired";
        if (begins > now + JwtGate.Skew || made > now + JwtGate.Skew) return "not yet";
        if (!strict) return null;
        if (ends is null || begins is null) return "exp or nbf missing";
        return begins < now - LongestLife || ends.Value - begins.Value > LongestLife ? "lives too long" : null;
    }

    /// <summary>Texts as they are, numbers and JSON values as written (RFC 9101 §4). Null where a value could not have come as a parameter.</summary>
    private static Parameters? ReadParameters(JsonElement claims, Connection client)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal) { ["client_id"] = client.Id };
        foreach (var member in claims.EnumerateObject())
        {
            if (OfTheToken.Contains(member.Name)) continue;
            if (member.Value.ValueKind is JsonValueKind.Null) continue;
            if (member.Value.ValueKind != JsonValueKind.String) values[member.Name] = member.Value.GetRawText();
            else if (claims.TryText(member.Name, out var text) && text is not null) values[member.Name] = text;
            else return null;
        }
        return Parameters.Of(values);
    }

    private Refusal No(Connection client, string reason)
    {
        log.LogWarning("A request object of {Client} was refused: {Reason}.", client.Id, reason);
        return OAuth.InvalidRequestObject;
    }
}

/// <summary>Which of a client's keys count for one kind of message.</summary>
internal static class AlgorithmPolicy
{
    /// <param name="registered">The one algorithm that the client registered for it; null where any served one counts.</param>
    public static IEnumerable<VerificationKey> Narrow(IReadOnlyList<VerificationKey> keys, OidcClient client, string? registered)
    {
        if (registered is not null) return keys.Where(k => k.Algorithm == registered);
        // FAPI 2.0 Security Profile §5.4.1: PS256 and ES256; RS256 is not among them.
        return client.IsFapi ? keys.Where(k => k.Algorithm != "RS256") : keys;
    }
}
