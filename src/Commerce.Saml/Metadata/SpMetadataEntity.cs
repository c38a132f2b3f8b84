using System.Globalization;
using System.Xml;

namespace Commerce.Saml;

/// <summary>Makes a <see cref="ServiceProvider"/> of one entity, or says in a sentence why that cannot be.</summary>
internal static class SpMetadataEntity
{
    private const string Md = SamlNamespaces.Metadata;
    private const string Ui = SamlNamespaces.MetadataUi;

    public static SpMetadataEntry Read(Entity entity, SpMetadataOptions options, DateTimeOffset now)
    {
        var anyRole = entity.Element.Children(Md, "SPSSODescriptor").ToList();
        SpMetadataEntry Skip(string reason) => new(entity.EntityId, anyRole.Count > 0, null, reason);

        if (entity.EntityId.Length is 0 or > 1024) return Skip("Its entityID is missing or longer than 1024 characters.");
        if (anyRole.Count == 0) return Skip("It is not a service provider.");
        if (entity.Role("SPSSODescriptor") is not { } role)
            return Skip($"It does not support SAML 2.0, only: {string.Join(' ', anyRole.Select(r => r.Attr("protocolSupportEnumeration")))}.");
        var roleUntil = MetadataValues.Instant(role.Attr("validUntil"));
        if (roleUntil.Fault is { } fault) return Skip($"{fault.Detail}");
        var until = Entity.Earliest(entity.ValidUntil, roleUntil.Value);
        if (until <= now) return Skip($"Its metadata expired at {until:u}.");

        var warnings = new List<string>();
        var services = AssertionConsumerServices(role, options.RequireHttps, warnings);
        if (!services.Exists(acs => acs.Binding == SamlBindings.HttpPost))
            return Skip(warnings.Count > 0 ? $"It has no usable assertion consumer service with HTTP-POST. {string.Join(' ', warnings)}"
                : $"It has no assertion consumer service with HTTP-POST, only: {string.Join(' ', services.Select(acs => acs.Binding))}.");

        var signingKeys = MetadataValues.Keys(role, "signing", warnings);
        var encryptionKeys = MetadataValues.Keys(role, "encryption", warnings);
        var signsRequests = Flag(role, "AuthnRequestsSigned", warnings);
        if (signsRequests && signingKeys.Count == 0)
            warnings.Add("It says that it signs its requests and has no usable key: every request of it will be refused.");
        return new SpMetadataEntry(entity.EntityId, true, new ServiceProvider
        {
            EntityId = entity.EntityId,
            AssertionConsumerServices = services,
            SigningKeys = signingKeys,
            EncryptionKeys = encryptionKeys,
            WantsEncryption = AlgorithmSupport.AsksForEncryption(role) && encryptionKeys.Exists(key => key.Rsa is not null),
            EncryptionMethods = AlgorithmSupport.EncryptionMethods(role),
            SigningMethods = AlgorithmSupport.SigningMethods(entity.Element, role),
            AuthnRequestsSigned = signsRequests,
            WantAssertionsSigned = Flag(role, "WantAssertionsSigned", warnings),
            NameIdFormats = [.. role.Children(Md, "NameIDFormat").Select(MetadataValues.Text)],
            AttributeConsumingServices = [.. role.Children(Md, "AttributeConsumingService").Select(AttributeService)],
            SingleLogoutServices = MetadataValues.Endpoints(role, "SingleLogoutService", options.RequireHttps),
            RequestInitiatorUrl = RequestInitiator(role, options.RequireHttps),
            DisplayNames = Names(entity.Element, role),
            Descriptions = MetadataValues.Localized(UiInfo(role, "Description")),
            PrivacyStatementUrls = WebOnly(MetadataValues.Localized(UiInfo(role, "PrivacyStatementURL"))),
            LogoUrl = UiInfo(role, "Logo").Select(MetadataValues.Text).FirstOrDefault(url => EndpointAddress.IsWeb(url, requireHttps: true)),
            EntityAttributes = EntityAttributes(entity.Element),
            ValidUntil = until,
            Warnings = [.. warnings.Distinct()],
        }, null);
    }

