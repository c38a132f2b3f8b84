using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Commerce.Federation.OpenIdConnect.Jose;

/// <summary>Public keys as JSON (RFC 7517): ours written, clients' read.</summary>
internal static class JsonWebKeys
{
    private const int MaxKeys = 16;
    private static readonly string[] PrivateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    /// <summary>Writes the public part. Private members are never read, so they cannot be written.</summary>
    public static void Write(Utf8JsonWriter json, string kid, string algorithm, AsymmetricAlgorithm key)
    {
        json.WriteStartObject();
        switch (key)
        {
            case ECDsa ec:
                var point = ec.ExportParameters(includePrivateParameters: false).Q;
                json.WriteString("kty", "EC");
                json.WriteString("crv", "P-256");
                json.WriteString("x", Base64Url.EncodeToString(point.X!));
                json.WriteString("y", Base64Url.EncodeToString(point.Y!));
                break;
            case RSA rsa:
                var numbers = rsa.ExportParameters(includePrivateParameters: false);
                json.WriteString("kty", "RSA");
                json.WriteString("n", Base64Url.EncodeToString(numbers.Modulus!));
                json.WriteString("e", Base64Url.EncodeToString(numbers.Exponent!));
                break;
            default:
                throw new NotSupportedException($"No JWK for {key.GetType().Name}.");
        }
        json.WriteString("use", "sig");
        json.WriteString("alg", algorithm);
        json.WriteString("kid", kid);
        json.WriteEndObject();
    }

    /// <summary>
    /// The keys of a set that can verify ES256, PS256 or RS256; an RSA key that names no algorithm stands there once for each of its two. Others are passed over (RFC 7517 §5): symmetric keys, encryption keys, RSA under
    /// 2048 bits, points off the curve.
    /// </summary>
    public static IReadOnlyList<VerificationKey> Read(JsonElement set)
    {
        var keys = new List<VerificationKey>();
        if (set.ValueKind != JsonValueKind.Object || !set.TryGetProperty("keys", out var list) || list.ValueKind != JsonValueKind.Array) return keys;
        foreach (var jwk in list.EnumerateArray().Take(MaxKeys))
        {
            if (jwk.ValueKind != JsonValueKind.Object || ReadOne(jwk) is not { } key) continue;
            keys.Add(key);
            if (key.Algorithm == "RS256" && jwk.Text("alg") is null) keys.Add(key with { Algorithm = "PS256" });
        }
        return keys;
    }

    /// <summary>One public key; null where it is none of ours to use. Private members make it unusable: a key that was sent around is no proof.</summary>
    public static VerificationKey? ReadOne(JsonElement jwk)
    {
        if (jwk.Text("use") is { } use && use != "sig") return null;
        if (PrivateMembers.Any(name => jwk.TryGetProperty(name, out _))) return null;
        var algorithm = jwk.Text("alg");
        try
        {
            return jwk.Text("kty") switch
            {
                "EC" when jwk.Text("crv") == "P-256" && algorithm is null or "ES256" =>
                    new VerificationKey(jwk.Text("kid"), "ES256", EllipticKey(Number(jwk, "x"), Number(jwk, "y"))),
                "RSA" when algorithm is null or "RS256" or "PS256" => RsaKey(Number(jwk, "n"), Number(jwk, "e")) is { } rsa
                    ? new VerificationKey(jwk.Text("kid"), algorithm ?? "RS256", rsa) : null,
                _ => null,
            };
        }
        catch (Exception error) when (error is CryptographicException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static byte[] Number(JsonElement jwk, string member) => Base64Url.DecodeFromChars(jwk.Text(member) ?? throw new FormatException(member));

    private static ECDsa EllipticKey(byte[] x, byte[] y)
    {
        if (x.Length != 32 || y.Length != 32) throw new FormatException("P-256 coordinates have 32 octets (RFC 7518 §6.2.1.2).");
        return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
    }

    private static RSA? RsaKey(byte[] modulus, byte[] exponent)
    {
        var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        if (rsa.KeySize is >= 2048 and <= 8192) return rsa;
        rsa.Dispose();
        return null;
    }
}
