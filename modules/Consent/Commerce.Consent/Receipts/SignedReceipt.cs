namespace Commerce.Consent.Receipts;

/// <summary>A signed consent receipt, kept for as long as the hub keeps the proof of consent.</summary>
internal sealed class SignedReceipt
{
    public required string Receipt { get; init; }

    /// <summary>Compact JWS (RFC 7515 §7.1).</summary>
    public required string Jws { get; init; }
}
