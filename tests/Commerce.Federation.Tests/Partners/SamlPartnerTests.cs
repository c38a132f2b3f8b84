using System.Security.Cryptography;
using Commerce.Federation.Contracts;
using Commerce.Federation.Partners;
using Commerce.Kernel.Secrets;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Partners;

/// <summary>Registering SAML service providers, one by one and a federation at once.</summary>
public sealed class SamlPartnerTests(PartnerHub world) : IClassFixture<PartnerHub>
{
    private static readonly string Certificate = MakeCertificate(2048);

    [Fact]
    public async Task A_service_provider_with_a_contract_gets_credentials_for_the_api()
    {
        var added = (await AddAsync(Entity("https://fitter.example/saml", "Kolari Auto"), Documents.Contract(c => c["partner"] = "kolari-saml"))).Value;
        Assert.Equal(("kolari-saml", "https://fitter.example/saml", "saml"), (added.Partner, added.Connection, added.Protocol));
        Assert.Null(added.Secret);

        var connections = world.Hub.Services.GetRequiredService<Connections>();
        var saml = (await connections.FindAsync(added.Connection))!;
        Assert.Equal(("Kolari Auto", "sp.example", true), (saml.Name, saml.LandingHost, saml.TakesCustomers));
        var api = (await connections.FindAsync(added.ApiClientId))!;
        Assert.True(api.SecretIs(world.Hub.Services.GetRequiredService<LookupHash>(), added.ApiClientSecret!));
        Assert.Equal(["bookings:write"], api.Oidc!.Scopes);
        Assert.Equal(["client_credentials"], api.Oidc.GrantTypes);
        Assert.False(api.TakesCustomers);
    }

    [Fact]
    public async Task The_same_entity_once_more_takes_the_new_metadata_in_and_makes_no_second_client()
    {
        var first = (await AddAsync(Entity("https://again.example/saml", "Old name"), Documents.Contract(c => c["partner"] = "again"))).Value;
        var second = (await AddAsync(Entity("https://again.example/saml", "New name"), Documents.Contract(c => c["partner"] = "again"))).Value;
        Assert.Equal(first.Partner, second.Partner);
        Assert.Null(second.ApiClientId);
        Assert.Equal("New name", (await world.Hub.Services.GetRequiredService<Connections>().FindAsync(first.Connection))!.Name);
        var taken = await AddAsync(Entity("https://again.example/saml", "New name"), Documents.Contract(c => c["partner"] = "somebody-else"));
        Assert.Equal("federation.partner_invalid", taken.Refusal?.Code);
    }

    [Fact]
    public async Task Two_protocols_of_one_partner_share_its_contract()
    {
        var contract = Documents.Contract(c => c["partner"] = "both");
        Assert.True((await AddAsync(Entity("https://both.example/saml", "Both"), contract)).IsOk);
        Assert.Equal("both", (await world.AddAsync(Documents.Client(), contract, "both-oidc")).Value.Partner);
    }

    [Theory]
    [InlineData("<nonsense/>")]
    [InlineData("")]
    [InlineData("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>")]
    public async Task What_is_no_metadata_is_refused(string metadata) => Assert.Equal("federation.partner_invalid", (await AddAsync(metadata)).Refusal?.Code);

    [Fact]
    public async Task X17_an_assertion_consumer_service_on_plain_http_is_refused_outside_development()
    {
        var plain = Entity("https://plain.example/saml", "Plain").Replace("https://sp.example/acs", "http://sp.example/acs", StringComparison.Ordinal);
        Assert.False((await AddAsync(plain)).IsOk);
        Assert.True((await world.Development.AskAsync(new AddSamlPartner(plain, null, null))).IsOk);
    }

