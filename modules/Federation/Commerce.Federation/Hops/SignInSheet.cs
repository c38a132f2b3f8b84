namespace Commerce.Federation.Hops;

/// <summary>Why the consent sheet was opened by a sign-in that the partner started. Travels sealed.</summary>
/// <param name="Claims">Names of the contract's claims that this sign-in is about.</param>
internal sealed record SignInAsk(
    string Connection, Guid Customer, Guid Session, IReadOnlyList<string> Claims, string ReturnPath, string DenyPath);

/// <summary>The consent sheet for a sign-in that the partner started itself.</summary>
internal static class SignInSheet
{
    public const string Path = "/consent";
    public const string Use = "consent-ask";
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);
}
