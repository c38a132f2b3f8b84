using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Commerce.Kernel;

/// <summary>One SQLite file: a writer thread that groups commits, and idle connections for readers.</summary>
/// <remarks>
/// A thread of its own, because it waits for the disk inside SQLite: on one core the pool has one thread, and requests would wait with
/// it. Eight requests at once share a commit of 0.2 ms instead of waiting for eight.
/// </remarks>
internal sealed class HotSqlite(string file, string module, Action ring) : IHotEngine
{
    /// <summary>More than that waits for the next commit: the first of them is not to wait for the last.</summary>
    private const int AtMostTogether = 128;

    /// <summary>So many writes do not wait for more, nor as many as came together lately.</summary>
    private const int Enough = 4;

    /// <summary>How often the writer gives way before a commit.</summary>
    private const int Turns = 3;

    private readonly object gate = new();       // a monitor: the writer waits on it without spinning first, which took 2 % of one core
    private readonly ConcurrentBag<SqliteSession> idleReaders = [];
    private List<Waiting> waiting = [];
    private Thread? writer;
    private int company;        // how many shared a commit lately
    private bool closed;

    public Task<T> WriteAsync<T>(Func<HotWrite, ValueTask<T>> work, CancellationToken stop)
    {
        if (Thread.CurrentThread == writer) throw new InvalidOperationException("A write cannot wait for another write of the same store.");
        var mine = new Waiting<T>(work, stop);
        bool isLast;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            waiting.Add(mine);
            if (writer is null)
            {
                writer = new Thread(Run) { IsBackground = true, Name = $"writer of {module}" };
                writer.Start();
            }
            if (waiting.Count == 1) Monitor.Pulse(gate);
            isLast = waiting.Count >= company && ThreadPool.PendingWorkItemCount == 0;
        }
        // Nobody else is about to write: the commit begins now, and waits for the disk while the caller does what it has to do besides.
        if (isLast) Thread.Yield();
        return mine.Answer;
    }

    public async ValueTask<T> ReadAsync<T>(Func<HotRead, ValueTask<T>> work, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        if (!idleReaders.TryTake(out var session)) session = Open();
        var whole = false;
        try
        {
            var answer = await work(session);
            whole = true;
            return answer;
        }
        finally
        {
            if (whole && !closed) idleReaders.Add(session);
            else session.Dispose();
        }
    }

    /// <summary>
    /// Requests that could run are waiting for a thread: some of them will write in a moment and can share this commit. The writer gives way to
    /// them, and where nothing waits it commits at once. To wait for a millisecond instead left the processor idle, 10 % of it.
    /// </summary>
    private bool IsWorthWaiting => waiting.Count < Math.Max(Enough, company) && ThreadPool.PendingWorkItemCount > 0;

    private SqliteSession Open()
    {
        var connection = new SqliteConnection(SqliteFile.Connection(file, pooled: false));
        try
        {
            connection.Open();
            using var settings = connection.CreateCommand();
            settings.CommandText = DurableSqlite.Settings;
            settings.ExecuteNonQuery();
            return new SqliteSession(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Run()
    {
        ThreadTurns.GoFirst();
        SqliteSession? session = null;
        var taken = new List<Waiting>();
        while (true)
        {
            lock (gate)
            {
                while (waiting.Count == 0 && !closed) Monitor.Wait(gate);
                if (waiting.Count == 0)
                {
                    session?.Dispose();
                    return;
                }
            }
            for (var turns = 0; turns < Turns && IsWorthWaiting; turns++) Thread.Yield();
            lock (gate)
            {
                (taken, waiting) = (waiting, taken);
                company = Math.Max(taken.Count, ((company * 7) + taken.Count) / 8);
            }
            for (var from = 0; from < taken.Count; from += AtMostTogether)
            {
                var batch = taken.GetRange(from, Math.Min(AtMostTogether, taken.Count - from));
                try
                {
                    session ??= Open();
                    Commit(session, batch);
                }
                catch (Exception error)
                {
                    // The commit or the file failed: nobody in it is acknowledged, and the next batch begins with a new connection.
                    session?.Dispose();
                    session = null;
                    foreach (var one in batch) one.Fail(error);
                    continue;
                }
                if (session.Told)
                {
                    session.Told = false;
                    ring();
                }
                foreach (var one in batch) one.Complete();
            }
            taken.Clear();
        }
    }

    /// <summary>
    /// Without savepoints first: each costs two statements and a copy of every page that its work touches. Only where a work fails or undoes
    /// itself, which is rare, is everything put back and run again, each work in a savepoint of its own.
    /// </summary>
    private static void Commit(SqliteSession session, List<Waiting> batch)
    {
        session.Begin();
        if (!RunTogether(session, batch))
        {
            if (session.InTransaction) session.Rollback();
            session.Begin();
            RunApart(session, batch);
        }
        session.Commit();
    }

    /// <returns>False where something of it must not stay.</returns>
    private static bool RunTogether(SqliteSession session, List<Waiting> batch)
    {
        session.Undone = false;
        foreach (var one in batch)
        {
            if (one.GivesUp()) continue;
            one.Run(session);
            if (one.Failed || session.Undone || !session.InTransaction) return false;
        }
        return true;
    }

    private static void RunApart(SqliteSession session, List<Waiting> batch)
    {
        foreach (var one in batch)
        {
            if (one.GivesUp()) continue;
            session.Undone = false;
            session.Save();
            one.Run(session);
            if (session.InTransaction) session.Release(undo: one.Failed || session.Undone);
            else throw new InvalidOperationException("SQLite undid the whole transaction.", one.Error);    // disk full, out of memory
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
            Monitor.Pulse(gate);
        }
        writer?.Join();
        while (idleReaders.TryTake(out var session)) session.Dispose();
    }

    private abstract class Waiting(CancellationToken stop)
    {
        public Exception? Error { get; protected set; }
        public bool Failed => Error is not null;

        protected CancellationToken Stop => stop;
        protected bool GaveUp { get; private set; }

        /// <summary>Asked when its turn comes, which is the caller's last chance.</summary>
        public bool GivesUp() => GaveUp = stop.IsCancellationRequested;

        public abstract void Run(HotWrite session);
        public abstract void Complete();
        public abstract void Fail(Exception error);
    }

    private sealed class Waiting<T>(Func<HotWrite, ValueTask<T>> work, CancellationToken stop) : Waiting(stop)
    {
        private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? answer;

        public Task<T> Answer => done.Task;

        public override void Run(HotWrite session)
        {
            Error = null;       // of a run before
            try
            {
                var running = work(session);
                answer = running.IsCompleted ? running.GetAwaiter().GetResult() : running.AsTask().GetAwaiter().GetResult();
            }
            catch (Exception error)
            {
                Error = error;
            }
        }

        public override void Complete()
        {
            if (Error is not null) done.TrySetException(Error);
            else if (GaveUp) done.TrySetCanceled(Stop);
            else done.TrySetResult(answer!);
        }

        public override void Fail(Exception error) => done.TrySetException(Error ?? error);
    }
}

/// <summary>One open connection to a SQLite file with its prepared statements. Used by one thread at a time; nothing in it waits but SQLite.</summary>
internal sealed class SqliteSession(SqliteConnection connection) : HotWrite, IDisposable
{
    private static readonly HotSql BeginSql = new("BEGIN IMMEDIATE"), CommitSql = new("COMMIT"), RollbackSql = new("ROLLBACK"), SaveSql = new("SAVEPOINT one"),
        ReleaseSql = new("RELEASE one"), UndoSql = new("ROLLBACK TO one");

    private readonly Dictionary<HotSql, SqliteStatement> statements = new(ReferenceEqualityComparer.Instance);

    public bool InTransaction => SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0;

    public void Begin() => Execute(BeginSql, []);
    public void Commit() => Execute(CommitSql, []);
    public void Rollback() => Execute(RollbackSql, []);
    public void Save() => Execute(SaveSql, []);

    public void Release(bool undo)
    {
        if (undo) Execute(UndoSql, []);
        Execute(ReleaseSql, []);
    }

    public override ValueTask<int> ExecuteAsync(HotSql sql, params object?[] values) => new(Execute(sql, values));

    public override ValueTask<T?> FirstAsync<T>(HotSql sql, Func<DbDataReader, T> row, params object?[] values) where T : default
    {
        using var rows = Of(sql).Query(values);
        return new(rows.Read() ? row(rows) : default);
    }

    public override ValueTask<List<T>> ListAsync<T>(HotSql sql, Func<DbDataReader, T> row, params object?[] values)
    {
        var all = new List<T>();
        using var rows = Of(sql).Query(values);
        while (rows.Read()) all.Add(row(rows));
        return new(all);
    }

    private int Execute(HotSql sql, ReadOnlySpan<object?> values) => Of(sql).Execute(values);

    private SqliteStatement Of(HotSql sql)
    {
        if (!statements.TryGetValue(sql, out var statement)) statements.Add(sql, statement = new SqliteStatement(connection.Handle!, sql.ForSqlite()));
        return statement;
    }

    public void Dispose()
    {
        foreach (var statement in statements.Values) statement.Dispose();
        connection.Dispose();
    }
}