    [Fact]
    public async Task Of_an_aggregate_one_is_named_or_all_are_taken()
    {
        var aggregate = Aggregate(Entity("https://a.example/sp", "A"), Entity("https://b.example/sp", "B"),
            Entity("https://c.example/sp", "C").Replace("HTTP-POST", "HTTP-Artifact", StringComparison.Ordinal));
        Assert.False((await AddAsync(aggregate)).IsOk);
        Assert.Equal("b", (await world.Hub.AskAsync(new AddSamlPartner(aggregate, "https://b.example/sp", null))).Value.Partner);

        var all = (await world.Hub.AskAsync(new AddSamlFederation(aggregate, Documents.Contract()))).Value;
        Assert.Equal(["https://a.example/sp", "https://b.example/sp"], all.Added.Select(a => a.Connection));
        Assert.Equal(all.Added.Count, all.Added.Select(a => a.Partner).Distinct().Count());
        Assert.Equal("https://c.example/sp", Assert.Single(all.Skipped).EntityId);
        Assert.EndsWith(".", all.Skipped[0].Reason, StringComparison.Ordinal);
        var contract = (await world.Hub.Services.GetRequiredService<Connections>().FindAsync("https://a.example/sp"))!.Contract!;
        Assert.Equal(all.Added[0].Partner, contract.Partner);
    }

    [Fact]
    public async Task The_real_federation_file_is_taken_in_with_a_reason_for_each_entity_left_out()
    {
        var file = SharedFile("data/saml-metadata/swamid-1.0.xml");
        if (file is null) Assert.Skip("../shared/data/saml-metadata/swamid-1.0.xml is not there.");
        await using var hub = await PartnerHub.StartAsync(development: false);

        var all = (await hub.AskAsync(new AddSamlFederation(await File.ReadAllTextAsync(file), Documents.Contract()))).Value;

        Assert.Equal(137, all.Added.Count + all.Skipped.Count);
        Assert.True(all.Skipped.Count >= 29, $"{all.Skipped.Count} were left out");
        Assert.All(all.Skipped, s => Assert.False(string.IsNullOrWhiteSpace(s.Reason)));
        Assert.Equal(all.Added.Count, all.Added.Select(a => a.Partner).Distinct().Count());
        var listed = await hub.AskAsync(new ListPartners());
        Assert.Equal(all.Added.Count, listed.Count(p => p.Protocol == "saml"));
        Assert.All(listed.Where(p => p.Protocol == "saml"), p => Assert.True(p is { IsActive: true, ContractVersion: 1 }));
        foreach (var one in all.Added.Take(10)) Assert.True((await hub.AskAsync(new CheckPartner(one.Partner))).IsOk);

        // Once more: nothing doubles.
        var again = (await hub.AskAsync(new AddSamlFederation(await File.ReadAllTextAsync(file), Documents.Contract()))).Value;
        Assert.Equal(all.Added.Select(a => (a.Connection, a.Partner)), again.Added.Select(a => (a.Connection, a.Partner)));
        Assert.Equal(listed.Count, (await hub.AskAsync(new ListPartners())).Count);
    }

    private Task<Commerce.Kernel.Result<AddedPartner>> AddAsync(string metadata, string? contract = null) => world.Hub.AskAsync(new AddSamlPartner(metadata, null, contract));

    private static string Aggregate(params string[] entities) =>
        $"""<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">{string.Concat(entities)}</EntitiesDescriptor>""";

    private static string Entity(string id, string name) => $"""
        <EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{id}"><SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><Extensions><mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"><mdui:DisplayName xml:lang="en">{name}</mdui:DisplayName></mdui:UIInfo></Extensions><KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{Certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor><AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example/acs" index="0"/></SPSSODescriptor></EntityDescriptor>
        """;

    private static string MakeCertificate(int bits)
    {
        using var rsa = RSA.Create(bits);
        using var certificate = Commerce.Saml.SigningKey.SelfSigned(rsa, "sp.example", FakeClock.AtNoon().GetUtcNow(), FakeClock.AtNoon().GetUtcNow().AddYears(3));
        return Convert.ToBase64String(certificate.RawData);
    }

    private static string? SharedFile(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", path);
            if (File.Exists(file)) return file;
        }
        return null;
    }
}
