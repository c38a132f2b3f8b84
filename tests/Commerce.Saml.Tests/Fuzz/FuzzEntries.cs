using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Commerce.Saml.Tests.Fuzz;

/// <summary>A changed message on its way to one receiver.</summary>
/// <param name="Seed">Which genuine message it was made of.</param>
/// <param name="Sent">What arrives: a query, a form field, or the octets of a document as Latin-1.</param>
internal readonly record struct Mutant(int Seed, string Sent);

/// <summary>What became of a mutant: a fault, or taken; and what is wrong with its having been taken.</summary>
internal readonly record struct Verdict(SamlFault? Fault, string? Wrong)
{
    public static Verdict Of<T>(SamlResult<T> result, Func<T, string?> judge) => result.TryGet(out var value, out var fault) ? new(null, judge(value)) : new(fault, null);
}

/// <summary>Somewhere a message from outside arrives. One instance per thread.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Make">A changed message.</param>
/// <param name="Send">To the receiver. Anything taken must mean what its genuine message means.</param>
/// <param name="Genuine">The messages unchanged: each must be taken, or nothing would be tested.</param>
internal sealed record FuzzEntry(string Name, Func<Random, Mutant> Make, Func<Mutant, Verdict> Send, IReadOnlyList<Mutant> Genuine);

internal static class FuzzEntries
{
    public static IReadOnlyList<string> Names => [.. All.Keys];

    public static FuzzEntry Open(string name) => All[name]();

    private static readonly Dictionary<string, Func<FuzzEntry>> All = new(StringComparer.Ordinal)
    {
        ["authn-redirect"] = FuzzedRequests.Redirect,
        ["authn-post"] = FuzzedRequests.Post,
        ["response"] = FuzzedResponses.Response,
        ["logout-request"] = FuzzedBackChannel.LogoutRequest,
        ["logout-response"] = FuzzedBackChannel.LogoutResponse,
        ["artifact-resolve"] = FuzzedBackChannel.ArtifactResolve,
        ["metadata-sp"] = FuzzedMetadata.ServiceProvider,
        ["metadata-idp"] = FuzzedMetadata.IdentityProvider,
        ["metadata-signed"] = FuzzedMetadata.Signed,
    };

    /// <summary>Another one's messages, each properly signed for something else: what an attacker has in hand.</summary>
    public static FuzzNode[] Donors(World world)
    {
        var elsewhere = new ServiceProvider { EntityId = "https://other.example/sp", AssertionConsumerServices = [new(0, SamlBindings.HttpPost, "https://other.example/acs")] };
        AssertionContent Of(string name) => World.Content() with { Name = NameId.Persistent(name, World.IdpId, World.SpId) };
        string Unsolicited(IdentityProvider idp, ServiceProvider to, string name) =>
            Encoding.UTF8.GetString(idp.RespondUnsolicited(to, to.AssertionConsumerServices[0], null, Of(name)).Value.Xml.Span);
        var stranger = new IdentityProvider(world.Idp.Settings with { SigningKey = Keys.Stranger }, world.Clock);
        var earlier = new FixedClock { Now = world.Clock.Now.AddHours(-2) };
        return
        [
            FuzzNode.Parse(Unsolicited(world.Idp, elsewhere, "p-attacker")),
            FuzzNode.Parse(Unsolicited(world.Idp, world.Sp, "p-attacker")),
            FuzzNode.Parse(Unsolicited(stranger, world.Sp, "p-victim")),
            FuzzNode.Parse(Unsolicited(new IdentityProvider(world.Idp.Settings, earlier), world.Sp, "p-victim")),
            FuzzNode.Parse(Attack.SignedRequest(world, key: Keys.Stranger)),
            FuzzNode.Parse(Encoding.UTF8.GetString(world.SpSide.WriteMetadata())),
        ];
    }

    public static string? Differs(string genuine, string taken) => genuine == taken ? null : $"taken as {taken}";

    /// <summary>The message as its rightful sender would sign it, also when it is nonsense: what is checked after the signature needs attacking too.</summary>
    public static string Resigned(string xml, SigningKey key)
    {
        if (!XmlGate.ParseMessage(Encoding.UTF8.GetBytes(xml)).TryGet(out var document, out _)) return xml;
        var root = document.DocumentElement!;
        Attack.Unsign(root);
        if (!XmlRead.IsId(root.GetAttribute("ID"))) return xml;
        XmlSignature.Sign(root, root.FirstChild?.NextSibling, key);
        return root.OuterXml;
    }

    public static readonly SigningKey Quick = Keys.Ecdsa(ECCurve.NamedCurves.nistP256);
    public static readonly SigningKey QuickToo = Keys.Ecdsa(ECCurve.NamedCurves.nistP256);
}

