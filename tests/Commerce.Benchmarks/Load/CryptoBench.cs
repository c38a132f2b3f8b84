using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;

namespace Commerce.Benchmarks.Load;

/// <summary>What one core can sign and check in .NET: the ceiling under any token server built on it.</summary>
public static class CryptoBench
{
    public static void Run(int repeats, double seconds)
    {
        using var rsa = RSA.Create(2048);
        using var rsa3072 = RSA.Create(3072);
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var data = RandomNumberGenerator.GetBytes(600);
        var rsaSignature = rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var ecSignature = ec.SignData(data, HashAlgorithmName.SHA256);

        Measure("RSA-2048 PKCS#1 SHA-256 sign", repeats, seconds, () => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        Measure("RSA-2048 PSS SHA-256 sign", repeats, seconds, () => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        Measure("RSA-3072 PKCS#1 SHA-256 sign", repeats, seconds, () => rsa3072.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        Measure("ECDSA P-256 SHA-256 sign", repeats, seconds, () => ec.SignData(data, HashAlgorithmName.SHA256));
        Measure("RSA-2048 PKCS#1 SHA-256 verify", repeats, seconds, () => rsa.VerifyData(data, rsaSignature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        Measure("ECDSA P-256 SHA-256 verify", repeats, seconds, () => ec.VerifyData(data, ecSignature, HashAlgorithmName.SHA256));

        var header = Base64Url.EncodeToString("""{"alg":"RS256","kid":"k1","typ":"JWT"}"""u8);
        string Mint(Func<byte[], byte[]> sign)
        {
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            var payload = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(
                $$"""{"iss":"http://127.0.0.1:5000","sub":"user1","aud":"bench","exp":{{now + 300}},"iat":{{now}},"nonce":"0123456789abcdef","auth_time":{{now}},"sid":"abcdef"}"""));
            var input = header + "." + payload;
            return input + "." + Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(input)));
        }
        Measure("whole JWT, RS256", repeats, seconds, () => Mint(d => rsa.SignData(d, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        Measure("whole JWT, ES256", repeats, seconds, () => Mint(d => ec.SignData(d, HashAlgorithmName.SHA256)));
        Measure("SAML assertion, SignedXml, RSA-2048 SHA-256", repeats, seconds, () => SignAssertion(rsa));

        var key = RandomNumberGenerator.GetBytes(32);
        using var gcm = new AesGcm(key, 16);
        var nonce = RandomNumberGenerator.GetBytes(12);
        var tag = new byte[16];
        var cipher = new byte[data.Length];
        Measure("AES-256-GCM 600 bytes", repeats, seconds, () => gcm.Encrypt(nonce, data, cipher, tag));
        Measure("SHA-256 of 32 bytes", repeats, seconds, () => SHA256.HashData(key));
        Measure("PBKDF2-SHA256 100000 rounds (a login)", repeats, seconds, () => Rfc2898DeriveBytes.Pbkdf2(key, nonce, 100_000, HashAlgorithmName.SHA256, 32));
    }

    private static void SignAssertion(RSA rsa)
    {
        var now = DateTime.UtcNow;
        string At(int minutes) => now.AddMinutes(minutes).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture);
        var id = "_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml($"""<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" Version="2.0" IssueInstant="{At(0)}"><saml:Issuer>http://127.0.0.1:5000/saml</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">user1</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{At(5)}" Recipient="http://127.0.0.1:9900/acs" InResponseTo="_1"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{At(0)}" NotOnOrAfter="{At(5)}"><saml:AudienceRestriction><saml:Audience>http://127.0.0.1:9900/sp</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{At(0)}" SessionIndex="_2"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="name"><saml:AttributeValue>User 1</saml:AttributeValue></saml:Attribute><saml:Attribute Name="email"><saml:AttributeValue>user1@example.test</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>""");
        var signed = new SignedXml(document) { SigningKey = rsa };
        signed.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl;
        signed.SignedInfo.SignatureMethod = SignedXml.XmlDsigRSASHA256Url;
        var reference = new Reference("#" + id) { DigestMethod = SignedXml.XmlDsigSHA256Url };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        signed.AddReference(reference);
        signed.ComputeSignature();
        document.DocumentElement!.InsertAfter(signed.GetXml(), document.DocumentElement.FirstChild);
        Convert.ToBase64String(Encoding.UTF8.GetBytes(document.OuterXml));
    }

    private static void Measure(string name, int repeats, double seconds, Action action)
    {
        var warm = Stopwatch.StartNew();
        while (warm.Elapsed.TotalSeconds < seconds / 2)
        {
            action();
        }
        var rates = new double[repeats];
        for (var i = 0; i < repeats; i++)
        {
            long count = 0;
            var clock = Stopwatch.StartNew();
            do
            {
                for (var j = 0; j < 8; j++)
                {
                    action();
                }
                count += 8;
            }
            while (clock.Elapsed.TotalSeconds < seconds);
            rates[i] = count / clock.Elapsed.TotalSeconds;
        }
        Array.Sort(rates);
        var median = rates[repeats / 2];
        Console.WriteLine($"{name,-46} {median,12:F0}/s  {1e6 / median,9:F2} us  (min {rates[0]:F0}, max {rates[^1]:F0})");
    }
}
