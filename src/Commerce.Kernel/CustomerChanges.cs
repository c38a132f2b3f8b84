namespace Commerce.Kernel;

/// <summary>
/// Tells this process, at once, that something about a customer has changed on which answers kept in memory rest: a consent, a value, an
/// account. Other processes are not told; what is kept in memory has to grow old within two seconds for their sake.
/// </summary>
/// <remarks>
/// Who keeps an answer reads the stamp before the database and keeps it with the answer; the answer holds while the stamp stays. Two
/// customers may share a stamp, which costs a needless reading and nothing else.
/// </remarks>
public sealed class CustomerChanges
{
    /// <summary>How old an answer kept in memory may be, for what another process changed.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    private readonly long[] stamps = new long[4096];
    private long all;

    /// <summary>Changes with every note, whoever it is about: for answers whose customer is known only after reading.</summary>
    public long OfAnybody => Interlocked.Read(ref all);

    public long Of(Guid customer) => Interlocked.Read(ref Slot(customer));

    /// <summary>Call it after the commit.</summary>
    public void Note(Guid customer)
    {
        Interlocked.Increment(ref Slot(customer));
        Interlocked.Increment(ref all);
    }

    private ref long Slot(Guid customer) => ref stamps[(uint)customer.GetHashCode() % (uint)stamps.Length];
}
