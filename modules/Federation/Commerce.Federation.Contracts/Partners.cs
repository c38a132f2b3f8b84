using Commerce.Kernel;
using MediatR;

namespace Commerce.Federation.Contracts;

/// <summary>Adds an OIDC connection. The partner is made where it is new.</summary>
/// <param name="ClientMetadata">RFC 7591 client metadata, JSON.</param>
/// <param name="Contract">The partner's data contract, JSON, or null to keep or have none. Its <c>partner</c> member names the partner.</param>
/// <param name="ClientId">A client id to use instead of a random one, or null.</param>
public sealed record AddOidcPartner(string ClientMetadata, string? Contract, string? ClientId = null) : IRequest<Result<AddedPartner>>;

/// <summary>Adds one SAML service provider from its metadata.</summary>
/// <param name="EntityId">Which entity of an aggregate; null where the file holds one.</param>
/// <param name="SignedBy">Certificates, PEM, one of which must have signed the document; null where its signature is not looked at.</param>
public sealed record AddSamlPartner(string Metadata, string? EntityId, string? Contract, string? SignedBy = null) : IRequest<Result<AddedPartner>>;

/// <summary>Adds every SAML 2.0 service provider of a federation's aggregate.</summary>
/// <param name="Contract">A data contract given to each of them, or null. Its <c>partner</c> member is then replaced.</param>
/// <param name="SignedBy">As with one service provider.</param>
public sealed record AddSamlFederation(string Metadata, string? Contract, string? SignedBy = null) : IRequest<Result<AddedFederation>>;

/// <param name="Secret">Shown once and stored hashed; null where the client proves itself with a key.</param>
/// <param name="ApiClientId">Credentials for the hub's API that come with a SAML connection; null for OIDC, whose client is its own.</param>
/// <param name="Notes">What an operator should know, such as a weak key that was left out.</param>
public sealed record AddedPartner(
    string Partner, string Connection, string Protocol, string? ClientId, string? Secret, string? ApiClientId, string? ApiClientSecret, IReadOnlyList<string> Notes);

public sealed record AddedFederation(IReadOnlyList<AddedPartner> Added, IReadOnlyList<SkippedEntity> Skipped);

/// <param name="Reason">Why the hub cannot serve it, in a sentence.</param>
public sealed record SkippedEntity(string EntityId, string Reason);

/// <summary>Gives a partner a new version of its data contract. A version that is not higher than the one in force is refused.</summary>
public sealed record SetDataContract(string Contract) : IRequest<Result<int>>;

public sealed record ListPartners : IRequest<IReadOnlyList<PartnerSummary>>;

/// <param name="Connection">Client id or SAML entity id.</param>
public sealed record PartnerSummary(
    string Partner, string Name, string Protocol, string Connection, bool IsActive, int? ContractVersion, IReadOnlyList<string> Offers, DateTimeOffset AddedAt);

/// <summary>Explains a partner's registration in sentences: endpoints, certificates, keys, contract, offers.</summary>
public sealed record CheckPartner(string Partner) : IRequest<Result<PartnerReport>>;

public sealed record PartnerReport(string Partner, bool IsHealthy, IReadOnlyList<PartnerFinding> Findings);

/// <param name="Level"><c>ok</c>, <c>warning</c> or <c>error</c>.</param>
public sealed record PartnerFinding(string Level, string Subject, string Message);

/// <summary>Removes a partner: its connections, offers and grants stop working at once. Its ledger entries stay.</summary>
public sealed record RemovePartner(string Partner) : IRequest<Result<bool>>;

/// <summary>Switches a partner off or on again without removing it.</summary>
public sealed record SwitchPartner(string Partner, bool Active) : IRequest<Result<bool>>;

/// <summary>Makes an initial access token (RFC 7591) with which a partner registers OIDC clients of its own.</summary>
/// <param name="Policy">What these clients may be, JSON; null for sign-in clients with every customer scope.</param>
/// <param name="Uses">How many clients, 1 to 1000.</param>
/// <param name="Days">How long it is good, 1 to 365.</param>
public sealed record MintRegistrationToken(string Partner, string? Policy, int Uses, int Days) : IRequest<Result<RegistrationToken>>;

/// <param name="Token">Shown once and stored hashed.</param>
public sealed record RegistrationToken(string Partner, string Token, int Uses, DateTimeOffset ExpiresAt);

/// <summary>Registers an API whose access tokens the hub issues, or replaces it: identifier, name, scopes, and the client with which it introspects.</summary>
public sealed record PutApiResource(string Json) : IRequest<Result<string>>;

/// <summary>Every API, the hub's own first.</summary>
public sealed record ListApiResources : IRequest<IReadOnlyList<ApiResourceSummary>>;

/// <param name="Identifier">Audience of its tokens.</param>
/// <param name="Client">Client id with which it introspects, or null.</param>
public sealed record ApiResourceSummary(string Identifier, string Name, string? Client, IReadOnlyList<string> Scopes);

/// <summary>Puts an OIDC client's policy in force: APIs and scopes, grants, life of tokens, DPoP and pushed requests, rate.</summary>
public sealed record SetClientPolicy(string Json) : IRequest<Result<string>>;

public sealed record ListClientPolicies : IRequest<IReadOnlyList<ClientPolicySummary>>;

/// <param name="Resources">One entry for each API: identifier and scopes.</param>
public sealed record ClientPolicySummary(
    string Client, string Partner, IReadOnlyList<string> Resources, IReadOnlyList<string>? Scopes, IReadOnlyList<string>? GrantTypes, int? AccessTokenSeconds, bool RequireDpop,
    bool RequirePushedRequests, int? RequestsPerMinute);

/// <summary>Adds or replaces an offer.</summary>
public sealed record PutOffer(string Offer) : IRequest<Result<string>>;

public sealed record ListKeys : IRequest<IReadOnlyList<KeySummary>>;

/// <summary>Next keys become active, active ones are retired, and new next keys are made.</summary>
/// <param name="Purpose">One purpose, or null for all.</param>
/// <param name="Emergency">The active key may be in foreign hands: it is published no more, and what it signed is refused from now on.</param>
public sealed record RotateKeys(string? Purpose, bool Emergency = false) : IRequest<Result<IReadOnlyList<KeySummary>>>;

/// <summary>Makes a key of a hardware module the next one of a purpose.</summary>
/// <param name="Engine">OpenSSL engine that reaches the module, or null.</param>
/// <param name="Provider">OpenSSL provider that reaches it, or null. Exactly one of the two is given.</param>
/// <param name="Address">The key's name there, such as a PKCS #11 URI.</param>
public sealed record AdoptKey(string Purpose, string? Engine, string? Provider, string Address) : IRequest<Result<IReadOnlyList<KeySummary>>>;

/// <param name="State"><c>next</c>, <c>active</c>, <c>retired</c> or <c>revoked</c>.</param>
/// <param name="Store"><c>embedded</c> or <c>hardware</c>.</param>
public sealed record KeySummary(
    string Kid, string Purpose, string Algorithm, string State, string Store, DateTimeOffset CreatedAt, DateTimeOffset? ActivatedAt, DateTimeOffset? RetiredAt);
