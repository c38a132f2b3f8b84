using Microsoft.Extensions.Caching.Memory;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// The grants that this process made within the last two minutes, because their code comes back within milliseconds. What is held never
/// says yes by itself: a code is used up by a conditional update, and userinfo reads whether the grant is used and not ended.
/// </summary>
internal sealed class RecentGrants : IDisposable
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(2);
    private readonly MemoryCache known = new(new MemoryCacheOptions { SizeLimit = 20_000 });

    public GrantWithRelease? Find(Guid id) => known.TryGetValue(id, out GrantWithRelease? grant) ? grant : null;

    /// <summary>Call it after the commit.</summary>
    public void Keep(Grant grant, Release? release) => known.Set(grant.Id, new GrantWithRelease(grant, release),
        new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = KeptFor });

    public void Dispose() => known.Dispose();
}
