using System.Text;
using Commerce.Identity.Accounts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Commerce.Identity.Passwords;

/// <summary>Makes and checks password hashes. An absent account, or one without a password, costs the same work as a wrong password (A06).</summary>
internal sealed class PasswordCheck
{
    /// <summary>Longer values are refused unread: nobody types them, and hashing them is work.</summary>
    public const int MostCharacters = 4096;

    private readonly PasswordHasher<object> hasher;
    private readonly string dummy;
    private static readonly object Nobody = new();

    public PasswordCheck(IdentitySettings settings)
    {
        var options = new PasswordHasherOptions();
        if (settings.PasswordIterations is { } iterations) options.IterationCount = iterations;
        hasher = new PasswordHasher<object>(Options.Create(options));
        dummy = hasher.HashPassword(Nobody, Token.New());
    }

    /// <summary>The whole value counts, in normalisation form C: the same word typed on two keyboards is one password (A07).</summary>
    public string Hash(string password) => hasher.HashPassword(Nobody, Normal(password));

    /// <summary>Whether the password is the one behind a hash that this class made.</summary>
    public bool Matches(string hash, string password) =>
        password.Length is > 0 and <= MostCharacters && hasher.VerifyHashedPassword(Nobody, hash, Normal(password)) != PasswordVerificationResult.Failed;

    /// <returns>Whether the password is the account's; and a hash to store instead of the present one, where that is outdated.</returns>
    public async Task<(bool IsRight, string? NewHash)> VerifyAsync(CustomerAccount? account, string password, PersonalData personal, CancellationToken stop)
    {
        if (password.Length is 0 or > MostCharacters) password = "";
        var normal = Normal(password);
        if (account?.PasswordHash is { } hash)
        {
            return hasher.VerifyHashedPassword(Nobody, hash, normal) switch
            {
                PasswordVerificationResult.Success => (true, null),
                PasswordVerificationResult.SuccessRehashNeeded => (true, hasher.HashPassword(Nobody, normal)),
                _ => (false, null),
            };
        }
        if (account is not null && await account.ImportedHashAsync(personal, stop) is { } imported && password.Length > 0
            && ImportedHash.Read(imported, out _) is { } old && (old.Matches(password) || old.Matches(normal)))
        {
            return (true, hasher.HashPassword(Nobody, normal));
        }
        hasher.VerifyHashedPassword(Nobody, dummy, normal);
        return (false, null);
    }

    private static string Normal(string password)
    {
        try
        {
            return password.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            return password;    // a lone surrogate has no normal form; it is compared as it stands
        }
    }
}
