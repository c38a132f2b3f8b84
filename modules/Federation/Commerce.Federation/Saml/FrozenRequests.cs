using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Federation.Data;
using Commerce.Kernel;
using Commerce.Saml;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Saml;

/// <summary>Keeps requests while their customers sign in, and sees to it that each is answered once at most (row S10 of docs/security.md).</summary>
internal sealed class FrozenRequests(FederationDb db, IDataProtectionProvider ring, TimeProvider clock)
{
    /// <summary>How long a customer may take over sign-in and consent.</summary>
    public static readonly TimeSpan OpenFor = TimeSpan.FromHours(1);

    /// <summary>Longest AuthnRequest ID that is taken, in characters.</summary>
    public const int LongestId = 256;

    private readonly IDataProtector seal = ring.CreateProtector("commerce.saml-request.v1");

    /// <summary>Keeps the request under a handle.</summary>
    /// <param name="handle">A fresh <see cref="Token.New"/>.</param>
    /// <returns>False where its ID was answered already or was used for a request of other content. The same request, still open, changes its handle.</returns>
    public async Task<bool> KeepAsync(ValidatedAuthnRequest request, string handle, CancellationToken stop)
    {
        var (body, hash) = Freeze(request);
        var now = clock.GetUtcNow();
        var handleHash = Token.Hash(handle);
        var row = new SamlRequest
        {
            Connection = request.ServiceProvider.EntityId,
            RequestId = request.Id,
            ContentHash = hash,
            HandleHash = handleHash,
            Frozen = seal.Protect(body),
            ReceivedAt = now,
            ExpiresAt = Later(now + OpenFor, request.ExpiresAt),
        };
        db.Add(row);
        try
        {
            await db.SaveChangesAsync(stop);
            return true;
        }
        catch (DbUpdateException)
        {
            db.Entry(row).State = EntityState.Detached;
            if (await Open(request, hash, now).ExecuteUpdateAsync(r => r.SetProperty(x => x.HandleHash, handleHash), stop) == 1) return true;
            if (await IsKnownAsync(request, stop)) return false;
            throw;
        }
    }

    /// <summary>The request under a handle, and when it arrived; null where it is unknown, answered or too old.</summary>
    public async Task<(FrozenAuthnRequest Request, DateTimeOffset ReceivedAt)?> FindAsync(string? handle, CancellationToken stop)
    {
        if (handle is not { Length: > 0 and <= 128 }) return null;
        var hash = Token.Hash(handle);
        var now = clock.GetUtcNow();
        var found = await db.Set<SamlRequest>().AsNoTracking().Where(r => r.HandleHash == hash && r.AnsweredAt == null && r.ExpiresAt > now)
            .Select(r => new { r.Frozen, r.ReceivedAt }).SingleOrDefaultAsync(stop);
        return found is null ? null : (JsonSerializer.Deserialize<FrozenAuthnRequest>(seal.Unprotect(found.Frozen), JsonSerializerOptions.Default)!, found.ReceivedAt);
    }

    /// <summary>
    /// Uses the request up. Call it in the transaction of the answer. Where the row is new it is added and the caller's save finds out by its
    /// key whether somebody was faster.
    /// </summary>
    /// <param name="wasKept">It came back under its handle, so its row must be there.</param>
    /// <returns>False where it was answered already.</returns>
    public async Task<bool> ConsumeAsync(ValidatedAuthnRequest request, bool wasKept, CancellationToken stop)
    {
        var (_, hash) = Freeze(request);
        var now = clock.GetUtcNow();
        var taken = await Open(request, hash, now).ExecuteUpdateAsync(r => r
            .SetProperty(x => x.AnsweredAt, now).SetProperty(x => x.HandleHash, (byte[]?)null).SetProperty(x => x.Frozen, Array.Empty<byte>()), stop);
        if (taken == 1) return true;
        if (wasKept) return false;
        db.Add(new SamlRequest
        {
            Connection = request.ServiceProvider.EntityId,
            RequestId = request.Id,
            ContentHash = hash,
            Frozen = [],
            ReceivedAt = now,
            ExpiresAt = Later(now, request.ExpiresAt) + TimeSpan.FromMinutes(1),
            AnsweredAt = now,
        });
        return true;
    }

    /// <summary>A request of this ID is on record: what makes a failed save a replay and no fault of the database.</summary>
    public Task<bool> IsKnownAsync(ValidatedAuthnRequest request, CancellationToken stop) =>
        db.Set<SamlRequest>().AnyAsync(r => r.Connection == request.ServiceProvider.EntityId && r.RequestId == request.Id, stop);

    private IQueryable<SamlRequest> Open(ValidatedAuthnRequest request, byte[] hash, DateTimeOffset now) => db.Set<SamlRequest>().Where(r =>
        r.Connection == request.ServiceProvider.EntityId && r.RequestId == request.Id && r.AnsweredAt == null && r.ContentHash == hash && r.ExpiresAt > now);

    private static (byte[] Body, byte[] Hash) Freeze(ValidatedAuthnRequest request)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(FrozenAuthnRequest.Of(request), JsonSerializerOptions.Default);
        return (body, SHA256.HashData(body));
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
