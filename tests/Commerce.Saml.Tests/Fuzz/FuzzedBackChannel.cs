using System.Text;
using System.Text.Json;

namespace Commerce.Saml.Tests.Fuzz;

/// <summary>Logout messages by each binding, in both directions, and ArtifactResolve: always signed, so nothing may differ from what was signed.</summary>
internal static class FuzzedBackChannel
{
    private const string IdpSlo = "https://id.retailer.example/saml/slo", SpSlo = "https://fitter.example/saml/slo", Resolution = "https://id.retailer.example/saml/artifact";
    private static readonly NameId Name = NameId.Persistent("p-4b1d9c", World.IdpId, World.SpId);

    /// <param name="Binding">How it travels. By SOAP <see cref="Sent"/> is the envelope's octets as Latin-1.</param>
    /// <param name="Message">The bare message, where it is signed again after each change; else what is signed and changed.</param>
    private sealed record Seed(string Binding, string Sent, FuzzNode Message, string Genuine, SigningKey? Resign);

    private static SamlEndpoint[] Endpoints(string url) => [new(SamlBindings.HttpRedirect, url), new(SamlBindings.HttpPost, url), new(SamlBindings.Soap, url)];

    private static LogoutPeer Peer(string entityId, string slo, SigningKey key) => new(entityId, [TrustedKey.Of(key)], Endpoints(slo), null);

    private static SingleLogout Side(World world, string entityId, string slo, SigningKey key, params DecryptionKey[] keys) => new(new SingleLogoutSettings
    {
        EntityId = entityId, SigningKey = key, DecryptionKeys = keys, Addresses = Endpoints(slo).ToDictionary(e => e.Binding, e => e.Location),
    }, world.Clock);

    /// <summary>What a service provider sends to the hub.</summary>
    public static FuzzEntry LogoutRequest()
    {
        var world = new World();
        var here = Side(world, World.IdpId, IdpSlo, Keys.Idp, FuzzedResponses.Decryption);
        var seeds = new List<Seed>();
        foreach (var binding in Bindings)
        {
            foreach (var key in new[] { Keys.Sp, FuzzEntries.QuickToo })
                seeds.Add(Make(binding, Side(world, World.SpId, SpSlo, key).CreateRequest(Peer(World.IdpId, IdpSlo, Keys.Idp), binding, Name, "s-1", "rs/1 ä").Value, key));
        }
        seeds.Add(Encrypted());
        return Entry("logout-request", seeds, world, isRequest: true, Read);

        SamlResult<Taken> Read(ReceivedMessage received, Seed seed) => SingleLogout.Read(received).Then(message =>
            here.ValidateRequest(message, Peer(World.SpId, SpSlo, seed.Resign ?? Keys.Sp)).Then<Taken>(taken => new Taken(JsonSerializer.Serialize(taken),
                IsSound(message.Parsed, received.Binding, IdpSlo) && taken.Issuer == World.SpId && taken.ExpiresAt >= world.Clock.Now && taken.SessionIndexes.Count <= 16)));

        Seed Make(string binding, OutgoingLogout sent, SigningKey key) => FuzzedBackChannel.Make(binding, Sent(sent), key, isRequest: true, Read);

        Seed Encrypted()
        {
            var plan = new EncryptionPlan(TrustedKey.FromCertificate(FuzzedResponses.Decryption.Certificate).Value, EncryptionPlan.Aes256Gcm, EncryptionPlan.OaepSha1);
            using var name = new Utf8XmlWriter();
            AssertionEncryption.Write(name, Encoding.UTF8.GetBytes($"<saml:NameID xmlns:saml=\"{SamlNamespaces.Assertion}\">p-4b1d9c</saml:NameID>"), plan);
            var document = Attack.Load(Decoded(seeds.Find(seed => seed.Binding == SamlBindings.HttpPost)!.Sent));
            var root = document.DocumentElement!;
            Attack.Unsign(root);
            var inside = Attack.Load(Encoding.UTF8.GetString(name.Written).Replace("EncryptedAssertion", "EncryptedID", StringComparison.Ordinal)).DocumentElement!;
            root.ReplaceChild(document.ImportNode(inside, deep: true), Attack.Descendants(root, "NameID").Single());
            XmlSignature.Sign(root, root.ChildNodes[1], Keys.Sp);
            return FuzzedBackChannel.Make(SamlBindings.HttpPost, Encoded(root.OuterXml), Keys.Sp, isRequest: true, Read);
        }
    }

