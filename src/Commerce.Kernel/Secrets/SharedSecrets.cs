using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Secrets;

/// <summary>Long-lived secrets of the hub by name, 32 random bytes each, made at first use and kept wrapped by the key ring.</summary>
/// <remarks>They are never changed: the pairwise salt, for one, decides under which name each partner knows each customer.</remarks>
public sealed class SharedSecrets(IServiceScopeFactory scopes, IDataProtectionProvider ring)
{
    private readonly IDataProtector wrap = ring.CreateProtector("commerce.shared-secret.v1");
    private readonly ConcurrentDictionary<string, byte[]> known = new();

    /// <param name="name">Lower case with dashes, at most 64 characters.</param>
    public byte[] Get(string name) => known.GetOrAdd(name, Load);

    private byte[] Load(string name)
    {
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<KernelDb>();
        for (var attempt = 0; ; attempt++)
        {
            if (db.Secrets.AsNoTracking().SingleOrDefault(s => s.Name == name) is { } row) return wrap.Unprotect(row.Wrapped);
            var secret = RandomNumberGenerator.GetBytes(32);
            db.Secrets.Add(new SharedSecret { Name = name, Wrapped = wrap.Protect(secret) });
            try
            {
                db.SaveChanges();
                return secret;
            }
            catch (DbUpdateException) when (attempt == 0)
            {
                db.ChangeTracker.Clear();   // another process made it at the same moment: read that one
            }
        }
    }
}
