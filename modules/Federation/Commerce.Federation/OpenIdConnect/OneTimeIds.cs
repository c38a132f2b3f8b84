using System.Security.Cryptography;
using System.Text;
using Commerce.Kernel;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Remembers, durably, which <c>jti</c> were seen: of many requests that bring the same one, one counts, in whichever process.</summary>
internal sealed class OneTimeIds(HotStore<FederationDb> store)
{
    /// <summary>Kinds of message. The same <c>jti</c> in two kinds is two ids.</summary>
    public const string Assertion = "assertion", Proof = "dpop";

    private static readonly HotSql Remember = new("""INSERT INTO {schema}oidc_used_assertions ("Id", "ExpiresAt") VALUES ($1, $2) ON CONFLICT DO NOTHING""");

    /// <param name="owner">Who made the id: a client, or a key.</param>
    /// <param name="until">From when on the message itself no longer counts; the memory may end there.</param>
    public async Task<bool> IsFirstUseAsync(string kind, string owner, string id, DateTimeOffset until, CancellationToken stop)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}:{owner.Length}:{owner}{id}"));
        return await store.WriteAsync(write => write.ExecuteAsync(Remember, hash, until), stop) == 1;
    }
}
