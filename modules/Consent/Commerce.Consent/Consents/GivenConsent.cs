using Commerce.Consent.Contracts;

namespace Commerce.Consent.Consents;

/// <summary>A customer's yes to one partner for one purpose, claim by claim. Holds what was agreed, never a value.</summary>
internal sealed class GivenConsent
{
    public required Guid Id { get; init; }

    /// <summary>Id of the signed receipt; goes into every token and assertion made under this consent.</summary>
    public required string Receipt { get; init; }
    public required Guid Customer { get; init; }
    public required string Partner { get; init; }
    public required string PartnerName { get; init; }
    public required string Purpose { get; init; }

    /// <summary>The purpose as the customer read it, in <see cref="Language"/>.</summary>
    public required string PurposeText { get; init; }
    public required string Language { get; init; }
    public required string LegalBasis { get; init; }
    public required int RetentionDays { get; init; }
    public required int ContractVersion { get; init; }
    public string? Landing { get; init; }
    public required DateTimeOffset GivenAt { get; init; }

    /// <summary>Null while it stands. Of one customer, partner and purpose only one stands.</summary>
    public DateTimeOffset? EndedAt { get; set; }
    public ConsentEnd? End { get; set; }
    public List<GivenClaim> Claims { get; init; } = [];

    public ConsentRecord ToRecord() => new(Id, Receipt, Customer, Partner, Purpose, ContractVersion,
        [.. Claims.Where(c => c.Granted).OrderBy(c => c.Position).Select(c => c.Name)],
        [.. Claims.Where(c => !c.Granted).OrderBy(c => c.Position).Select(c => c.Name)], GivenAt);
}

/// <summary>One claim of a consent: agreed to or left out, and why the partner asked.</summary>
internal sealed class GivenClaim
{
    public required Guid Consent { get; init; }
    public required string Name { get; init; }
    public required bool Granted { get; init; }
    public required bool Required { get; init; }
    public required string Reason { get; init; }

    /// <summary>Place on the sheet, from 0: granted ones first.</summary>
    public required int Position { get; init; }
}

internal enum ConsentEnd
{
    Withdrawn = 1,
    Replaced = 2,
}
