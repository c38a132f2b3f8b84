using System.Security.Cryptography;
using System.Text;
using System.Xml;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Partners;
using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Tests.Partners;

/// <summary>Metadata that is followed at its address: signatures, dates, changes, approval, back-off.</summary>
public sealed class MetadataFeedTests(MetadataFeedTests.World world) : IClassFixture<MetadataFeedTests.World>
{
    /// <summary>A hub in Development and a publisher of metadata.</summary>
    public sealed class World : IAsyncLifetime
    {
        private readonly WebApplication publisher;

        public World()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            publisher = builder.Build();
            publisher.MapGet("/{**path}", (HttpContext context) => Documents.TryGetValue(context.Request.Path.Value! + context.Request.QueryString, out var document)
                ? Results.Text(document, "application/samlmetadata+xml") : Results.NotFound());
        }

        internal TestHub Hub { get; private set; } = null!;
        internal Dictionary<string, string> Documents { get; } = new(StringComparer.Ordinal);
        internal string Origin => publisher.Urls.Single();

        public async ValueTask InitializeAsync()
        {
            await publisher.StartAsync();
            Hub = await PartnerHub.StartAsync(development: true);
        }

        public async ValueTask DisposeAsync()
        {
            await Hub.DisposeAsync();
            await publisher.StopAsync();
            await publisher.DisposeAsync();
        }
    }

    private static readonly RSA Publisher = RSA.Create(2048);
    private static readonly string PublisherPem = Pem(Publisher, "feed");
    private static readonly string Stranger = Pem(RSA.Create(2048), "stranger");
    private static readonly string KeyOne = Certificate(RSA.Create(2048), 900);
    internal static readonly string KeyTwo = Certificate(RSA.Create(2048), 20);

    private string Publish(string path, string xml)
    {
        lock (world.Documents) world.Documents[path] = xml;
        return world.Origin + path;
    }

    private Task<Result<FollowedMetadata>> FollowAsync(string url, string? signedBy = null, string? entity = null, bool all = false, bool isQuery = false) =>
        world.Hub.AskAsync(new FollowMetadata(url, isQuery, signedBy, entity, all, null));

    private async Task<Commerce.Saml.ServiceProvider> RecordAsync(string id) => (await world.Hub.Services.GetRequiredService<Connections>().FindAsync(id))!.Saml!;

    private async Task<MetadataRefreshed> RefreshAsync(string source) => Assert.Single((await world.Hub.AskAsync(new RefreshMetadata(source))).Value);

    private async Task<MetadataFeed> FeedAsync(string source) => (await world.Hub.AskAsync(new ListMetadataFeeds())).Single(feed => feed.Id == source);

    [Fact]
    public async Task S33_a_signed_feed_is_taken_with_the_pinned_key_only_and_its_changes_are_taken_in()
    {
        var url = Publish("/signed", Signed(Entity("https://signed.example/sp")));
        Assert.Equal("federation.partner_invalid", (await FollowAsync(url, Stranger)).Refusal?.Code);
        Assert.Contains("cannot be read", (await FollowAsync(url, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")).Refusal!.Errors![0].Message + " cannot be read", StringComparison.Ordinal);
        var followed = (await FollowAsync(url, PublisherPem)).Value;
        Assert.Equal("https://signed.example/sp", Assert.Single(followed.Added).Connection);

        Publish("/signed", Signed(Entity("https://signed.example/sp", acs: "https://signed.example/new", key: KeyTwo)));
        var done = await RefreshAsync(followed.Source);
        Assert.Equal(("https://signed.example/sp", null), (Assert.Single(done.Changed), done.Problem));
        Assert.Equal("https://signed.example/new", (await RecordAsync("https://signed.example/sp")).AssertionConsumerServices[0].Location);
        Assert.Empty((await RefreshAsync(followed.Source)).Changed);
    }

    [Fact]
    public async Task S33_a_feed_that_loses_its_signature_or_is_forged_changes_nothing_and_is_tried_again_later_and_later()
    {
        var url = Publish("/forged", Signed(Entity("https://forged.example/sp")));
        var source = (await FollowAsync(url, PublisherPem)).Value.Source;
        var forged = Entity("https://forged.example/sp", acs: "https://evil.example/acs");
        foreach (var (document, minutes) in new[] { (forged, 5), (Signed(Entity("https://forged.example/sp")).Replace("sp.example/acs", "evil.example/acs", StringComparison.Ordinal), 10), ("<html/>", 20), ("", 40) })
        {
            Publish("/forged", document);
            Assert.NotNull((await RefreshAsync(source)).Problem);
            Assert.Equal(TimeSpan.FromMinutes(minutes), (await FeedAsync(source)).NextAt - world.Hub.Clock.GetUtcNow());
            Assert.Equal("https://sp.example/acs", (await RecordAsync("https://forged.example/sp")).AssertionConsumerServices[0].Location);
        }
        Publish("/forged", Signed(Entity("https://forged.example/sp")));
        Assert.Null((await RefreshAsync(source)).Problem);
        Assert.Equal((0, null), ((await FeedAsync(source)).Failures, (await FeedAsync(source)).Problem));
    }

    [Fact]
    public async Task Without_a_signature_an_endpoint_or_a_key_waits_for_approval_and_a_name_does_not()
    {
        var url = Publish("/plain", Entity("https://unsigned.example/sp"));
        var followed = (await FollowAsync(url)).Value;
        Publish("/plain", Entity("https://unsigned.example/sp", name: "Renamed"));
        Assert.Single((await RefreshAsync(followed.Source)).Changed);
        Assert.Equal("Renamed", (await RecordAsync("https://unsigned.example/sp")).DisplayNames["en"]);

        Publish("/plain", Entity("https://unsigned.example/sp", name: "Again", acs: "https://evil.example/acs", key: KeyTwo));
        Assert.Equal("https://unsigned.example/sp", Assert.Single((await RefreshAsync(followed.Source)).Waiting));
        Assert.Equal("https://sp.example/acs", (await RecordAsync("https://unsigned.example/sp")).AssertionConsumerServices[0].Location);
        var waiting = Assert.Single(await world.Hub.AskAsync(new PendingMetadata("https://unsigned.example/sp")));
        Assert.Contains(waiting.Changes, sentence => sentence.StartsWith("Assertion consumer service added: https://evil.example/acs", StringComparison.Ordinal));
        Assert.Contains(waiting.Changes, sentence => sentence.StartsWith("Signing key removed: SHA-256 ", StringComparison.Ordinal));
        Assert.Contains((await world.Hub.AskAsync(new CheckPartner(followed.Added[0].Partner))).Value.Findings, f => f.Level == "warning" && f.Message.Contains("waits for approval", StringComparison.Ordinal));

        Assert.True((await world.Hub.AskAsync(new DecidePendingMetadata(waiting.Connection, Approve: false))).IsOk);
        Assert.Equal("federation.nothing_pending", (await world.Hub.AskAsync(new DecidePendingMetadata(waiting.Connection, Approve: true))).Refusal?.Code);
        await RefreshAsync(followed.Source);
        Assert.True((await world.Hub.AskAsync(new DecidePendingMetadata(waiting.Connection, Approve: true))).IsOk);
        Assert.Equal("https://evil.example/acs", (await RecordAsync("https://unsigned.example/sp")).AssertionConsumerServices[0].Location);
        Assert.Empty(await world.Hub.AskAsync(new PendingMetadata(followed.Added[0].Partner)));
    }

    [Fact]
    public async Task S33_an_expired_document_is_refused_and_a_record_that_expired_lets_nothing_out()
    {
        var now = world.Hub.Clock.GetUtcNow();
        Assert.Equal("federation.partner_invalid", (await FollowAsync(Publish("/old", Signed(Entity("https://old.example/sp"), validUntil: now.AddMinutes(-1))), PublisherPem)).Refusal?.Code);
        var followed = (await FollowAsync(Publish("/dated", Signed(Entity("https://dated.example/sp"), validUntil: now.AddHours(2))), PublisherPem)).Value;

        // It is looked at again well before it ends.
        Assert.InRange((await FeedAsync(followed.Source)).NextAt, now.AddMinutes(15), now.AddHours(1));
        await using var scope = world.Hub.Services.CreateAsyncScope();
        var provider = await RecordAsync("https://dated.example/sp");
        Assert.Equal(now.AddHours(2), provider.ValidUntil!.Value, TimeSpan.FromSeconds(1));
        var hub = scope.ServiceProvider.GetRequiredService<Commerce.Federation.Saml.SamlIdentity>().Provider;
        var content = new AssertionContent(NameId.Persistent("x", "y", "z"), now, "urn:x", "s", []);
        Assert.True(hub.RespondUnsolicited(provider, provider.AssertionConsumerServices[0], null, content).IsSuccess);
        var ended = provider with { ValidUntil = now };
        Assert.Equal(FaultCodes.MetadataInvalid, hub.RespondUnsolicited(ended, ended.AssertionConsumerServices[0], null, content).Fault?.Code);
    }

    [Fact]
    public async Task S33_an_older_document_that_is_signed_and_still_good_does_not_come_back()
    {
        var now = world.Hub.Clock.GetUtcNow();
        var older = Signed(Entity("https://rolled.example/sp", name: "Older"), validUntil: now.AddDays(5));
        var source = (await FollowAsync(Publish("/rolled", older), PublisherPem)).Value.Source;
        Publish("/rolled", Signed(Entity("https://rolled.example/sp", name: "Newer"), validUntil: now.AddDays(6)));
        Assert.Null((await RefreshAsync(source)).Problem);
        Publish("/rolled", older);
        Assert.Contains("older than the last one", (await RefreshAsync(source)).Problem, StringComparison.Ordinal);
        Assert.Equal("Newer", (await RecordAsync("https://rolled.example/sp")).DisplayNames["en"]);
    }

    [Fact]
    public async Task The_background_fetches_what_is_due_once_and_keeps_to_the_cache_duration()
    {
        var url = Publish("/cached", Signed(Entity("https://cached.example/sp"), cache: "PT2H"));
        var source = (await FollowAsync(url, PublisherPem)).Value.Source;
        Assert.Equal(world.Hub.Clock.GetUtcNow().AddHours(2), (await FeedAsync(source)).NextAt);
        var refresher = world.Hub.Services.GetServices<IHostedService>().OfType<MetadataRefresher>().Single();
        Publish("/cached", Signed(Entity("https://cached.example/sp", name: "Newer"), cache: "PT1S"));
        await RunAsync();
        Assert.NotEqual("Newer", (await RecordAsync("https://cached.example/sp")).DisplayNames["en"]);
        world.Hub.Clock.Advance(TimeSpan.FromHours(2));
        await Task.WhenAll(RunAsync(), RunAsync());
        Assert.Equal("Newer", (await RecordAsync("https://cached.example/sp")).DisplayNames["en"]);

        // A second would be a storm: fifteen minutes is the least.
        Assert.Equal(world.Hub.Clock.GetUtcNow().AddMinutes(15), (await FeedAsync(source)).NextAt);

        Task<int> RunAsync() => world.Hub.WithDbAsync<FederationDb, int>(db => refresher.RunDueAsync(db, world.Hub.Clock.GetUtcNow(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Of_an_aggregate_all_are_followed_newcomers_wait_for_an_operator_and_who_was_removed_stays_away()
    {
        string Feed(params string[] ids) => Signed($"<EntitiesDescriptor xmlns=\"{SamlNamespaces.Metadata}\">{string.Concat(ids.Select(id => Entity(id)))}</EntitiesDescriptor>");
        var followed = (await FollowAsync(Publish("/all", Feed("https://one.example/sp", "https://two.example/sp")), PublisherPem, all: true)).Value;
        Assert.Equal(2, (await FeedAsync(followed.Source)).Entities);
        await world.Hub.AskAsync(new RemovePartner(followed.Added[1].Partner));
        Publish("/all", Feed("https://one.example/sp", "https://two.example/sp", "https://three.example/sp"));
        Assert.Null((await RefreshAsync(followed.Source)).Problem);
        var known = world.Hub.Services.GetRequiredService<Connections>();
        Assert.NotNull(await known.FindAsync("https://one.example/sp"));
        Assert.Null(await known.FindAsync("https://two.example/sp"));
        Assert.Null(await known.FindAsync("https://three.example/sp"));
    }

    [Fact]
    public async Task A_metadata_query_service_is_asked_for_one_entity_by_its_escaped_identifier()
    {
        Publish("/mdq/entities/https:%2F%2Fmdq.example%2Fsp%3Fa=b", "");
        var escaped = "/mdq/entities/" + Uri.EscapeDataString("https://mdq.example/sp");
        Assert.Equal(world.Origin + escaped, MetadataFetch.QueryAddress(world.Origin + "/mdq/", "https://mdq.example/sp"));
        lock (world.Documents) world.Documents["/mdq/entities/https:%2F%2Fmdq.example%2Fsp"] = world.Documents["/mdq/entities/https://mdq.example/sp"] = Signed(Entity("https://mdq.example/sp"));
        Assert.Equal("https://mdq.example/sp", Assert.Single((await FollowAsync(world.Origin + "/mdq", PublisherPem, "https://mdq.example/sp", isQuery: true)).Value.Added).Connection);
        Assert.Equal("federation.partner_invalid", (await FollowAsync(world.Origin + "/mdq", PublisherPem, isQuery: true)).Refusal?.Code);
        Assert.Equal("federation.feed_unreadable", (await FollowAsync(world.Origin + "/mdq", PublisherPem, "https://nobody.example", isQuery: true)).Refusal?.Code);
    }

    [Fact]
    public async Task Whatever_ends_within_sixty_days_is_listed_and_said_in_the_check()
    {
        var now = world.Hub.Clock.GetUtcNow();
        var added = (await world.Hub.AskAsync(new AddSamlPartner(Entity("https://ending.example/sp", key: KeyTwo, validUntil: now.AddDays(45)), null, null))).Value;
        var ending = (await world.Hub.AskAsync(new ListExpiring())).Where(e => e.Connection == added.Connection).ToList();
        Assert.Equal([("signing certificate", 30), ("metadata", 60)], ending.Select(e => (e.What, e.Threshold)));
        Assert.Contains((await world.Hub.AskAsync(new CheckPartner(added.Partner))).Value.Findings, f => f.Level == "warning" && f.Message.Contains("in less than 30 days", StringComparison.Ordinal));
        Assert.Equal([60, 60, 30, 30, 7, 7, 0], new[] { 59, 30, 29, 7, 6, 0, -1 }.Select(days => MetadataExpiry.Threshold(days)!.Value));
        Assert.Null(MetadataExpiry.Threshold(60));
    }

    private static string Signed(string xml, DateTimeOffset? validUntil = null, string? cache = null)
    {
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(xml);
        var root = document.DocumentElement!;
        root.SetAttribute("ID", "_feed");
        if (validUntil is { } until) root.SetAttribute("validUntil", until.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
        if (cache is not null) root.SetAttribute("cacheDuration", cache);

        // The platform signs here, so that the publisher is not our own code.
        var signed = new System.Security.Cryptography.Xml.SignedXml(document) { SigningKey = Publisher };
        signed.SignedInfo!.CanonicalizationMethod = "http://www.w3.org/2001/10/xml-exc-c14n#";
        signed.SignedInfo.SignatureMethod = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
        var reference = new System.Security.Cryptography.Xml.Reference("#_feed") { DigestMethod = "http://www.w3.org/2001/04/xmlenc#sha256" };
        reference.AddTransform(new System.Security.Cryptography.Xml.XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new System.Security.Cryptography.Xml.XmlDsigExcC14NTransform());
        signed.AddReference(reference);
        signed.ComputeSignature();
        root.InsertBefore(document.ImportNode(signed.GetXml(), deep: true), root.FirstChild);
        return document.OuterXml;
    }

    internal static string Entity(string id, string name = "Partner", string acs = "https://sp.example/acs", string? key = null, DateTimeOffset? validUntil = null) =>
        $"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{id}"{(validUntil is { } until ? $" validUntil=\"{until:yyyy-MM-dd'T'HH:mm:ss'Z'}\"" : "")}><SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><Extensions><mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"><mdui:DisplayName xml:lang="en">{name}</mdui:DisplayName></mdui:UIInfo></Extensions><KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{key ?? KeyOne}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor><AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{acs}" index="0"/></SPSSODescriptor></EntityDescriptor>""";

    private static string Certificate(RSA key, int days)
    {
        using var certificate = Commerce.Saml.SigningKey.SelfSigned(key, "sp.example", FakeClock.AtNoon().GetUtcNow().AddDays(-1), FakeClock.AtNoon().GetUtcNow().AddDays(days));
        return Convert.ToBase64String(certificate.RawData);
    }

    private static string Pem(RSA key, string name)
    {
        using var certificate = Commerce.Saml.SigningKey.SelfSigned(key, name, FakeClock.AtNoon().GetUtcNow(), FakeClock.AtNoon().GetUtcNow().AddYears(3));
        return certificate.ExportCertificatePem();
    }
}