/// <summary>Responses on the service provider's side.</summary>
internal static class FuzzedResponses
{
    private static readonly RSA Rsa = RSA.Create(2048);
    public static readonly DecryptionKey Decryption = new(Rsa, Keys.Certificate(Rsa));

    private sealed record Seed(World World, ServiceProviderSide Side, string RequestId, string Xml, FuzzNode Tree, string Genuine, bool Resign);

    public static FuzzEntry Response()
    {
        List<Seed> seeds =
        [
            Make(false, true), Make(true, false), Make(true, true), Make(true, true, key: FuzzEntries.Quick), Make(false, true, resign: true, key: FuzzEntries.Quick),
            Make(false, true, resign: true, key: FuzzEntries.Quick), Make(true, false, encrypt: true), Make(false, true, encrypt: true),
        ];
        var mutator = new XmlMutator(FuzzEntries.Donors(seeds[0].World));
        return new FuzzEntry("response", Change, Send, [.. seeds.Select((seed, at) => new Mutant(at, Convert.ToBase64String(Encoding.UTF8.GetBytes(seed.Xml))))]);

        Mutant Change(Random random)
        {
            // Decryption costs twenty times what anything else does, so encrypted ones are fewer.
            var at = random.Next(32) is var draw && draw < 2 ? seeds.Count - 1 - draw : random.Next(seeds.Count - 2);
            var seed = seeds[at];
            var xml = mutator.Change(seed.Tree, random);
            if (seed.Resign) xml = FuzzEntries.Resigned(xml, FuzzEntries.Quick);
            return new Mutant(at, WireMutator.Form(WireMutator.Octets(xml, random), random));
        }

        Verdict Send(Mutant mutant)
        {
            var seed = seeds[mutant.Seed];
            return Verdict.Of(Consume(seed.World, seed.Side, seed.RequestId, mutant.Sent), taken => seed.Resign
                ? taken.Issuer == World.IdpId && taken.InResponseTo == seed.RequestId && taken.NotOnOrAfter > seed.World.Clock.Now - TimeSpan.FromMinutes(3) ? null : "its own checks do not hold"
                : FuzzEntries.Differs(seed.Genuine, JsonSerializer.Serialize(taken)));
        }
    }

    private static Seed Make(bool signAssertion, bool signResponse, bool encrypt = false, bool resign = false, SigningKey? key = null)
    {
        var world = new World(idpKey: key, idp: settings => settings with { SignAssertions = signAssertion, SignResponses = signResponse, EncryptAssertions = encrypt },
            sp: record => encrypt ? record with { EncryptionKeys = [TrustedKey.FromCertificate(Decryption.Certificate).Value] } : record);
        var side = new ServiceProviderSide(world.SpSide.Settings with { DecryptionKeys = [Decryption] }, world.Clock);
        var request = world.Request();
        var xml = world.RespondXml(request);
        var taken = Consume(world, side, request.Id, Convert.ToBase64String(Encoding.UTF8.GetBytes(xml))).Value;
        return new Seed(world, side, request.Id, xml, FuzzNode.Parse(xml), JsonSerializer.Serialize(taken), resign);
    }

    private static SamlResult<ValidatedAssertion> Consume(World world, ServiceProviderSide side, string requestId, string sent) =>
        PostBinding.Read(sent, isRequest: false, null).Then(message =>
            side.ValidateAsync(message, new ResponseExpectation(world.RemoteIdp, requestId), static (_, _, _) => ValueTask.FromResult(true)).GetAwaiter().GetResult());
}

/// <summary>AuthnRequests by both bindings.</summary>
internal static class FuzzedRequests
{
    private sealed record Seed(World World, string Sent, string Xml, FuzzNode Tree, string Genuine, bool IsProtected, SigningKey? Resign = null);

    public static FuzzEntry Redirect()
    {
        var signed = new World();
        var small = new World(spKey: FuzzEntries.QuickToo);
        var unsigned = new World(sp: record => record with { AuthnRequestsSigned = false });
        List<Seed> seeds = [Of(signed, signed.SpKey), Of(small, small.SpKey), Of(signed, signed.SpKey), Of(unsigned, null), Of(small, small.SpKey, resign: true)];
        var mutator = new XmlMutator(FuzzEntries.Donors(signed));
        return new FuzzEntry("authn-redirect", Change, Send, [.. seeds.Select((seed, at) => new Mutant(at, seed.Sent))]);

        Mutant Change(Random random)
        {
            var at = random.Next(seeds.Count);
            var seed = seeds[at];
            if (random.Next(3) == 0) return new Mutant(at, WireMutator.Query(seed.Sent, random));
            var octets = WireMutator.Octets(mutator.Change(seed.Tree, random), random);
            var query = seed.Resign is { } key && octets.Length < 100_000
                ? RedirectBinding.Write("", true, octets, random.Next(2) == 0 ? "rs" : null, key).TrimStart('?')
                : "SAMLRequest=" + WireMutator.Deflated(octets, random) + (seed.Sent.IndexOf('&', StringComparison.Ordinal) is var rest and >= 0 ? seed.Sent[rest..] : "");
            return new Mutant(at, random.Next(16) == 0 ? WireMutator.Query(query, random) : query);
        }

        Verdict Send(Mutant mutant) => Judge(seeds[mutant.Seed], seeds[mutant.Seed].World.Redirect(mutant.Sent));

        static Seed Of(World world, SigningKey? key, bool resign = false)
        {
            var xml = Request(world);
            var query = RedirectBinding.Write("", true, Encoding.UTF8.GetBytes(xml), "state/1 ä", key).TrimStart('?');
            return new Seed(world, query, xml, FuzzNode.Parse(xml), JsonSerializer.Serialize(world.Redirect(query).Value), key is not null && !resign, resign ? key : null);
        }
    }

