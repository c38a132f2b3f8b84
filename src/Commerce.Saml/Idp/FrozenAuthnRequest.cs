namespace Commerce.Saml;

/// <summary>
/// A validated request as plain data, to be kept by the identity provider while the customer signs in or consents. Survives
/// System.Text.Json. It is trusted as it stands, so it never leaves the identity provider: only a handle travels.
/// </summary>
public sealed record FrozenAuthnRequest(
    string Id, string ServiceProvider, string AssertionConsumerService, DateTimeOffset IssueInstant, DateTimeOffset ExpiresAt, bool IsSigned,
    bool ForceAuthn, bool IsPassive, string? NameIdFormat, bool AllowCreate, IReadOnlyList<string> AcceptableContexts, NameId? Subject,
    IReadOnlyList<RequestedAttribute> RequestedAttributes, string? ProviderName, string? RelayState, string? HopTicket, SamlStatus? MustAnswer,
    string Binding = SamlBindings.HttpPost)
{
    public static FrozenAuthnRequest Of(ValidatedAuthnRequest request) => new(
        request.Id, request.ServiceProvider.EntityId, request.AssertionConsumerService.Location, request.IssueInstant, request.ExpiresAt, request.IsSigned,
        request.ForceAuthn, request.IsPassive, request.NameIdFormat, request.AllowCreate, request.AcceptableContexts, request.Subject,
        request.RequestedAttributes, request.ProviderName, request.RelayState, request.HopTicket, request.MustAnswer, request.AssertionConsumerService.Binding);

    /// <summary>The request again, held against the service provider's record of today.</summary>
    /// <param name="serviceProvider">The enabled record of the entity that sent the request.</param>
    /// <returns>A fault where the record is another's, has run out, or no longer has the endpoint that the answer would go to.</returns>
    public SamlResult<ValidatedAuthnRequest> Thaw(ServiceProvider serviceProvider, DateTimeOffset now)
    {
        if (serviceProvider.EntityId != ServiceProvider) return new SamlFault(FaultCodes.IssuerInvalid, "The record is another service provider's.");
        if (serviceProvider.ValidUntil <= now) return new SamlFault(FaultCodes.MetadataInvalid, "The service provider's metadata is no longer valid.");
        var acs = serviceProvider.AssertionConsumerServices.FirstOrDefault(a => a.Binding == Binding && a.Location == AssertionConsumerService);
        if (acs is null) return new SamlFault(FaultCodes.AcsInvalid, "The endpoint was taken out of the service provider's record meanwhile.");
        return new ValidatedAuthnRequest
        {
            Id = Id,
            ServiceProvider = serviceProvider,
            AssertionConsumerService = acs,
            IssueInstant = IssueInstant,
            ExpiresAt = ExpiresAt,
            IsSigned = IsSigned,
            ForceAuthn = ForceAuthn,
            IsPassive = IsPassive,
            NameIdFormat = NameIdFormat,
            AllowCreate = AllowCreate,
            AcceptableContexts = AcceptableContexts,
            Subject = Subject,
            RequestedAttributes = RequestedAttributes,
            ProviderName = ProviderName,
            RelayState = RelayState,
            HopTicket = HopTicket,
            MustAnswer = MustAnswer,
        };
    }
}
