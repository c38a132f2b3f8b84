using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Saml;

namespace Commerce.Federation.Saml;

/// <summary>The attributes pairwise-id and subject-id, for service providers whose metadata asks for one.</summary>
/// <remarks>SAML V2.0 Subject Identifier Attributes Profile 1.0 §2, §3. What is asked for is an entity attribute of the service provider.</remarks>
internal sealed class SubjectIdentifiers(HubSettings settings, SharedSecrets secrets)
{
    public const string Asked = "urn:oasis:names:tc:SAML:profiles:subject-id:req";
    public const string PairwiseId = "urn:oasis:names:tc:SAML:attribute:pairwise-id";
    public const string SubjectId = "urn:oasis:names:tc:SAML:attribute:subject-id";

    /// <summary>The part after the at sign; our metadata says that it is ours to give.</summary>
    public static string ScopeOf(HubSettings settings) => new Uri(settings.PublicOrigin).Host;

    /// <returns>Null where none is asked for, or where subject-id is and the data contract does not allow a name that partners can match.</returns>
    public SamlAttribute? For(Connection connection, Guid customer)
    {
        if (connection.Saml?.EntityAttributes.TryGetValue(Asked, out var asked) != true || asked!.Count == 0) return null;
        var salted = secrets.HashBy(PairwiseSubject.Salt);
        if (asked.Contains("pairwise-id") || asked.Contains("any"))
            return new SamlAttribute(PairwiseId, [$"{PairwiseSubject.For("pairwise-id\n" + connection.Sector, customer, salted)}@{ScopeOf(settings)}"], "pairwise-id");
        return asked.Contains("subject-id") && connection.Contract?.Saml.SubjectId == true
            ? new SamlAttribute(SubjectId, [$"{PairwiseSubject.For("subject-id", customer, salted)}@{ScopeOf(settings)}"], "subject-id")
            : null;
    }
}
