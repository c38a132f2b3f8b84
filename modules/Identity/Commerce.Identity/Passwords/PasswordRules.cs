using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Commerce.Identity.Passwords;

/// <summary>
/// What a new password must be: long, and not one that everybody tries. No rule about kinds of characters, nothing cut off
/// (SP 800-63B-4 §3.1.1.2; security: A07).
/// </summary>
internal static class PasswordRules
{
    /// <summary>Characters as people count them.</summary>
    public const int Fewest = 15;
    public const int Most = 256;

    private static readonly FrozenSet<string> Common = Read();

    /// <returns>Key of the text that says what is wrong, or null where the password may be used.</returns>
    /// <param name="email">The account's address: a password made of it is no secret.</param>
    public static string? Fault(string? password, string? email)
    {
        if (string.IsNullOrEmpty(password)) return "password.missing";
        var length = new StringInfo(password).LengthInTextElements;
        if (length < Fewest) return "password.short";
        if (length > Most || password.Length > PasswordCheck.MostCharacters) return "password.long";
        return IsCommon(password, email) ? "password.common" : null;
    }

    private static bool IsCommon(string password, string? email)
    {
        var plain = Plain(password);
        if (plain.Length == 0) return password.Distinct().Count() < 5;
        if (Common.Contains(plain) || IsRepeated(plain) || IsRun(plain)) return true;
        if (email is null) return false;
        var (whole, local) = (Plain(email), Plain(email.Split('@')[0]));
        return plain == whole || (local.Length > 0 && plain.Replace(local, "", StringComparison.Ordinal).Length < 6);
    }

    // Lower case letters and digits only: "Password-Password1!" is as common as "passwordpassword1".
    private static string Plain(string text) =>
        string.Concat(text.EnumerateRunes().Where(Rune.IsLetterOrDigit).Select(r => Rune.ToLowerInvariant(r).ToString()));

    // "abcabcabcabcabc": a unit of up to eight characters, or any listed word, again and again.
    private static bool IsRepeated(string plain)
    {
        for (var unit = 1; unit <= plain.Length / 2; unit++)
        {
            var head = plain[..unit];
            if ((unit > 8 && !Common.Contains(head)) || plain.Length < unit * 2) continue;
            var repeated = string.Concat(Enumerable.Repeat(head, (plain.Length / unit) + 1));
            if (repeated.StartsWith(plain, StringComparison.Ordinal)) return true;
        }
        return false;
    }

    // "123456789012345", "abcdefghijklmno": every character one step after, or before, its neighbour; nine may turn to nought.
    private static bool IsRun(string plain)
    {
        var (up, down) = (true, true);
        for (var i = 1; i < plain.Length; i++)
        {
            var step = plain[i] - plain[i - 1];
            up &= step is 1 or -9;
            down &= step is -1 or 9;
        }
        return up || down;
    }

    private static FrozenSet<string> Read()
    {
        using var stream = typeof(PasswordRules).Assembly.GetManifestResourceStream("Commerce.Identity.Passwords.common-passwords.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(line => line[0] != '#').Select(Plain).ToFrozenSet(StringComparer.Ordinal);
    }
}
