using System.Globalization;
using System.Resources;
using System.Security.Cryptography;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Saml;
using Microsoft.Extensions.Configuration;

namespace Commerce.Federation.Saml;

/// <summary>The hub's name, addresses and key as a SAML identity provider. Follows key rotation.</summary>
internal sealed class SamlIdentity(HubSettings settings, SigningKeys keys, TimeProvider clock, IConfiguration? configuration = null)
{
    public const string KeyPurposeName = "saml-rs256";

    /// <summary>SAML keys sign for SAML only; service providers expect a certificate around them.</summary>
    public static readonly KeyPurpose KeyPurpose = new(KeyPurposeName, "RS256", WithCertificate: true);

    public const string CurvePurposeName = "saml-es256";

    /// <summary>For service providers whose metadata lists ECDSA and no RSA algorithm. Used and published where <c>Saml:EllipticCurveKey</c> says so.</summary>
    public static readonly KeyPurpose CurvePurpose = new(CurvePurposeName, "ES256", WithCertificate: true);

    // Off until an operator wants it: some service providers stumble over metadata with a key that is no RSA one.
    private readonly bool hasCurve = configuration?.GetValue<bool>("Saml:EllipticCurveKey") ?? false;

    /// <summary>Anybody may fetch the metadata; it is signed anew this often at most.</summary>
    private static readonly TimeSpan MetadataFreshness = TimeSpan.FromMinutes(1);

    private sealed record Current(string Kid, string? CurveKid, IdentityProvider Provider);

    private sealed record Published(string Kids, byte[] Xml, DateTimeOffset At);

    private Current? current;
    private Published? published;

    /// <summary>The address of the metadata is also the entity id (SAML Metadata 4.1.1).</summary>
    public string EntityId { get; } = settings.PublicOrigin + "/saml/metadata";

    public string Origin { get; } = settings.PublicOrigin;

    public string SsoUrl { get; } = settings.PublicOrigin + "/saml/sso";

    /// <summary>A hardware module signs responses.</summary>
    public bool SignsInHardware => keys.ActiveOf(KeyPurposeName).IsInHardware || (hasCurve && keys.ActiveOf(CurvePurposeName).IsInHardware);

    /// <summary>The identity provider with the key that signs now.</summary>
    public IdentityProvider Provider
    {
        get
        {
            var key = keys.ActiveOf(KeyPurposeName);
            var curve = hasCurve ? keys.ActiveOf(CurvePurposeName) : null;
            if (Volatile.Read(ref current) is { } known && known.Kid == key.Kid && known.CurveKid == curve?.Kid) return known.Provider;
            var made = new IdentityProvider(
                new IdentityProviderSettings
                {
                    EntityId = EntityId, SsoRedirectUrl = SsoUrl, SsoPostUrl = SsoUrl, SigningKey = Of(key),
                    OtherSigningKeys = curve is null ? [] : [new Commerce.Saml.SigningKey((ECDsa)curve.Key, curve.Certificate!)],
                    SignAssertions = false,     // the response always is (SAML2Int SDP-IDP09); an assertion too where the service provider asks (S17)
                    OffersArtifacts = true, NameIdFormats = CustomerName.Formats, ContextClasses = AcrLadder.SamlClasses,
                }, clock);
            Volatile.Write(ref current, new Current(key.Kid, curve?.Kid, made));
            return made;
        }
    }

    /// <summary>Our metadata, signed with the key that signs responses.</summary>
    public byte[] Metadata()
    {
        var now = clock.GetUtcNow();
        var kids = string.Join(' ', SigningKeysOf().Select(k => k.Kid));
        if (Volatile.Read(ref published) is { } held && held.Kids == kids && now - held.At < MetadataFreshness) return held.Xml;
        var made = new Published(kids, WriteMetadata(), now);
        Volatile.Write(ref published, made);
        return made.Xml;
    }

    private byte[] WriteMetadata()
    {
        var provider = Provider;
        var texts = new ResourceManager(typeof(Texts));
        var languages = Web.WebRegistration.Languages;
        return provider.WriteMetadata(new IdentityProviderDescription
        {
            DisplayNames = languages.ToDictionary(language => language, _ => settings.RetailerName),
            Descriptions = languages.ToDictionary(language => language, language => string.Format(
                CultureInfo.InvariantCulture, texts.GetString("saml_idp_description", CultureInfo.GetCultureInfo(language))!, settings.RetailerName)),
            NextCertificates = [.. SigningKeysOf().Where(k => k.State == KeyState.Next).Select(k => Convert.ToBase64String(k.Certificate!.RawData))],
            ArtifactResolutionServices = [new SamlEndpoint(SamlBindings.Soap, Origin + ArtifactResolutionService.Path)],
            SingleLogoutServices = [.. LogoutIdentity.Addresses(Origin).Select(address => new SamlEndpoint(address.Key, address.Value))],
            EncryptionCertificates = [.. keys.PublishedOf(LogoutIdentity.DecryptionPurposeName).Select(k => Convert.ToBase64String(k.Certificate!.RawData)).Take(1)],
            Scopes = [SubjectIdentifiers.ScopeOf(settings)],
            ErrorUrl = settings.PublicOrigin + "/saml/error",
            OrganizationNames = languages.ToDictionary(language => language, _ => settings.RetailerName),
            OrganizationUrl = configuration?["Saml:OrganizationUrl"] ?? settings.PublicOrigin,
            TechnicalContact = configuration?["Saml:TechnicalContact"],
            SupportContact = configuration?["Saml:SupportContact"],
            EntityAttributes = EntityAttributes(),
            CacheDuration = TimeSpan.FromHours(1),
            ValidFor = TimeSpan.FromDays(14),
            MetadataSigningKey = provider.Settings.SigningKey,
        });
    }

    private IEnumerable<Kernel.Secrets.SigningKey> SigningKeysOf() =>
        hasCurve ? keys.PublishedOf(KeyPurposeName).Concat(keys.PublishedOf(CurvePurposeName)) : keys.PublishedOf(KeyPurposeName);

    /// <summary>The configuration's <c>Saml:EntityCategories</c> and <c>Saml:AssuranceCertifications</c>, values separated by blanks: what a federation has granted us.</summary>
    private Dictionary<string, IReadOnlyList<string>> EntityAttributes()
    {
        var attributes = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        Add("http://macedir.org/entity-category-support", "Saml:EntityCategories");
        Add("urn:oasis:names:tc:SAML:attribute:assurance-certification", "Saml:AssuranceCertifications");
        return attributes;

        void Add(string name, string setting)
        {
            if (configuration?[setting]?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } values) attributes[name] = values;
        }
    }

    private static Commerce.Saml.SigningKey Of(Kernel.Secrets.SigningKey key) => new((RSA)key.Key, key.Certificate!);
}
