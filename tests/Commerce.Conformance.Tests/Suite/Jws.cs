using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Commerce.Conformance.Tests.Suite;

/// <summary>JSON Web Signature in the compact form, as a relying party needs it. Written apart from the hub's own, so that one does not vouch for the other.</summary>
internal static class Jws
{
    public static JsonElement Header(string jwt) => Part(jwt, 0);
    public static JsonElement Claims(string jwt) => Part(jwt, 1);

    public static string Sign(IReadOnlyDictionary<string, object?> header, IReadOnlyDictionary<string, object?> claims, AsymmetricAlgorithm? key)
    {
        var signed = Encode(JsonSerializer.SerializeToUtf8Bytes(header)) + "." + Encode(JsonSerializer.SerializeToUtf8Bytes(claims));
        var bytes = Encoding.ASCII.GetBytes(signed);
        var signature = (key, header["alg"]) switch
        {
            (null, _) => [],
            (ECDsa ec, _) => ec.SignData(bytes, HashAlgorithmName.SHA256),
            (RSA rsa, "PS256") => rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
            (RSA rsa, _) => rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => throw new ArgumentException("Unknown kind of key."),
        };
        return signed + "." + Encode(signature);
    }

    /// <summary>Asserts that the key of the set that the header names made the signature, with the algorithm that was registered.</summary>
    public static void AssertSigned(string jwt, JsonElement jwks, string algorithm)
    {
        var header = Header(jwt);
        Assert.Equal(algorithm, header.GetProperty("alg").GetString());
        var kid = header.GetProperty("kid").GetString();
        var key = Assert.Single(jwks.GetProperty("keys").EnumerateArray(), k => k.GetProperty("kid").GetString() == kid);
        var dot = jwt.LastIndexOf('.');
        var (signed, signature) = (Encoding.ASCII.GetBytes(jwt[..dot]), Base64Url.DecodeFromChars(jwt.AsSpan(dot + 1)));
        byte[] Member(string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString()!);
        if (algorithm == "ES256")
        {
            using var ec = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Member("x"), Y = Member("y") } });
            Assert.True(ec.VerifyData(signed, signature, HashAlgorithmName.SHA256), "signature");
            return;
        }
        using var rsa = RSA.Create(new RSAParameters { Modulus = Member("n"), Exponent = Member("e") });
        Assert.True(rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1), "signature");
    }

    public static Dictionary<string, object?> PublicJwk(AsymmetricAlgorithm key, string? kid = null)
    {
        var jwk = new Dictionary<string, object?>();
        if (key is ECDsa ec)
        {
            var q = ec.ExportParameters(false).Q;
            (jwk["kty"], jwk["crv"], jwk["x"], jwk["y"]) = ("EC", "P-256", Encode(q.X!), Encode(q.Y!));
        }
        else
        {
            var numbers = ((RSA)key).ExportParameters(false);
            (jwk["kty"], jwk["n"], jwk["e"]) = ("RSA", Encode(numbers.Modulus!), Encode(numbers.Exponent!));
        }
        if (kid is not null) jwk["kid"] = kid;
        return jwk;
    }

    /// <summary>RFC 7638.</summary>
    public static string Thumbprint(AsymmetricAlgorithm key)
    {
        var jwk = new SortedDictionary<string, object?>(PublicJwk(key), StringComparer.Ordinal);
        return Encode(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(jwk)));
    }

    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    public static string Random(int bytes = 16) => Encode(RandomNumberGenerator.GetBytes(bytes));

    private static JsonElement Part(string jwt, int index) => JsonElement.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[index]));
}
