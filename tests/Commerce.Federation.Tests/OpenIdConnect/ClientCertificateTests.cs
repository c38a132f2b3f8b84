using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Commerce.Federation.OpenIdConnect;
using Commerce.Federation.Partners;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>Which certificate is a client's (RFC 8705 §2.1.2), before any connection.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private static readonly DateTimeOffset From = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), Until = From.AddDays(30);
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => key.Dispose();

    private X509Certificate2 Make(X500DistinguishedName subject, X509Extension? names = null)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (names is not null) request.CertificateExtensions.Add(names);
        return request.CreateSelfSigned(From, Until);
    }

    private static OidcClient Named(string subject) => new() { ClientName = "Till", TlsClientAuthSubjectDn = subject };

    [Fact]
    public void RFC8705_a_certificate_counts_from_its_first_second_to_its_last()
    {
        using var certificate = Make(new X500DistinguishedName("CN=till"));
        var client = Named("CN=till");
        Assert.False(ClientCertificate.Fits(client, certificate, From.AddSeconds(-1)));
        Assert.True(ClientCertificate.Fits(client, certificate, From));
        Assert.True(ClientCertificate.Fits(client, certificate, Until));
        Assert.False(ClientCertificate.Fits(client, certificate, Until.AddSeconds(1)));
    }

    [Fact]
    public void RFC8705_a_subject_is_the_same_part_by_part_and_never_where_a_part_has_two_attributes()
    {
        using var plain = Make(new X500DistinguishedName("CN=till,O=Kolari,C=FI"));
        Assert.True(ClientCertificate.Fits(Named("CN=till, O=Kolari, C=FI"), plain, From));
        foreach (var other in new[] { "CN=till,O=Kolari", "CN=till,C=FI,O=Kolari", "CN=Till,O=Kolari,C=FI", "CN=till,O=Kolari,C=SE", "OU=till,O=Kolari,C=FI" })
            Assert.False(ClientCertificate.Fits(Named(other), plain, From), other);

        // CN and O in one step of the name: RFC 4514 writes them with a plus sign.
        var together = new X500DistinguishedName([0x30, 0x1d, 0x31, 0x1b, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x04, .. "till"u8, 0x30, 0x0c, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x05, .. "other"u8]);
        using var merged = Make(together);
        foreach (var asked in new[] { "CN=till", "O=other", "CN=till,O=other" }) Assert.False(ClientCertificate.Fits(Named(asked), merged, From), asked);
    }

    [Fact]
    public void RFC8705_one_alternative_name_is_looked_for_under_its_own_kind_and_others_are_passed_over()
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUserPrincipalName("till@kolari.example");     // a kind that nothing here asks for
        names.AddDnsName("till.kolari.example");
        names.AddUri(new Uri("urn:kolari:till"));
        names.AddEmailAddress("till@kolari.example");
        names.AddIpAddress(System.Net.IPAddress.Parse("192.0.2.7"));
        using var certificate = Make(new X500DistinguishedName("CN=till"), names.Build());
        bool Fits(OidcClient client) => ClientCertificate.Fits(client, certificate, From);
        var none = new OidcClient { ClientName = "Till" };
        Assert.True(Fits(none with { TlsClientAuthSanDns = "TILL.kolari.example" }));
        Assert.True(Fits(none with { TlsClientAuthSanUri = "urn:kolari:till" }));
        Assert.True(Fits(none with { TlsClientAuthSanEmail = "till@kolari.example" }));
        Assert.True(Fits(none with { TlsClientAuthSanIp = "192.0.2.7" }));
        Assert.False(Fits(none));
        Assert.False(Fits(none with { TlsClientAuthSanDns = "till@kolari.example" }));
        Assert.False(Fits(none with { TlsClientAuthSanUri = "URN:kolari:till" }));
        Assert.False(Fits(none with { TlsClientAuthSanEmail = "till.kolari.example" }));
        Assert.False(Fits(none with { TlsClientAuthSanIp = "192.0.2.8" }));
    }
}
