using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Commerce.Identity.Accounts;

/// <summary>A mail address as written and as compared.</summary>
/// <param name="Written">Trimmed, in Unicode normalisation form C.</param>
/// <param name="Compared">Lower case, domain in its ASCII form (RFC 5891): two spellings of one mailbox compare equal.</param>
internal readonly record struct EmailAddress(string Written, string Compared)
{
    public const int MaxLength = 254;   // RFC 5321 §4.5.3.1.3, less the angle brackets
    private const int MaxLocalLength = 64;
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>
    /// Takes the addresses that people have: no quoted local part, no comment, no address literal. Letters of every script are welcome,
    /// but not the look-alikes that compatibility normalisation would fold into plain ones.
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out EmailAddress address)
    {
        address = default;
        if (text is null || text.Length > 4 * MaxLength || !IsWellFormed(text)) return false;
        var written = text.Trim().Normalize(NormalizationForm.FormC);
        var at = written.LastIndexOf('@');
        if (at is < 1 or > MaxLocalLength || at == written.Length - 1 || written.Length > MaxLength) return false;
        var local = written[..at];
        if (local.StartsWith('.') || local.EndsWith('.') || local.Contains("..", StringComparison.Ordinal) || !local.All(IsLocalLetter)) return false;
        if (local.Normalize(NormalizationForm.FormKC) != local) return false;
        try
        {
            var domain = Idn.GetAscii(written[(at + 1)..]).ToLowerInvariant();
            if (!domain.Contains('.', StringComparison.Ordinal) || domain.EndsWith('.') || domain.Length > 253) return false;
            address = new EmailAddress(written, $"{local.ToLowerInvariant()}@{domain}");
            return true;
        }
        catch (ArgumentException)
        {
            return false;   // not a domain name
        }
    }

    public byte[] LookupHash(Commerce.Kernel.Secrets.LookupHash hash) => hash.Of("email", Compared);

    private static bool IsLocalLetter(char c) => c < 0x80
        ? char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~.".Contains(c, StringComparison.Ordinal)
        : char.IsLetterOrDigit(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    // A lone surrogate has no normal form; asking for one throws.
    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return false;
            i++;
        }
        return true;
    }
}