    /// <summary>What the hub's, or a service provider's, request is answered with.</summary>
    public static FuzzEntry LogoutResponse()
    {
        var world = new World();
        var here = Side(world, World.SpId, SpSlo, Keys.Sp);
        var asked = SamlId.New();
        var seeds = new List<Seed>();
        foreach (var binding in Bindings)
        {
            foreach (var key in new[] { Keys.Idp, FuzzEntries.Quick })
            {
                var sent = Side(world, World.IdpId, IdpSlo, key).CreateResponse(Peer(World.SpId, SpSlo, Keys.Sp), binding, asked, SamlStatus.PartialLogout, "rs/1 ä").Value;
                seeds.Add(Make(binding, Sent(sent), key, isRequest: false, Read));
            }
        }
        return Entry("logout-response", seeds, world, isRequest: false, Read);

        SamlResult<Taken> Read(ReceivedMessage received, Seed seed) => SingleLogout.Read(received).Then(message =>
            here.ValidateResponse(message, Peer(World.IdpId, IdpSlo, seed.Resign ?? Keys.Idp), asked).Then<Taken>(taken => new Taken(JsonSerializer.Serialize(taken),
                IsSound(message.Parsed, received.Binding, SpSlo) && taken.Issuer == World.IdpId && message.Parsed.Root.GetAttribute("InResponseTo") == asked && taken.Status.Code.Length > 0)));
    }

    /// <summary>What a service provider asks for by SOAP.</summary>
    public static FuzzEntry ArtifactResolve()
    {
        var world = new World();
        var here = new ArtifactResolution(world.Idp.Settings, Resolution, world.Clock);
        var artifact = Artifact.New(World.IdpId, 0);
        List<Seed> seeds = [.. new[] { Keys.Sp, FuzzEntries.QuickToo }.Select(key => Make(SamlBindings.Soap, Latin(SoapBinding.Write(Encoding.UTF8.GetBytes(Resolve(key)))), key, isRequest: true, Read))];
        return Entry("artifact-resolve", seeds, world, isRequest: true, Read);

        string Resolve(SigningKey key) => FuzzedMetadata.Sign($"<samlp:ArtifactResolve xmlns:samlp=\"{SamlNamespaces.Protocol}\" xmlns:saml=\"{SamlNamespaces.Assertion}\" ID=\"{SamlId.New()}\" Version=\"2.0\" "
            + $"IssueInstant=\"{world.Clock.Now:yyyy-MM-ddTHH:mm:ssZ}\" Destination=\"{Resolution}\"><saml:Issuer>{World.SpId}</saml:Issuer><samlp:Artifact>{artifact}</samlp:Artifact></samlp:ArtifactResolve>", key, after: 1);

        // Artifact.IsOf is the next thing that reads what was sent.
        SamlResult<Taken> Read(ReceivedMessage received, Seed seed) => ArtifactResolution.Read(received).Then(message =>
            here.Validate(message, world.Sp with { SigningKeys = [TrustedKey.Of(seed.Resign ?? Keys.Sp)] }).Then<Taken>(taken => new Taken(JsonSerializer.Serialize(taken),
                IsSound(message.Parsed, received.Binding, Resolution) && taken.Issuer == World.SpId && (!Artifact.IsOf(taken.Artifact, World.IdpId) || taken.Artifact.Length == artifact.Length))));
    }

    private static readonly string[] Bindings = [SamlBindings.HttpRedirect, SamlBindings.HttpPost, SamlBindings.Soap];

    /// <summary>What was signed by its rightful sender after the change is nonsense or true; by SOAP the Destination may be left out.</summary>
    private static bool IsSound(ParsedMessage message, string binding, string here) =>
        XmlRead.IsId(message.Header.Id) && message.Header.IssueInstant.Year is 2026 && (message.Header.Destination == here || (message.Header.Destination is null && binding == SamlBindings.Soap));

    /// <param name="Said">All that was taken, as JSON.</param>
    /// <param name="IsSound">Whether what the receiver must have checked is so.</param>
    private sealed record Taken(string Said, bool IsSound);

    private delegate SamlResult<Taken> Receive(ReceivedMessage received, Seed seed);