    public static FuzzEntry Post()
    {
        var signed = new World();
        var small = new World(spKey: FuzzEntries.QuickToo);
        var unsigned = new World(sp: record => record with { AuthnRequestsSigned = false });
        List<Seed> seeds = [Of(signed, true), Of(small, true), Of(signed, true), Of(unsigned, false), Of(unsigned, true), Of(small, true, resign: true)];
        var mutator = new XmlMutator(FuzzEntries.Donors(signed));
        return new FuzzEntry("authn-post", Change, Send, [.. seeds.Select((seed, at) => new Mutant(at, seed.Sent))]);

        Mutant Change(Random random)
        {
            var at = random.Next(seeds.Count);
            var xml = mutator.Change(seeds[at].Tree, random);
            if (seeds[at].Resign is { } key) xml = FuzzEntries.Resigned(xml, key);
            return new Mutant(at, WireMutator.Form(WireMutator.Octets(xml, random), random));
        }

        Verdict Send(Mutant mutant) => Judge(seeds[mutant.Seed], Read(seeds[mutant.Seed].World, mutant.Sent));

        static SamlResult<ValidatedAuthnRequest> Read(World world, string sent) => PostBinding.Read(sent, isRequest: true, "rs").Then(world.Validate);

        static Seed Of(World world, bool sign, bool resign = false)
        {
            var xml = sign ? Attack.SignedRequest(world, Options) : Request(world);
            var sent = Convert.ToBase64String(Encoding.UTF8.GetBytes(xml));
            return new Seed(world, sent, xml, FuzzNode.Parse(xml), JsonSerializer.Serialize(Read(world, sent).Value), world.Sp.AuthnRequestsSigned && !resign, resign ? world.SpKey : null);
        }
    }

    private static readonly AuthnRequestOptions Options = new() { HopTicket = "ticket-1", ContextClasses = [AuthnContextClasses.RefedsMfa], ForceAuthn = true };

    private static string Request(World world)
    {
        using var writer = new Utf8XmlWriter();
        AuthnRequestWriter.Write(writer, world.SpSide.Settings, Options, SamlId.New(), World.SsoUrl, world.Clock.Now);
        return Encoding.UTF8.GetString(writer.Written);
    }

    /// <summary>Under a signature nothing may differ. Without one, the answer still goes to a registered endpoint only, and a signature that is there holds.</summary>
    private static Verdict Judge(Seed seed, SamlResult<ValidatedAuthnRequest> result) => Verdict.Of(result, taken =>
    {
        if (seed.IsProtected) return FuzzEntries.Differs(seed.Genuine, JsonSerializer.Serialize(taken));
        if (!seed.World.Sp.AssertionConsumerServices.Contains(taken.AssertionConsumerService) || taken.AssertionConsumerService.Binding != SamlBindings.HttpPost) return "an endpoint that is not registered";
        if (!XmlRead.IsId(taken.Id) || taken.ExpiresAt < seed.World.Clock.Now) return "its own checks do not hold";
        return taken.IsSigned && seed.Resign is null ? FuzzEntries.Differs(seed.Genuine, JsonSerializer.Serialize(taken)) : null;
    });
}

/// <summary>Metadata of either role.</summary>
internal static class FuzzedMetadata
{
    public static FuzzEntry ServiceProvider()
    {
        var world = new World();
        var settings = world.SpSide.Settings with
        {
            RequestInitiatorUrl = "https://fitter.example/saml/login",
            DisplayNames = new Dictionary<string, string> { ["en"] = "Fitter", ["fi"] = "Asentaja" },
            RequestedAttributes = [new("urn:oid:2.5.4.42", "givenName", true)],
        };
        var one = Encoding.UTF8.GetString(new ServiceProviderSide(settings, world.Clock).WriteMetadata());
        var many = $"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" validUntil=\"2026-04-01T00:00:00Z\"><md:EntitiesDescriptor>{one}</md:EntitiesDescriptor>{one}</md:EntitiesDescriptor>";
        return Entry("metadata-sp", [one, one, one, many], world, document =>
        {
            foreach (var item in SpMetadataReader.Read(document, new SpMetadataOptions(), world.Clock))
            {
                if (!item.TryGet(out var entry, out var fault)) return new Verdict(fault, null);
                if (entry.ServiceProvider is { } taken && Wrong(taken, world) is { } wrong) return new Verdict(null, wrong);
            }
            return default;
        });
    }

