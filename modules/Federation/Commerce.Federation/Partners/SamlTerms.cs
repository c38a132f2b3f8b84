using Commerce.Saml;

namespace Commerce.Federation.Partners;

/// <summary>What the data contract says about SAML: which name the customer goes by, and whether assertions are encrypted.</summary>
/// <param name="NameId">Format of the name where a request leaves it open; one of <see cref="NameIdFormats"/>. The e-mail address is only ever
/// a name where this says so.</param>
/// <param name="Encryption">Default: as the service provider's metadata says.</param>
/// <param name="SubjectId">The attribute subject-id may go to who asks for it. It is the same at every partner, so partners can match customers by it.</param>
/// <param name="SignAssertion">The assertion is signed too, although the metadata does not ask for it: for service providers that forgot to say so.</param>
internal sealed record SamlTerms(string NameId, AssertionEncryptionWish Encryption, bool SubjectId, bool SignAssertion)
{
    public static readonly SamlTerms Default = new(NameIdFormats.Persistent, AssertionEncryptionWish.AsMetadataSays, false, false);

    public static SamlTerms Read(JsonReader? json, IReadOnlyList<ContractPurpose> purposes)
    {
        if (json is null) return Default;
        var name = json.Text("name_id", 16) switch
        {
            null or "persistent" => NameIdFormats.Persistent,
            "transient" => NameIdFormats.Transient,
            "email" => NameIdFormats.EmailAddress,
            _ => "",
        };
        if (name.Length == 0) json.No("name_id", "\"persistent\", \"transient\" or \"email\" is expected.");
        if (name == NameIdFormats.EmailAddress && !purposes.All(p => p.Claims.Any(c => c is { Name: "email", Required: true })))
            json.No("name_id", "The e-mail address can be the name only where every purpose has the claim \"email\", required.");
        var encryption = json.Text("encryption", 16) switch
        {
            null or "metadata" => AssertionEncryptionWish.AsMetadataSays,
            "never" => AssertionEncryptionWish.Never,
            "always" => AssertionEncryptionWish.Always,
            "legacy" => AssertionEncryptionWish.AlwaysEvenLegacy,
            _ => (AssertionEncryptionWish?)null,
        };
        if (encryption is null) json.No("encryption", "\"metadata\", \"always\", \"never\" or \"legacy\" is expected.");
        var subjectId = json.Flag("subject_id");
        var signAssertion = json.Flag("sign_assertion");
        json.Close();
        return new SamlTerms(name, encryption ?? AssertionEncryptionWish.AsMetadataSays, subjectId, signAssertion);
    }
}