    private static List<AssertionConsumerService> AssertionConsumerServices(XmlElement role, bool requireHttps, List<string> warnings)
    {
        var services = new List<AssertionConsumerService>();
        foreach (var element in role.Children(Md, "AssertionConsumerService"))
        {
            var (binding, location) = (element.Attr("Binding") ?? "", element.Attr("Location") ?? "");
            if (!EndpointAddress.IsWeb(location, requireHttps))
                warnings.Add($"The assertion consumer service {Printable(location)} is left out: {(location.StartsWith("http://", StringComparison.Ordinal) ? "it is not on https." : "it is no plain web address.")}");
            else if (!ushort.TryParse(element.Attr("index"), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                warnings.Add($"The assertion consumer service {location} is left out: its index is no number.");
            else services.Add(new AssertionConsumerService(index, binding, location, element.Flag("isDefault") is { IsSuccess: true } flag ? flag.Value : null));
        }
        return services;
    }

    private static bool Flag(XmlElement role, string name, List<string> warnings)
    {
        if (role.Flag(name).TryGet(out var flag, out var fault) || fault is null) return flag ?? false;
        warnings.Add($"{name} is no Boolean and counts as true.");
        return true;    // the stricter reading
    }

    private static AttributeConsumingService AttributeService(XmlElement element) => new(
        int.TryParse(element.Attr("index"), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1,
        element.Flag("isDefault") is { IsSuccess: true } flag ? flag.Value : null,
        MetadataValues.Localized(element.Children(Md, "ServiceName")),
        [.. element.Children(Md, "RequestedAttribute").Where(attribute => attribute.Attr("Name") is { Length: > 0 })
            .Select(attribute => new RequestedAttribute(attribute.Attr("Name")!, attribute.Attr("FriendlyName"), attribute.Attr("isRequired") is "true" or "1"))]);

    private static string? RequestInitiator(XmlElement role, bool requireHttps) => role.Children(Md, "Extensions")
        .SelectMany(extensions => extensions.Children(SamlNamespaces.RequestInitiation, "RequestInitiator"))
        .Where(initiator => initiator.Attr("Binding") == SamlNamespaces.RequestInitiation)
        .Select(initiator => initiator.Attr("Location") ?? "").FirstOrDefault(url => EndpointAddress.IsWeb(url, requireHttps));

    private static IEnumerable<XmlElement> UiInfo(XmlElement role, string name) => role.Children(Md, "Extensions")
        .SelectMany(extensions => extensions.Children(Ui, "UIInfo")).SelectMany(info => info.Children(Ui, name));

    /// <summary>What people call it: the UI extension first, then the service's name, then the organisation's.</summary>
    private static Dictionary<string, string> Names(XmlElement entity, XmlElement role)
    {
        var names = MetadataValues.Localized(UiInfo(role, "DisplayName"));
        if (names.Count == 0)
            names = MetadataValues.Localized(role.Children(Md, "AttributeConsumingService").SelectMany(service => service.Children(Md, "ServiceName")));
        return names.Count > 0 ? names
            : MetadataValues.Localized(role.Children(Md, "Organization").Concat(entity.Children(Md, "Organization"))
                .SelectMany(organization => organization.Children(Md, "OrganizationDisplayName")));
    }

    private static Dictionary<string, IReadOnlyList<string>> EntityAttributes(XmlElement entity) => entity.Children(Md, "Extensions")
        .SelectMany(extensions => extensions.Children(SamlNamespaces.MetadataAttributes, "EntityAttributes"))
        .SelectMany(attributes => attributes.Children(SamlNamespaces.Assertion, "Attribute"))
        .Where(attribute => attribute.Attr("Name") is not null)
        .GroupBy(attribute => attribute.Attr("Name")!, StringComparer.Ordinal)
        .ToDictionary(same => same.Key, same => (IReadOnlyList<string>)
            [.. same.SelectMany(attribute => attribute.Children(SamlNamespaces.Assertion, "AttributeValue")).Select(MetadataValues.Text)], StringComparer.Ordinal);

    private static Dictionary<string, string> WebOnly(Dictionary<string, string> urls) =>
        urls.Where(url => EndpointAddress.IsWeb(url.Value, requireHttps: false)).ToDictionary(StringComparer.OrdinalIgnoreCase);

    private static string Printable(string location)
    {
        var safe = string.Concat(location.Take(200).Select(c => c is >= ' ' and <= '~' ? c : '?'));
        return safe.Length == 0 ? "without an address" : safe;
    }
}