    private static Seed Make(string binding, string sent, SigningKey key, bool isRequest, Receive receive)
    {
        var resign = key.Algorithm.IsRsa() ? null : key;
        var document = Attack.Load(binding == SamlBindings.HttpRedirect ? Encoding.UTF8.GetString(RedirectBinding.Read(sent).Value.Xml)
            : binding == SamlBindings.HttpPost ? Decoded(sent) : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(sent)));
        var message = resign is not null && binding == SamlBindings.Soap ? document.DocumentElement!.FirstChild!.FirstChild!.OuterXml : document.OuterXml;
        var seed = new Seed(binding, sent, FuzzNode.Parse(message), "", resign);
        return seed with { Genuine = Received(binding, sent, isRequest).Then(received => receive(received, seed)).Value.Said };
    }

    private static FuzzEntry Entry(string name, List<Seed> seeds, World world, bool isRequest, Receive receive)
    {
        var stranger = Side(world, World.SpId, SpSlo, Keys.Stranger).CreateRequest(Peer(World.IdpId, IdpSlo, Keys.Idp), SamlBindings.HttpPost, Name, "s-2").Value;
        var earlier = new World();
        earlier.Clock.Now -= TimeSpan.FromHours(2);
        var old = Side(earlier, World.SpId, SpSlo, Keys.Sp).CreateRequest(Peer(World.IdpId, IdpSlo, Keys.Idp), SamlBindings.HttpPost, Name with { Value = "p-victim" }, "s-3").Value;
        var mutator = new XmlMutator([.. FuzzEntries.Donors(world), .. new[] { stranger, old }.Select(sent => FuzzNode.Parse(Decoded(Sent(sent))))]);
        return new FuzzEntry(name, Change, Send, [.. seeds.Select((seed, at) => new Mutant(at, seed.Sent))]);

        Verdict Send(Mutant mutant)
        {
            var seed = seeds[mutant.Seed];
            return Verdict.Of(Received(seed.Binding, mutant.Sent, isRequest).Then(received => receive(received, seed)),
                taken => seed.Resign is null ? FuzzEntries.Differs(seed.Genuine, taken.Said) : taken.IsSound ? null : $"its own checks do not hold: {taken.Said}");
        }

        Mutant Change(Random random)
        {
            var at = random.Next(seeds.Count);
            var seed = seeds[at];
            var parameter = isRequest ? "SAMLRequest" : "SAMLResponse";
            if (seed.Binding == SamlBindings.HttpRedirect && random.Next(3) == 0) return new Mutant(at, WireMutator.Query(seed.Sent, random));
            var xml = mutator.Change(seed.Message, random);
            if (seed.Binding == SamlBindings.HttpRedirect)
            {
                var raw = WireMutator.Octets(xml, random);
                return new Mutant(at, seed.Resign is { } signer && raw.Length < 100_000 ? RedirectBinding.Write("", isRequest, raw, random.Next(2) == 0 ? "rs" : null, signer).TrimStart('?')
                    : parameter + "=" + WireMutator.Deflated(raw, random) + (seed.Sent.IndexOf('&', StringComparison.Ordinal) is var rest and >= 0 ? seed.Sent[rest..] : ""));
            }
            if (seed.Resign is { } key) xml = FuzzEntries.Resigned(xml, key);
            if (seed.Binding == SamlBindings.HttpPost) return new Mutant(at, WireMutator.Form(WireMutator.Octets(xml, random), random));
            if (seed.Resign is not null) xml = Encoding.UTF8.GetString(SoapBinding.Write(Encoding.UTF8.GetBytes(xml)));
            return new Mutant(at, Latin(WireMutator.Octets(xml, random)));
        }
    }

    private static SamlResult<ReceivedMessage> Received(string binding, string sent, bool isRequest) => binding switch
    {
        SamlBindings.HttpRedirect => RedirectBinding.Read(sent),
        SamlBindings.HttpPost => PostBinding.Read(sent, isRequest, "rs"),
        _ => SoapBinding.Read(Encoding.Latin1.GetBytes(sent), isRequest),
    };

    private static string Sent(OutgoingLogout sent) => sent.Url is { } url ? url[(url.IndexOf('?', StringComparison.Ordinal) + 1)..] : sent.Form is { } form ? form.Fields[0].Value : Latin(sent.Envelope.Span);

    private static string Latin(ReadOnlySpan<byte> octets) => Encoding.Latin1.GetString(octets);

    private static string Encoded(string xml) => Convert.ToBase64String(Encoding.UTF8.GetBytes(xml));

    private static string Decoded(string base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64));
}
