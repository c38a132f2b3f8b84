namespace Commerce.Testing;

/// <summary>A clock that stands still until the test moves it. Timers run on real time: tests wait for conditions, not for times.</summary>
public sealed class FakeClock(DateTimeOffset start) : TimeProvider
{
    private long ticks = start.UtcTicks;

    public static FakeClock AtNoon() => new(new DateTimeOffset(2026, 10, 5, 12, 0, 0, TimeSpan.Zero));

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    /// <summary>Moves the clock forward, or back where the amount is negative.</summary>
    public void Advance(TimeSpan amount) => Interlocked.Add(ref ticks, amount.Ticks);
}
