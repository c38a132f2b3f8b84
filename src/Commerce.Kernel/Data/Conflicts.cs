using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Commerce.Kernel;

/// <summary>What an error of the database means to whoever asked.</summary>
public static class Conflicts
{
    /// <summary>
    /// True where a save failed against another one at the same moment: a unique key was taken, a row was changed, or PostgreSQL undid one
    /// of two that waited for each other. Clear the change tracker, look again, and try a bounded number of times.
    /// </summary>
    public static bool IsConflict(this Exception error) => error is DbUpdateException or InvalidOperationException { InnerException: DbUpdateException };

    /// <summary>
    /// True where the database had no connection, or no turn, to give in time, or is just away: the same request may well succeed in a moment.
    /// </summary>
    public static bool IsOverload(this Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is NpgsqlException { IsTransient: true } or SqliteException { SqliteErrorCode: Busy or Locked }) return true;
        }
        return false;
    }

    private const int Busy = 5, Locked = 6;     // SQLITE_BUSY, SQLITE_LOCKED
}
