namespace Commerce.Saml;

/// <summary>Every way this library says no. The codes are stable: logs, tests and documents name them.</summary>
public static class FaultCodes
{
    /// <summary>The transport form is broken: parameters missing or repeated, Base64 or DEFLATE not strict, over a size cap.</summary>
    public const string BindingInvalid = "saml.binding_invalid";

    /// <summary>The XML gate refused the document: not well-formed, DTD, comment, CDATA, processing instruction, over a cap.</summary>
    public const string XmlRefused = "saml.xml_refused";

    /// <summary>Two elements carry the same value in an identifier attribute, whichever its spelling.</summary>
    public const string DuplicateId = "saml.duplicate_id";

    /// <summary>An element is missing, repeated, or stands where the schema does not allow it.</summary>
    public const string StructureInvalid = "saml.structure_invalid";

    /// <summary>A signature was required and none is there.</summary>
    public const string SignatureMissing = "saml.signature_missing";

    /// <summary>The signature has a shape that is not accepted: references, transforms, position.</summary>
    public const string SignatureShape = "saml.signature_shape";

    /// <summary>An algorithm outside the allow-list.</summary>
    public const string AlgorithmRefused = "saml.algorithm_refused";

    /// <summary>No pinned key of the sender verifies the signature.</summary>
    public const string SignatureInvalid = "saml.signature_invalid";

    /// <summary>The sender has no usable key, so nothing it signs can be verified.</summary>
    public const string NoUsableKey = "saml.no_usable_key";

    /// <summary>A key is too short, of an unknown kind or cannot be read.</summary>
    public const string KeyRefused = "saml.key_refused";

    public const string VersionInvalid = "saml.version_invalid";
    public const string IdInvalid = "saml.id_invalid";
    public const string InstantInvalid = "saml.instant_invalid";
    public const string IssuerInvalid = "saml.issuer_invalid";
    public const string DestinationInvalid = "saml.destination_invalid";

    /// <summary>The assertion consumer service asked for is not one of the service provider's.</summary>
    public const string AcsInvalid = "saml.acs_invalid";

    public const string AuthnContextInvalid = "saml.authn_context_invalid";
    public const string SubjectInvalid = "saml.subject_invalid";
    public const string AudienceInvalid = "saml.audience_invalid";
    public const string RecipientInvalid = "saml.recipient_invalid";
    public const string InResponseToInvalid = "saml.in_response_to_invalid";
    public const string ConditionsInvalid = "saml.conditions_invalid";
    public const string StatementInvalid = "saml.statement_invalid";

    /// <summary>The identity provider answered with a status other than Success.</summary>
    public const string StatusNotSuccess = "saml.status_not_success";

    /// <summary>The message was validly signed, but names no session that its sender takes part in.</summary>
    public const string SessionUnknown = "saml.session_unknown";

    public const string Expired = "saml.expired";
    public const string Replayed = "saml.replayed";

    /// <summary>A value that XML 1.0 cannot carry, or longer than the specification allows.</summary>
    public const string ValueInvalid = "saml.value_invalid";

    public const string DecryptionFailed = "saml.decryption_failed";
    public const string MetadataInvalid = "saml.metadata_invalid";

    /// <summary>A fault of this library, caught at its boundary. Refused all the same.</summary>
    public const string Internal = "saml.internal";
}
