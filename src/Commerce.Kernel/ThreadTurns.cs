using System.Runtime.InteropServices;

namespace Commerce.Kernel;

/// <summary>How Linux lets the process's threads take turns. Elsewhere, and where the system refuses, nothing changes.</summary>
/// <remarks>
/// A request that arrives wakes a thread, and Linux puts it in place of the one that is signing somebody's token: two changes between threads,
/// and an interrupt of the processor, for a request that waits for the processor anyway. A thread that is told to (sched(7), <c>SCHED_BATCH</c>) takes
/// its turn when the running one waits or has had its time. It has the same share of the processor as before.
/// </remarks>
public static class ThreadTurns
{
    private const int Other = 0, Batch = 3;

    /// <summary>The calling thread, and each that is started by it from now on, no longer pushes a running thread aside when it wakes.</summary>
    public static void WaitForTurn() => Set(Batch);

    /// <summary>
    /// The calling thread takes its turn as soon as it wakes. For threads that wait for the disk: what they do between two waits is short, and
    /// the disk has nothing to do meanwhile.
    /// </summary>
    public static void GoFirst() => Set(Other);

    private static void Set(int policy)
    {
        if (!OperatingSystem.IsLinux()) return;
        var priority = 0;       // the only one that both policies have
        _ = sched_setscheduler(0, policy, ref priority);
    }

    [DllImport("libc")]
    private static extern int sched_setscheduler(int thread, int policy, ref int priority);
}
