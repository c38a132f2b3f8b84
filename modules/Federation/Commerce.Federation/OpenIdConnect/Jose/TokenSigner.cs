using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Commerce.Kernel.Secrets;

namespace Commerce.Federation.OpenIdConnect.Jose;

/// <summary>Signs what the OpenID provider issues, and knows the keys by which it knows its own tokens again.</summary>
internal sealed class TokenSigner(SigningKeys keys, OwnTokens own)
{
    public static readonly KeyPurpose Es256 = new("oidc-es256", "ES256");
    public static readonly KeyPurpose Rs256 = new("oidc-rs256", "RS256");

    /// <summary>Value of <c>typ</c> of access tokens (RFC 9068 §2.1). Hand this very text to <see cref="Sign"/>.</summary>
    public const string AccessTokenType = "at+jwt";

    /// <summary>A key of its own: what verifies one RSA padding must not verify the other (RFC 8725 §3.1).</summary>
    public static readonly KeyPurpose Ps256 = new("oidc-ps256", "PS256");

    /// <summary>Algorithms that clients may register for ID tokens and signed userinfo. The first is the default (OpenID Connect Core §15.1).</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["RS256", "PS256", "ES256"];

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // The encoded header is the same for every token of a key and type: about 70 characters, built once.
    private readonly ConcurrentDictionary<(string Kid, string Type), string> headers = new();

    /// <param name="algorithm"><c>ES256</c>, <c>PS256</c> or <c>RS256</c>.</param>
    /// <param name="type">Value of <c>typ</c>: one per kind of token.</param>
    /// <param name="state">Handed to <paramref name="claims"/>, which writes the members of the payload.</param>
    public string Sign<TState>(string algorithm, string type, TState state, Action<Utf8JsonWriter, TState> claims)
    {
        var key = keys.ActiveOf(PurposeOf(algorithm));
        var header = headers.GetOrAdd((key.Kid, type), static (id, alg) =>
            Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new { alg, typ = id.Type, kid = id.Kid }, Relaxed)), key.Algorithm);

        var payload = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(payload, Compact))
        {
            json.WriteStartObject();
            claims(json, state);
            json.WriteEndObject();
        }

        var signedLength = header.Length + 1 + Base64Url.GetEncodedLength(payload.WrittenCount);
        var buffer = ArrayPool<byte>.Shared.Rent(signedLength + 1 + 700);
        try
        {
            Encoding.ASCII.GetBytes(header, buffer);
            buffer[header.Length] = (byte)'.';
            Base64Url.EncodeToUtf8(payload.WrittenSpan, buffer.AsSpan(header.Length + 1));
            Span<byte> signature = stackalloc byte[512];
            var written = key.Key switch
            {
                ECDsa ec => ec.SignData(buffer.AsSpan(0, signedLength), signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                RSA rsa when key.Algorithm == "PS256" =>
                    rsa.SignData(buffer.AsSpan(0, signedLength), signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
                RSA rsa => rsa.SignData(buffer.AsSpan(0, signedLength), signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                _ => throw new NotSupportedException($"No signer for {key.Algorithm}."),
            };
            buffer[signedLength] = (byte)'.';
            var encoded = Base64Url.EncodeToUtf8(signature[..written], buffer.AsSpan(signedLength + 1));
            if (ReferenceEquals(type, AccessTokenType)) own.Remember(buffer.AsSpan(0, signedLength + 1 + encoded), key.Kid, payload.WrittenSpan);
            return Encoding.ASCII.GetString(buffer, 0, signedLength + 1 + encoded);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Every key that our own tokens may carry: of all algorithms, retired ones included.</summary>
    public IEnumerable<VerificationKey> OwnKeys() => Published().Select(AsVerification);

    /// <summary>The keys that access tokens may carry: ES256 always.</summary>
    public IEnumerable<VerificationKey> AccessTokenKeys() => keys.PublishedOf(Es256.Name).Select(AsVerification);

    /// <summary>An access token of ours, whose key is still published; null for anything else.</summary>
    public VerifiedJwt? OpenAccessToken(string token)
    {
        var published = keys.PublishedOf(Es256.Name);
        if (own.Find(token) is { } known && published.Any(k => string.Equals(k.Kid, known.KeyId, StringComparison.Ordinal))) return known;
        return JwtGate.Open(token, JwtUse.AccessToken, published.Select(AsVerification), out _);
    }

    /// <summary>What <c>jwks_uri</c> answers.</summary>
    public void WritePublished(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("keys");
        foreach (var key in Published()) JsonWebKeys.Write(json, key.Kid, key.Algorithm, key.Key);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Left half of the SHA-256 of an access token or code, base64url (OpenID Connect Core §3.1.3.6). All our algorithms use SHA-256.</summary>
    public static string HalfHash(string token)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.ASCII.GetBytes(token), hash);
        return Base64Url.EncodeToString(hash[..16]);
    }

    private IEnumerable<SigningKey> Published() => keys.PublishedOf(Es256.Name).Concat(keys.PublishedOf(Rs256.Name)).Concat(keys.PublishedOf(Ps256.Name));

    private static string PurposeOf(string algorithm) => algorithm switch
    {
        "ES256" => Es256.Name,
        "PS256" => Ps256.Name,
        "RS256" => Rs256.Name,
        _ => throw new NotSupportedException($"No key signs {algorithm}."),
    };

    private static VerificationKey AsVerification(SigningKey key) => new(key.Kid, key.Algorithm, key.Key);

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
