namespace Commerce.Testing;

/// <summary>A clock that stands still until the test moves it. Timers run on real time: tests wait for conditions, not for times.</summary>
public sealed class FakeClock : TimeProvider
{
    private readonly bool isRunning;
    private long ticks;

    private FakeClock(long ticks, bool isRunning) => (this.ticks, this.isRunning) = (ticks, isRunning);

    public FakeClock(DateTimeOffset start) : this(start.UtcTicks, isRunning: false)
    {
    }

    public static FakeClock AtNoon() => new(new DateTimeOffset(2026, 10, 5, 12, 0, 0, TimeSpan.Zero));

    /// <summary>Runs like the clock on the wall, for a hub beside which another process serves.</summary>
    public static FakeClock Running() => new(0, isRunning: true);

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks) + (isRunning ? System.GetUtcNow().UtcTicks : 0), TimeSpan.Zero);

    /// <summary>Moves the clock forward, or back where the amount is negative.</summary>
    public void Advance(TimeSpan amount) => Interlocked.Add(ref ticks, amount.Ticks);
}
