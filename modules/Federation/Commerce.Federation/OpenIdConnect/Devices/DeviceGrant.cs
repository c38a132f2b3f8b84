using System.Security.Cryptography;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.Devices;

/// <summary>The device asks for its tokens until the customer has answered (RFC 8628 §3.4, §3.5). The device code is used up by one conditional update.</summary>
internal sealed class DeviceGrant(FederationDb db, Grants grants, RefreshToken refreshTokens, Tokens tokens, TimeProvider clock)
{
    public const string GrantType = "urn:ietf:params:oauth:grant-type:device_code";

    public async Task<Result<TokenAnswer>> RedeemAsync(Connection client, Parameters form, SenderKey? key, CancellationToken stop)
    {
        if (form["device_code"] is not { } code) return OAuth.InvalidRequest("device_code is missing.");
        if (!OneTimeCode.TryRead(code, out var id)) return OAuth.InvalidGrant;
        var device = await db.Set<DeviceAuthorization>().AsNoTracking().SingleOrDefaultAsync(d => d.Id == id, stop);
        if (device is null || !CryptographicOperations.FixedTimeEquals(device.DeviceCodeHash, OneTimeCode.Hash(code))) return OAuth.InvalidGrant;
        if (!string.Equals(device.Connection, client.Id, StringComparison.Ordinal)) return OAuth.InvalidGrant;
        var now = clock.GetUtcNow();
        if (device.State == DeviceState.Redeemed) return OAuth.InvalidGrant;
        if (device.ExpiresAt <= now) return OAuth.ExpiredToken;
        if (device.State == DeviceState.Denied) return OAuth.AccessDenied;
        if (device.State == DeviceState.Waiting) return await WaitAsync(device, now, stop);
        return await TakeAsync(client, device, key, now, stop);
    }

    private async Task<Refusal> WaitAsync(DeviceAuthorization device, DateTimeOffset now, CancellationToken stop)
    {
        var early = device.AskedAt is { } last && now < last.AddSeconds(device.IntervalSeconds);
        var interval = early ? device.IntervalSeconds + DeviceAuthorization.Interval : device.IntervalSeconds;
        await db.Set<DeviceAuthorization>().Where(d => d.Id == device.Id && d.State == DeviceState.Waiting)
            .ExecuteUpdateAsync(row => row.SetProperty(d => d.AskedAt, now).SetProperty(d => d.IntervalSeconds, interval), stop);
        return early ? OAuth.SlowDown : OAuth.AuthorizationPending;
    }

    private async Task<Result<TokenAnswer>> TakeAsync(Connection client, DeviceAuthorization device, SenderKey? key, DateTimeOffset now, CancellationToken stop)
    {
        if (device.Grant is not { } id || await grants.FindAsync(id, stop) is not { } found) return OAuth.InvalidGrant;
        var grant = found.Grant;
        if (!(await grants.CheckAsync(grant, stop)).TryGet(out var open, out var no)) return no;

        await using (var transaction = await db.Database.BeginTransactionAsync(stop))
        {
            if (await db.Set<DeviceAuthorization>().Where(d => d.Id == device.Id && d.State == DeviceState.Allowed)
                .ExecuteUpdateAsync(row => row.SetProperty(d => d.State, DeviceState.Redeemed), stop) != 1) return OAuth.InvalidGrant;
            var idle = grant.IsOffline ? now + RefreshToken.Idle : (DateTimeOffset?)null;
            var bound = key?.Text;
            var generation = grant.IsOffline ? 1 : 0;
            if (await db.Set<Grant>().Where(g => g.Id == grant.Id && g.CodeUsedAt == null && g.RevokedAt == null).ExecuteUpdateAsync(row => row
                .SetProperty(g => g.CodeUsedAt, now).SetProperty(g => g.BoundTo, bound).SetProperty(g => g.RefreshGeneration, generation).SetProperty(g => g.RefreshExpiresAt, idle), stop) != 1) return OAuth.InvalidGrant;
            if (found.Release is { } release)
            {
                ReleaseRecord.Add(db, release, open.Connection, now);
                await db.SaveChangesAsync(stop);
            }
            await transaction.CommitAsync(stop);
        }
        var access = tokens.AccessToken(grant, grant.Scope, key, null, client.AccessLifetime);
        return new TokenAnswer(access, grant.Scope, tokens.IdToken(client, new IdTokenFacts(grant, access, null, null)), grant.IsOffline ? refreshTokens.For(grant.Id, 1) : null)
        {
            Key = key,
            Lifetime = client.AccessLifetime,
            Grant = grant.Id,
        };
    }
}
