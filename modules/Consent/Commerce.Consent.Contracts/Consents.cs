using Commerce.Kernel;
using MediatR;

namespace Commerce.Consent.Contracts;

/// <summary>The customer's standing consent for one partner and purpose, or null where there is none or it was withdrawn or replaced.</summary>
public sealed record CurrentConsent(Guid Customer, string Partner, string Purpose) : IRequest<ConsentRecord?>;

/// <summary>The standing consent under this receipt, or null once it is withdrawn or replaced. Asked at every release.</summary>
public sealed record ConsentUnderReceipt(string Receipt) : IRequest<ConsentRecord?>;

/// <param name="Receipt">Id of the signed consent receipt. It goes into every token and assertion made under this consent.</param>
/// <param name="ContractVersion">Version of the partner's data contract that the customer saw.</param>
/// <param name="Granted">Claim names that may leave.</param>
/// <param name="Declined">Optional claim names that the customer left out. They are not asked for again under this version.</param>
public sealed record ConsentRecord(
    Guid Id, string Receipt, Guid Customer, string Partner, string Purpose, int ContractVersion,
    IReadOnlyList<string> Granted, IReadOnlyList<string> Declined, DateTimeOffset GivenAt);

/// <summary>
/// Records the customer's yes: the per-claim consent, a signed receipt, and an entry in the ledger, in one transaction. An earlier
/// consent for the same partner and purpose is replaced.
/// </summary>
/// <param name="PurposeText">The purpose as the customer read it, in <paramref name="Language"/>.</param>
/// <param name="LegalBasis"><c>consent</c> or <c>contract</c>, from the data contract.</param>
/// <param name="Landing">Host on which the customer was told they would land, or null.</param>
public sealed record GiveConsent(
    Guid Customer, string Partner, string PartnerName, string Purpose, int ContractVersion, string PurposeText, string Language,
    string LegalBasis, int RetentionDays, string? Landing, IReadOnlyList<ConsentedClaim> Granted, IReadOnlyList<ConsentedClaim> Declined)
    : IRequest<Result<ConsentRecord>>;

/// <param name="Required">The service cannot be had without it.</param>
/// <param name="Reason">Why the partner needs it, as the customer read it.</param>
public sealed record ConsentedClaim(string Name, bool Required, string Reason);

/// <summary>Withdraws the consent under this receipt, if it is the customer's. From this moment nothing leaves under it.</summary>
public sealed record WithdrawConsent(Guid Customer, string Receipt) : IRequest<Result<ConsentRecord>>;

/// <summary>A consent was withdrawn. Federation ends the partner's grants that stood on it.</summary>
public sealed record ConsentWithdrawn(Guid Customer, string Partner, string Purpose, string Receipt, DateTimeOffset At) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"customer:{Customer:N}";
}

/// <summary>
/// Values left for a partner. Told by Federation in the transaction that issued the code, token or assertion; Consent writes it into the
/// ledger. Declared here because Federation already asks Consent, and modules' questions must not run in a ring.
/// </summary>
/// <param name="Release">Id of the release: recording it twice writes one entry.</param>
/// <param name="Protocol"><c>oidc</c> or <c>saml</c>.</param>
/// <param name="ValuesHash">Keyed hash of the released values, base64url: proves later what left without keeping it here.</param>
public sealed record ClaimsReleased(
    Guid Release, Guid Customer, string Partner, string Connection, string Protocol, string Purpose, string? Receipt, string? Hop,
    IReadOnlyList<string> Claims, string ValuesHash, DateTimeOffset At) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"customer:{Customer:N}";
}

/// <summary>Recomputes the ledger's hash chain from its first entry and holds it against the anchor kept outside the database.</summary>
public sealed record VerifyLedger : IRequest<LedgerVerdict>;

/// <param name="FirstBroken">Number of the first entry that does not fit, or null.</param>
/// <param name="Finding">What was found, in a sentence.</param>
public sealed record LedgerVerdict(bool IsIntact, long Entries, long? FirstBroken, string Finding);
