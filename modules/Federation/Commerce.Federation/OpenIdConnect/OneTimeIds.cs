using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>Remembers, durably, which <c>jti</c> were seen: of many requests that bring the same one, one counts, in whichever process.</summary>
internal sealed class OneTimeIds(FederationDb db)
{
    /// <summary>Kinds of message. The same <c>jti</c> in two kinds is two ids.</summary>
    public const string Assertion = "assertion", Proof = "dpop";

    /// <param name="owner">Who made the id: a client, or a key.</param>
    /// <param name="until">From when on the message itself no longer counts; the memory may end there.</param>
    public async Task<bool> IsFirstUseAsync(string kind, string owner, string id, DateTimeOffset until, CancellationToken stop)
    {
        var used = new UsedAssertion
        {
            Id = SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}:{owner.Length}:{owner}{id}")),
            ExpiresAt = until,
        };
        db.Add(used);
        try
        {
            await db.SaveChangesAsync(stop);
            return true;
        }
        catch (DbUpdateException)
        {
            // Written by another request, or before: look, so that a database in trouble is not told as a replay.
            db.Entry(used).State = EntityState.Detached;
            if (!await db.Set<UsedAssertion>().AsNoTracking().AnyAsync(u => u.Id == used.Id, stop)) throw;
            return false;
        }
    }
}
