using System.Text;
using System.Text.Json;
using Commerce.Saml.Tests.Fuzz;

namespace Commerce.Saml.Tests;

/// <summary>Two verifiers that nobody here wrote agree with ours on every message of the corpus that ours takes: the genuine ones, and what of the fuzzer's changes is harmless.</summary>
public sealed class TwoVerifiersTests
{
    private const string Python = "/usr/bin/python3";

    /// <param name="Text">As it arrives.</param>
    /// <param name="Key">Of the sender.</param>
    private sealed record Message(string Kind, string Text, SigningKey Key);

    [Fact]
    public void S17_lasso_agrees_on_every_accepted_message_and_refuses_changed_ones()
    {
        if (!File.Exists("/usr/lib/python3/dist-packages/lasso.py")) Assert.Skip("lasso is not installed (Debian package python3-lasso).");
        if (!File.Exists(Python)) Assert.Skip("Debian's python3 is not installed.");
        var accepted = Accepted().Where(message => message.Key.Algorithm.IsRsa() && message.Kind is "post" or "redirect" or "response").ToList();
        var changed = accepted.Where(message => message.Kind is not "redirect").Take(6).Select(message => message with { Text = Change(message.Text) }).ToList();
        var said = Lasso([.. accepted, .. changed]);
        Assert.All(said.Take(accepted.Count).Zip(accepted), pair => Assert.True(pair.First is null, $"{pair.First}\n{pair.Second.Kind} {pair.Second.Text}"));
        Assert.Equal(changed.Count, said.Skip(accepted.Count).Count(no => no is not null));
        Assert.True(accepted.Count > 30, $"{accepted.Count}");
        Assert.Equal(["post", "redirect", "response"], accepted.Select(message => message.Kind).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void S17_xmlsec1_agrees_on_every_accepted_message()
    {
        var program = Outside.Program("xmlsec1");
        var folder = Directory.CreateTempSubdirectory("saml-corpus-");
        try
        {
            var number = 0;
            var jobs = new Dictionary<(SigningKey Key, string Path), List<string>>();
            foreach (var message in Accepted().Where(message => message.Kind is not "redirect"))
            {
                var xml = message.Kind is "metadata" or "envelope" ? Encoding.Latin1.GetBytes(message.Text) : Convert.FromBase64String(message.Text);
                var file = Path.Combine(folder.FullName, $"{number++}.xml");
                File.WriteAllBytes(file, xml);
                var root = Attack.Load(Encoding.UTF8.GetString(xml).TrimStart('\uFEFF')).DocumentElement!;
                foreach (var path in new[] { "/*/*[local-name()='Signature']", "/*/*[local-name()='Assertion']/*[local-name()='Signature']", "/*/*[local-name()='Body']/*/*[local-name()='Signature']" })
                {
                    if (root.SelectSingleNode(path) is null) continue;
                    if (!jobs.TryGetValue((message.Key, path), out var files)) jobs[(message.Key, path)] = files = [];
                    files.Add(file);
                }
            }
            Assert.True(number > 30, $"{number}");
            foreach (var ((key, path), files) in jobs)
            {
                var certificate = Path.Combine(folder.FullName, "key.pem");
                File.WriteAllText(certificate, Pem(key));
                string[] ids =
                [
                    SamlNamespaces.Protocol + ":Response", SamlNamespaces.Assertion + ":Assertion", SamlNamespaces.Protocol + ":AuthnRequest",
                    SamlNamespaces.Protocol + ":LogoutRequest", SamlNamespaces.Protocol + ":LogoutResponse", SamlNamespaces.Protocol + ":ArtifactResolve", SamlNamespaces.Metadata + ":EntityDescriptor", SamlNamespaces.Metadata + ":EntitiesDescriptor",
                ];
                var (code, output) = Outside.Run(program, ["--verify", "--enabled-key-data", "raw-x509-cert,rsa,ec", "--pubkey-cert-pem", certificate, .. ids.SelectMany(id => new[] { "--id-attr:ID", id }), "--node-xpath", path, .. files]);
                Assert.True(code == 0, $"{path} {output}");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<Message> Accepted()
    {
        // Which message of the fuzzer's is signed by which key; those it signs again after the change are left out, and those without a signature or encrypted.
        Dictionary<string, (string Kind, Dictionary<int, SigningKey> Keys)> kinds = new(StringComparer.Ordinal)
        {
            ["response"] = ("response", new() { [0] = Keys.Idp, [1] = Keys.Idp, [2] = Keys.Idp, [3] = FuzzEntries.Quick }),
            ["authn-post"] = ("post", new() { [0] = Keys.Sp, [1] = FuzzEntries.QuickToo, [2] = Keys.Sp }),
            ["authn-redirect"] = ("redirect", new() { [0] = Keys.Sp, [2] = Keys.Sp }),
            ["metadata-signed"] = ("metadata", new() { [0] = FuzzEntries.Quick, [1] = Keys.Idp }),
            ["logout-request"] = ("logout", new() { [2] = Keys.Sp }),    // by HTTP-POST
            ["logout-response"] = ("logout", new() { [2] = Keys.Idp }),
            ["artifact-resolve"] = ("envelope", new() { [0] = Keys.Sp }),
        };
        var accepted = new List<Message>();
        foreach (var (name, (kind, keys)) in kinds)
        {
            var entry = FuzzEntries.Open(name);
            var mutants = Enumerable.Range(0, 1_500).Select(number => entry.Make(new Random(number)));
            accepted.AddRange(entry.Genuine.Concat(mutants).Where(mutant => keys.ContainsKey(mutant.Seed) && entry.Send(mutant) is { Fault: null, Wrong: null })
                .DistinctBy(mutant => mutant.Sent).Select(mutant => new Message(kind, mutant.Sent, keys[mutant.Seed])));
        }
        return accepted;
    }

    private static List<string?> Lasso(List<Message> messages)
    {
        var world = new World();
        var folder = Directory.CreateTempSubdirectory("saml-lasso-");
        try
        {
            string Write(string name, byte[] content)
            {
                File.WriteAllBytes(Path.Combine(folder.FullName, name), content);
                return Path.Combine(folder.FullName, name);
            }
            using var key = System.Security.Cryptography.RSA.Create(2048);
            var corpus = Write("corpus.json", JsonSerializer.SerializeToUtf8Bytes(new
            {
                idp = Write("idp.xml", world.Idp.WriteMetadata(new IdentityProviderDescription())),
                sp = Write("sp.xml", world.SpSide.WriteMetadata()),
                key = Write("key.pem", Encoding.ASCII.GetBytes(key.ExportRSAPrivateKeyPem())),
                messages = messages.Select(message => new { kind = message.Kind, text = message.Text }),
            }));
            var (code, output) = Outside.Run(Python, Path.Combine(Outside.Root(), "tests", "Commerce.Saml.Tests", "verify_with_lasso.py"), corpus);
            Assert.True(code == 0, output);
            return JsonSerializer.Deserialize<List<string?>>(output.Split('\n').First(line => line.StartsWith('[') && line.EndsWith(']')))!;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Change(string base64)
    {
        var xml = Encoding.UTF8.GetString(Convert.FromBase64String(base64));
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(xml.Replace("p-4b1d9c", "p-victim", StringComparison.Ordinal).Replace("fitter.example/saml/acs\"", "fitter.example/saml/acs2\"", StringComparison.Ordinal)));
    }

    private static string Pem(SigningKey key) =>
        $"-----BEGIN CERTIFICATE-----\n{string.Join('\n', key.Certificate.Chunk(64).Select(line => new string(line)))}\n-----END CERTIFICATE-----\n";
}
