using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Commerce.Identity.Contracts;

namespace Commerce.Identity.Passwords;

/// <summary>Password hashes of older directories: read strictly at import, checked at the first sign-in, then replaced by ours.</summary>
/// <remarks>
/// <c>ssha512</c>: <c>{SSHA512}</c> and base64 of SHA-512(password + salt) followed by the salt, as LDAP servers write it.
/// <c>pbkdf2-sha256</c>: <c>$pbkdf2-sha256$ROUNDS$SALT$KEY</c> or <c>{PBKDF2-SHA256}ROUNDS$SALT$KEY</c>, base64 without padding, a point
/// for a plus allowed.
/// </remarks>
internal sealed record ImportedHash(byte[] Salt, byte[] Key, int Rounds)
{
    private const int MinRounds = 1_000;
    private const int MaxRounds = 2_000_000;    // more would let one imported line keep a core busy at every sign-in
    private const int Sha512Length = 64;

    /// <returns>The hash, or null with the reason why it cannot be used.</returns>
    public static ImportedHash? Read(ImportedPasswordHash imported, out string? reason)
    {
        reason = null;
        var read = imported.Scheme switch
        {
            "ssha512" => ReadSsha512(imported.Value),
            "pbkdf2-sha256" => ReadPbkdf2(imported.Value),
            _ => null,
        };
        if (read is null)
        {
            reason = imported.Scheme is "ssha512" or "pbkdf2-sha256"
                ? $"password_hash.value is not a {imported.Scheme} hash." : "password_hash.scheme is neither ssha512 nor pbkdf2-sha256.";
        }
        return read;
    }

    public bool Matches(string password)
    {
        var bytes = Encoding.UTF8.GetBytes(password);
        var computed = Rounds == 0
            ? SHA512.HashData([.. bytes, .. Salt])
            : Rfc2898DeriveBytes.Pbkdf2(bytes, Salt, Rounds, HashAlgorithmName.SHA256, Key.Length);
        return CryptographicOperations.FixedTimeEquals(computed, Key);
    }

    private static ImportedHash? ReadSsha512(string value)
    {
        const string Prefix = "{SSHA512}";
        if (!value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) || Base64(value[Prefix.Length..]) is not { } bytes) return null;
        return bytes.Length is >= Sha512Length + 4 and <= Sha512Length + 64 ? new ImportedHash(bytes[Sha512Length..], bytes[..Sha512Length], 0) : null;
    }

    private static ImportedHash? ReadPbkdf2(string value)
    {
        foreach (var prefix in (string[])["$pbkdf2-sha256$", "{PBKDF2-SHA256}"])
        {
            if (!value.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) continue;
            var parts = value[prefix.Length..].Split('$');
            if (parts.Length != 3 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var rounds)) return null;
            if (rounds is < MinRounds or > MaxRounds || Base64(parts[1]) is not { Length: >= 8 and <= 64 } salt) return null;
            return Base64(parts[2]) is { Length: >= 16 and <= 64 } key ? new ImportedHash(salt, key, rounds) : null;
        }
        return null;
    }

    private static byte[]? Base64(string text)
    {
        var padded = text.Replace('.', '+').TrimEnd('=');
        padded += new string('=', (4 - (padded.Length % 4)) % 4);
        var bytes = new byte[padded.Length];
        return text.Length <= 512 && Convert.TryFromBase64String(padded, bytes, out var length) ? bytes[..length] : null;
    }
}
