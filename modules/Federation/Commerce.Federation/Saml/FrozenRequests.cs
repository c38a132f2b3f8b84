using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Federation.Data;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Saml;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Saml;

/// <summary>Keeps requests while their customers sign in, and sees to it that each is answered once at most (row S10 of docs/security.md).</summary>
internal sealed class FrozenRequests(OnDemand<FederationDb> db, HotStore<FederationDb> store, LookupHash hashes, IDataProtectionProvider ring, TimeProvider clock)
{
    private static readonly HotSql
        Answer = new("""INSERT INTO {schema}saml_answered ("Key", "ForgetAt") VALUES ($1, $2) ON CONFLICT DO NOTHING"""),
        IsAnswered = new("""SELECT 1 FROM {schema}saml_answered WHERE "Key" = $1"""),
        AnswerNew = new("""
            INSERT INTO {schema}saml_answered ("Key", "ForgetAt") SELECT $1, $2
            WHERE NOT EXISTS (SELECT 1 FROM {schema}saml_requests WHERE "Connection" = $3 AND "RequestId" = $4) ON CONFLICT DO NOTHING
            """),
        AnswerKept = new("""
            UPDATE {schema}saml_requests SET "AnsweredAt" = $1, "HandleHash" = NULL, "Frozen" = $2
            WHERE "Connection" = $3 AND "RequestId" = $4 AND "AnsweredAt" IS NULL AND "ContentHash" = $5 AND "ExpiresAt" > $1
            """);

    /// <summary>How long a customer may take over sign-in and consent.</summary>
    public static readonly TimeSpan OpenFor = TimeSpan.FromHours(1);

    /// <summary>Longest AuthnRequest ID that is taken, in characters.</summary>
    public const int LongestId = 256;

    private static readonly byte[] Nothing = [];
    // Made where it is needed, which is not in every request.
    private IDataProtector Protector => ring.CreateProtector("commerce.saml-request.v1");

    /// <summary>Keeps the request under a handle.</summary>
    /// <param name="handle">A fresh <see cref="Token.New"/>.</param>
    /// <returns>False where its ID was answered already or was used for a request of other content. The same request, still open, changes its handle.</returns>
    public async Task<bool> KeepAsync(ValidatedAuthnRequest request, string handle, CancellationToken stop)
    {
        var key = KeyOf(request);
        if (await store.ReadAsync(read => read.FirstAsync(IsAnswered, row => row.GetInt32(0), key), stop) != 0) return false;
        var (body, hash) = Freeze(request);
        var now = clock.GetUtcNow();
        var handleHash = Token.Hash(handle);
        var row = new SamlRequest
        {
            Connection = request.ServiceProvider.EntityId,
            RequestId = request.Id,
            ContentHash = hash,
            HandleHash = handleHash,
            Frozen = Protector.Protect(body),
            ReceivedAt = now,
            ExpiresAt = Later(now + OpenFor, request.ExpiresAt),
        };
        db.Value.Add(row);
        try
        {
            await db.Value.SaveChangesAsync(stop);
            return true;
        }
        catch (DbUpdateException)
        {
            db.Value.Entry(row).State = EntityState.Detached;
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
        var found = await db.Value.Set<SamlRequest>().AsNoTracking().Where(r => r.HandleHash == hash && r.AnsweredAt == null && r.ExpiresAt > now)
            .Select(r => new { r.Frozen, r.ReceivedAt }).SingleOrDefaultAsync(stop);
        return found is null ? null : (JsonSerializer.Deserialize<FrozenAuthnRequest>(Protector.Unprotect(found.Frozen), JsonSerializerOptions.Default)!, found.ReceivedAt);
    }

    /// <summary>Uses the request up in a commit of its own, for an answer that puts nothing else on record.</summary>
    /// <param name="wasKept">It came back under its handle, so its row must be there.</param>
    /// <returns>False where it was answered already.</returns>
    public Task<bool> UseUpAsync(ValidatedAuthnRequest request, bool wasKept, CancellationToken stop)
    {
        var use = Use(request, wasKept);
        return store.WriteAsync(write => UseUpAsync(write, use), stop);
    }

    /// <summary>What <see cref="UseUpAsync(HotWrite, RequestUse)"/> needs, computed before the commit.</summary>
    public RequestUse Use(ValidatedAuthnRequest request, bool wasKept)
    {
        var now = clock.GetUtcNow();
        // One that is kept at this very moment, beside this answer, may come back as long as that; then it must still be known that it was answered.
        var forgetAt = Later(now + OpenFor, request.ExpiresAt) + TimeSpan.FromMinutes(1);
        return new RequestUse(KeyOf(request), request.ServiceProvider.EntityId, request.Id, () => Freeze(request).Hash, now, forgetAt, wasKept);
    }

    /// <summary>
    /// Uses the request up in the commit of its answer: the unique key of what was answered decides who is first. Where the request is kept, its
    /// row has to be open and of the same content, and is closed.
    /// </summary>
    /// <returns>False where it was answered already. The write is then undone.</returns>
    public static async ValueTask<bool> UseUpAsync(HotWrite write, RequestUse use)
    {
        if (!use.WasKept && await write.ExecuteAsync(AnswerNew, use.Key, use.ForgetAt, use.Connection, use.Id) == 1) return true;
        if (await write.ExecuteAsync(Answer, use.Key, use.ForgetAt) == 1
            && await write.ExecuteAsync(AnswerKept, use.At, Nothing, use.Connection, use.Id, use.ContentHash()) == 1) return true;
        write.Undo();
        return false;
    }

    private long KeyOf(ValidatedAuthnRequest request) => AnsweredRequest.KeyOf(request.ServiceProvider.EntityId, request.Id, hashes);

    /// <summary>A request of this ID is on record: what makes a failed save a replay and no fault of the database.</summary>
    private Task<bool> IsKnownAsync(ValidatedAuthnRequest request, CancellationToken stop) =>
        db.Value.Set<SamlRequest>().AnyAsync(r => r.Connection == request.ServiceProvider.EntityId && r.RequestId == request.Id, stop);

    private IQueryable<SamlRequest> Open(ValidatedAuthnRequest request, byte[] hash, DateTimeOffset now) => db.Value.Set<SamlRequest>().Where(r =>
        r.Connection == request.ServiceProvider.EntityId && r.RequestId == request.Id && r.AnsweredAt == null && r.ContentHash == hash && r.ExpiresAt > now);

    private static (byte[] Body, byte[] Hash) Freeze(ValidatedAuthnRequest request)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(FrozenAuthnRequest.Of(request), JsonSerializerOptions.Default);
        return (body, SHA256.HashData(body));
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}

/// <summary>A request that is about to be answered.</summary>
/// <param name="Key">See <see cref="AnsweredRequest.Key"/>.</param>
/// <param name="ContentHash">Asked for only where a request of its ID is kept.</param>
/// <param name="ForgetAt">See <see cref="AnsweredRequest.ForgetAt"/>.</param>
/// <param name="WasKept">It came back under its handle, so its row must be there.</param>
internal sealed record RequestUse(long Key, string Connection, string Id, Func<byte[]> ContentHash, DateTimeOffset At, DateTimeOffset ForgetAt, bool WasKept);
