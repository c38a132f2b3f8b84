using Microsoft.EntityFrameworkCore;

namespace Commerce.Kernel;

public static class Conflicts
{
    /// <summary>
    /// True where a save failed against another one at the same moment: a unique key was taken, a row was changed, or PostgreSQL undid one
    /// of two that waited for each other. Clear the change tracker, look again, and try a bounded number of times.
    /// </summary>
    public static bool IsConflict(this Exception error) => error is DbUpdateException or InvalidOperationException { InnerException: DbUpdateException };
}