    public static FuzzEntry IdentityProvider()
    {
        var world = new World();
        var xml = Encoding.UTF8.GetString(world.Idp.WriteMetadata(new IdentityProviderDescription
        {
            DisplayNames = new Dictionary<string, string> { ["en"] = "Retailer" },
            ValidFor = TimeSpan.FromDays(7),
            MetadataSigningKey = world.IdpKey,
        }));
        return Entry("metadata-idp", [xml], world, document => Verdict.Of(IdpMetadataReader.Read(document, null, requireHttps: true, world.Clock), taken =>
            taken.SigningKeys.Count == 0 || taken.ValidUntil <= world.Clock.Now || taken.SingleSignOnServices.Any(service => !service.Location.StartsWith("https://", StringComparison.Ordinal))
                ? "its own checks do not hold" : null));
    }

    /// <summary>A signed document, alone and as an aggregate: whatever still verifies has to say the same of every service provider.</summary>
    public static FuzzEntry Signed()
    {
        var world = new World();
        var one = Encoding.UTF8.GetString(world.SpSide.WriteMetadata());
        string[] documents =
        [
            Sign(one.Replace("<md:EntityDescriptor ", "<md:EntityDescriptor ID=\"_one\" validUntil=\"2026-04-01T00:00:00Z\" ", StringComparison.Ordinal), FuzzEntries.Quick),
            Sign($"<md:EntitiesDescriptor xmlns:md=\"{SamlNamespaces.Metadata}\" ID=\"_all\" cacheDuration=\"PT1H\">{one}</md:EntitiesDescriptor>", Keys.Idp),
        ];
        TrustedKey[] keys = [TrustedKey.Of(FuzzEntries.Quick), TrustedKey.Of(Keys.Idp)];
        var genuine = documents.Select(document => Said(Entries(new MemoryStream(Encoding.UTF8.GetBytes(document))))).ToHashSet(StringComparer.Ordinal);
        return Entry("metadata-signed", documents, world, document =>
        {
            if (!MetadataSignature.Verify(document, keys).TryGet(out _, out var fault)) return new Verdict(fault, null);
            document.Position = 0;
            // What the signature does not cover, such as a namespace that nothing uses, the reader may still refuse.
            var entries = Entries(document);
            if (entries.Select(entry => entry.Fault).FirstOrDefault(fault => fault is not null) is { } refused) return new Verdict(refused, null);
            return new Verdict(null, Said(entries) is var said && genuine.Contains(said) ? null : $"taken as {said}");
        });

        List<SamlResult<SpMetadataEntry>> Entries(Stream document) => [.. SpMetadataReader.Read(document, new SpMetadataOptions(), world.Clock)];

        static string Said(List<SamlResult<SpMetadataEntry>> entries) => JsonSerializer.Serialize(entries.Select(entry => entry.Value.ServiceProvider).ToList());
    }

    /// <param name="after">How many children stand before the signature.</param>
    public static string Sign(string xml, SigningKey key, int after = 0)
    {
        var root = Attack.Load(xml).DocumentElement!;
        XmlSignature.Sign(root, root.ChildNodes[after], key);
        return root.OuterXml;
    }

    private static string? Wrong(ServiceProvider taken, World world) =>
        taken.ValidUntil <= world.Clock.Now ? "expired"
        : taken.AssertionConsumerServices.Any(acs => !acs.Location.StartsWith("https://", StringComparison.Ordinal)) ? "an endpoint that is not https"
        : taken.EntityId.Length is 0 or > 1024 ? "an impossible entity id" : null;

    private static FuzzEntry Entry(string name, string[] documents, World world, Func<Stream, Verdict> read)
    {
        var trees = documents.Select(FuzzNode.Parse).ToList();
        var mutator = new XmlMutator(FuzzEntries.Donors(world));
        return new FuzzEntry(name,
            random =>
            {
                var at = random.Next(trees.Count);
                return new Mutant(at, Encoding.Latin1.GetString(WireMutator.Octets(mutator.Change(trees[at], random), random)));
            },
            mutant =>
            {
                using var document = new MemoryStream(Encoding.Latin1.GetBytes(mutant.Sent));
                return read(document);
            },
            [.. documents.Select((document, at) => new Mutant(at, Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(document))))]);
    }
}
