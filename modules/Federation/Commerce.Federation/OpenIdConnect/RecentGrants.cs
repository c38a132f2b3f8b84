namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// The grants that this process made a moment ago, because their code comes back within milliseconds. What is held never says yes by
/// itself: a code is used up by a conditional update, and userinfo reads whether the grant is used and not ended.
/// </summary>
/// <remarks>
/// A table of fixed size in which a newer grant takes an older one's place. A cache that counts and tidies held twenty thousand of them for
/// two minutes, went through all of them after every thousandth, and made the collector stop the process for 30 to 60 ms.
/// </remarks>
internal sealed class RecentGrants(TimeProvider clock)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(2);

    /// <summary>A power of two. At a thousand grants a second, one in a thousand is gone before its userinfo and is read from the database.</summary>
    private const int Places = 4096;
    private readonly Held?[] places = new Held?[Places];

    private sealed record Held(GrantWithRelease Grant, long Since);

    public GrantWithRelease? Find(Guid id) =>
        Volatile.Read(ref places[PlaceOf(id)]) is { } held && held.Grant.Grant.Id == id && clock.GetElapsedTime(held.Since) < KeptFor ? held.Grant : null;

    /// <summary>Call it after the commit.</summary>
    public void Keep(Grant grant, Release? release) =>
        Volatile.Write(ref places[PlaceOf(grant.Id)], new Held(new GrantWithRelease(grant, release), clock.GetTimestamp()));

    private static int PlaceOf(Guid id) => id.GetHashCode() & (Places - 1);
}
