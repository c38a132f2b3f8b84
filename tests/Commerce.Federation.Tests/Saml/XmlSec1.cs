using System.Diagnostics;
using Commerce.Saml;

namespace Commerce.Federation.Tests.Saml;

/// <summary>A verifier that nobody here wrote: Debian's xmlsec1. A test that needs it says so where it is missing.</summary>
internal static class XmlSec1
{
    public static string Program()
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "xmlsec1")).FirstOrDefault(File.Exists);
        if (found is null) Assert.Skip("xmlsec1 is not installed (Debian package xmlsec1).");
        return found!;
    }

    /// <summary>Verifies the signature of the document's root, and that of the assertion in it where there is one, with a pinned certificate.</summary>
    /// <returns>What xmlsec1 said where it refused; null where all are right.</returns>
    public static string? Refuses(string xml, TrustedKey key, string folder)
    {
        var document = Path.Combine(folder, "message.xml");
        var certificate = Path.Combine(folder, "key.pem");
        File.WriteAllText(document, xml);
        File.WriteAllText(certificate, $"-----BEGIN CERTIFICATE-----\n{string.Join('\n', key.Certificate!.Chunk(64).Select(line => new string(line)))}\n-----END CERTIFICATE-----\n");
        const string OfRoot = "/*/*[local-name()='Signature']", OfAssertion = "/*/*[local-name()='Assertion']/*[local-name()='Signature']";
        var all = new System.Xml.XmlDocument { XmlResolver = null };
        all.LoadXml(xml);
        foreach (var at in all.SelectNodes(OfAssertion)!.Count > 0 ? new[] { OfRoot, OfAssertion } : [OfRoot])
        {
            using var process = Process.Start(new ProcessStartInfo(Program(),
            [
                "--verify", "--enabled-key-data", "raw-x509-cert,rsa,ec", "--pubkey-cert-pem", certificate,
                "--id-attr:ID", $"{SamlNamespaces.Protocol}:Response", "--id-attr:ID", $"{SamlNamespaces.Assertion}:Assertion", "--node-xpath", at, document,
            ]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0) return output + error.Result;
        }
        return null;
    }
}
