using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Consent.Consents;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;

namespace Commerce.Consent.Receipts;

/// <summary>
/// What a consent receipt says. It follows the information structure of ISO/IEC TS 27560:2023 and the Kantara consent receipt: record,
/// parties, purposes with their data, and the way to withdraw. It names the customer by a pseudonym of this partner's own.
/// </summary>
internal sealed record ReceiptDocument(
    string SchemaVersion, string Iss, string Jti, long Iat, string Sub, ReceiptParty Controller, ReceiptRecipient Recipient, string Language,
    IReadOnlyList<ReceiptPurpose> Purposes, string WithdrawalUrl);

internal sealed record ReceiptParty(string Name, string Url);

/// <param name="Landing">Host on which the customer was told they would land, or null.</param>
internal sealed record ReceiptRecipient(string Id, string Name, string? Landing);

/// <param name="Text">As the customer read it.</param>
/// <param name="RetentionPeriod">ISO 8601 duration, such as <c>P90D</c>.</param>
internal sealed record ReceiptPurpose(
    string Id, string Text, string LegalBasis, int ContractVersion, string RetentionPeriod, IReadOnlyList<ReceiptClaim> Claims);

/// <param name="Decision"><c>granted</c> or <c>declined</c>.</param>
internal sealed record ReceiptClaim(string Name, string Decision, bool Required, string Reason);

/// <summary>Makes receipts: ES256 over the document, compact, with a type of its own so that no other token passes for one.</summary>
internal sealed class ReceiptSigner(SigningKeys keys, LookupHash hash, HubSettings settings)
{
    public const string Keys = "receipt-es256";
    public const string Type = "consent-receipt+jwt";
    private const string Schema = "commerce-consent-receipt/1";

    public string Sign(GivenConsent consent)
    {
        var key = keys.ActiveOf(Keys);
        var document = new ReceiptDocument(
            Schema, settings.PublicOrigin, consent.Receipt, consent.GivenAt.ToUnixTimeSeconds(),
            Base64Url.EncodeToString(hash.Of("receipt-subject", $"{consent.Partner}\n{consent.Customer:N}")),
            new ReceiptParty(settings.RetailerName, settings.PublicOrigin), new ReceiptRecipient(consent.Partner, consent.PartnerName, consent.Landing), consent.Language,
            [new ReceiptPurpose(consent.Purpose, consent.PurposeText, consent.LegalBasis, consent.ContractVersion,
                string.Create(CultureInfo.InvariantCulture, $"P{consent.RetentionDays}D"),
                [.. consent.Claims.OrderBy(c => c.Position).Select(c => new ReceiptClaim(c.Name, c.Granted ? "granted" : "declined", c.Required, c.Reason))])],
            $"{settings.PublicOrigin}/account/receipts/{consent.Receipt}");
        var header = JsonSerializer.SerializeToUtf8Bytes(new { alg = "ES256", typ = Type, kid = key.Kid }, HubJson.Options);
        var signed = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(document, HubJson.Options))}";
        // RFC 7518 §3.4: R and S side by side, 32 bytes each.
        var signature = ((ECDsa)key.Key).SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>The document inside, for a receipt out of our own store.</summary>
    public static ReceiptDocument Open(string jws) =>
        JsonSerializer.Deserialize<ReceiptDocument>(Base64Url.DecodeFromChars(jws.Split('.')[1]), HubJson.Options)!;
}
