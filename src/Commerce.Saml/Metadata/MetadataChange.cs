namespace Commerce.Saml;

/// <summary>One difference between two records of a service provider.</summary>
/// <param name="IsSensitive">It moves customers or their data to another place, or changes whom we believe: an endpoint, a key, what has to be signed.</param>
/// <param name="Sentence">For an operator, in English.</param>
public sealed record MetadataChange(bool IsSensitive, string Sentence)
{
    /// <summary>What changes from one record to the other; empty where both say the same.</summary>
    public static IReadOnlyList<MetadataChange> Between(ServiceProvider was, ServiceProvider now)
    {
        var changes = new List<MetadataChange>();
        Compare(changes, true, was.AssertionConsumerServices.Select(Describe), now.AssertionConsumerServices.Select(Describe), "Assertion consumer service");
        Compare(changes, true, was.SingleLogoutServices.Select(Describe), now.SingleLogoutServices.Select(Describe), "Single logout service");
        Compare(changes, true, One(was.RequestInitiatorUrl), One(now.RequestInitiatorUrl), "Request initiator");
        Compare(changes, true, was.SigningKeys.Select(Describe), now.SigningKeys.Select(Describe), "Signing key");
        Compare(changes, true, was.EncryptionKeys.Select(Describe), now.EncryptionKeys.Select(Describe), "Encryption key");
        if (was.AuthnRequestsSigned != now.AuthnRequestsSigned) changes.Add(new(true, now.AuthnRequestsSigned ? "Its requests are signed from now on." : "Its requests are no longer signed."));
        if (was.WantAssertionsSigned != now.WantAssertionsSigned) changes.Add(new(true, now.WantAssertionsSigned ? "It wants assertions signed." : "It no longer asks for signed assertions."));
        Compare(changes, false, was.NameIdFormats, now.NameIdFormats, "Name identifier format");
        Compare(changes, false, Requested(was), Requested(now), "Requested attribute");
        Compare(changes, false, was.DisplayNames.Select(Describe), now.DisplayNames.Select(Describe), "Name");
        Compare(changes, false, was.Descriptions.Select(Describe), now.Descriptions.Select(Describe), "Description");
        Compare(changes, false, was.PrivacyStatementUrls.Select(Describe), now.PrivacyStatementUrls.Select(Describe), "Privacy statement");
        Compare(changes, false, was.EntityAttributes.SelectMany(Values), now.EntityAttributes.SelectMany(Values), "Entity attribute");
        return changes;
    }

    private static void Compare(List<MetadataChange> changes, bool isSensitive, IEnumerable<string> was, IEnumerable<string> now, string what)
    {
        var (before, after) = (was.ToHashSet(StringComparer.Ordinal), now.ToHashSet(StringComparer.Ordinal));
        changes.AddRange(after.Where(value => !before.Contains(value)).Select(value => new MetadataChange(isSensitive, $"{what} added: {value}.")));
        changes.AddRange(before.Where(value => !after.Contains(value)).Select(value => new MetadataChange(isSensitive, $"{what} removed: {value}.")));
    }

    private static string[] One(string? value) => value is null ? [] : [value];

    private static string Describe(AssertionConsumerService service) =>
        $"{service.Location} ({Short(service.Binding)}, index {service.Index}{(service.IsDefault == true ? ", default" : "")})";

    private static string Describe(SamlEndpoint service) => $"{service.Location} ({Short(service.Binding)}{(service.ResponseLocation is { } response ? $", responses to {response}" : "")})";

    private static string Describe(TrustedKey key) => $"SHA-256 {key.Fingerprint}";

    private static string Describe(KeyValuePair<string, string> text) => $"{text.Value} [{text.Key}]";

    private static IEnumerable<string> Values(KeyValuePair<string, IReadOnlyList<string>> attribute) => attribute.Value.Select(value => $"{attribute.Key} = {value}");

    private static IEnumerable<string> Requested(ServiceProvider provider) =>
        provider.AttributeConsumingServices.SelectMany(service => service.RequestedAttributes.Select(attribute => $"{attribute.FriendlyName ?? attribute.Name}{(attribute.IsRequired ? ", required" : "")}"));

    private static string Short(string binding) => binding[(binding.LastIndexOf(':') + 1)..];
}
