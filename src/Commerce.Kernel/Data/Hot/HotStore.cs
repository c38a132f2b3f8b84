using Commerce.Kernel.Outbox;
using Npgsql;

namespace Commerce.Kernel;

/// <summary>
/// The fast way into one module's own database: statements prepared once, on connections that stay open, and small writes of concurrent
/// requests in one durable commit. For the few requests that carry every hop; everything else uses the module's context.
/// </summary>
/// <remarks>
/// <para>
/// On SQLite one writer takes all writes that wait, runs them in the order in which <see cref="WriteAsync"/> was called, commits once
/// (write-ahead log, <c>synchronous=FULL</c>), then answers them all. Where one fails all run again, each inside a savepoint of its own. On
/// PostgreSQL each write is a transaction of its own on a pooled connection. The statements are the same: see <see cref="HotSql"/>.
/// </para>
/// <para>
/// The work handed over uses its session and nothing else that waits: while it runs, every other write waits for it. Compute, seal and
/// serialise before. It may run twice, so it changes nothing but the database. It must not ask the same store for another write.
/// </para>
/// </remarks>
public abstract class HotStore : IDisposable
{
    private readonly IHotEngine engine;
    private readonly OutboxSeal seal;
    private readonly RecentEvents? recent;      // null where another process may deliver what this one tells, and it would lie here for nothing
    private readonly TimeProvider clock;

    private protected HotStore(
        string module, Type context, HubSettings settings, HotPostgres postgres, OutboxSeal seal, RecentEvents recent, OutboxSignal signal, TimeProvider clock)
    {
        (this.seal, this.recent, this.clock) = (seal, settings.Postgres is null ? recent : null, clock);
        engine = settings.Postgres is null
            ? new HotSqlite(SqliteFile.Of(settings, module), module, () => signal.Ring(context))
            : new PostgresEngine(postgres.Source, module, () => signal.Ring(context));
    }

    /// <summary>Runs the work and returns its answer after the commit: what is answered is durable.</summary>
    /// <param name="work">
    /// Conditional updates and inserts. Where it throws, or calls <see cref="HotWrite.Undo"/>, nothing of it stays; other writes of the
    /// same commit are not touched.
    /// </param>
    /// <param name="stop">Gives up while the work has not begun. Once it runs, it runs to the end and is answered.</param>
    /// <exception cref="OperationCanceledException">The caller gave up before the work began. Nothing was written.</exception>
    /// <exception cref="System.Data.Common.DbException">The statement or the commit failed. Nothing of this work was acknowledged.</exception>
    public Task<T> WriteAsync<T>(Func<HotWrite, ValueTask<T>> work, CancellationToken stop = default) => engine.WriteAsync(work, stop);

    /// <summary>Reads what is committed, on a connection of its own.</summary>
    public ValueTask<T> ReadAsync<T>(Func<HotRead, ValueTask<T>> work, CancellationToken stop = default) => engine.ReadAsync(work, stop);

    /// <summary>
    /// Removes rows that have had their day. On SQLite, where one writes at a time, they are looked for beside the writer and removed a few at a
    /// time: a statement that removes an hour's rows at once would hold up every request for seconds. On PostgreSQL it holds nobody up.
    /// </summary>
    /// <returns>How many rows were removed.</returns>
    public async Task<int> SweepAsync(HotSweep sweep, DateTimeOffset before, CancellationToken stop = default)
    {
        if (engine is not HotSqlite) return await WriteAsync(write => write.ExecuteAsync(sweep.RemoveAll, before), stop);
        var removed = 0;
        var from = long.MinValue;
        List<long> found;
        do
        {
            found = await ReadAsync(read => sweep.HasIndex ? read.ListAsync(sweep.Find, row => row.GetInt64(0), before)
                : read.ListAsync(sweep.FindFrom, row => row.GetInt64(0), before, from), stop);
            if (found.Count > 0) from = found[^1];
            if (found.Count > 0) removed += await WriteAsync(write => write.ExecuteAsync(sweep.RemoveFound, before, $"[{string.Join(',', found)}]"), stop);
        }
        while (found.Count == HotSweep.Step);
        return removed;
    }

    /// <summary>
    /// Makes events ready for <see cref="HotWrite.PublishAsync"/>. They arrive as those of <see cref="ModuleDb.Publish"/> do; what is told here of
    /// one aggregate shares a row of the outbox, which is written, sealed and removed once.
    /// </summary>
    public IReadOnlyList<OutboxDraft> Drafts(params IEnumerable<IIntegrationEvent> events) =>
        [.. OutboxParcel.Of(events).Select(parcel => Draft(parcel, clock.GetUtcNow(), Sealed(parcel)))];

    /// <summary>The same for events that a row of this database tells: their content is not written down a second time.</summary>
    /// <remarks>Where another process may deliver them it is, because that one would have to read row by row.</remarks>
    public IReadOnlyList<OutboxDraft> Drafts(EventsOfRow told)
    {
        var parcels = OutboxParcel.Of(told.Events).ToList();
        return recent is not null && parcels is [var one] ? [Draft(one, told.At, EventRowBody.Of(told))]
            : [.. parcels.Select(parcel => Draft(parcel, told.At, Sealed(parcel)))];
    }

    private byte[] Sealed(IReadOnlyList<IIntegrationEvent> parcel) => seal.Seal(OutboxParcel.BodyOf(parcel));

    private OutboxDraft Draft(IReadOnlyList<IIntegrationEvent> parcel, DateTimeOffset at, byte[] body)
    {
        var id = Guid.CreateVersion7(at);
        recent?.Keep(id, parcel);
        return new OutboxDraft(id, parcel[0].Aggregate, OutboxParcel.TypeOf(parcel), body, at.UtcTicks);
    }

    /// <summary>Answers every write that was handed over, then closes the connections.</summary>
    public void Dispose()
    {
        engine.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>The hot store of one module's database. Registered with it, one for the process.</summary>
public sealed class HotStore<TDb> : HotStore where TDb : ModuleDb
{
    internal HotStore(string module, HubSettings settings, HotPostgres postgres, OutboxSeal seal, RecentEvents recent, OutboxSignal signal, TimeProvider clock)
        : base(module, typeof(TDb), settings, postgres, seal, recent, signal, clock)
    {
    }
}

/// <summary>One event, or several of one aggregate, sealed and ready to be stored with the change that they tell of.</summary>
public sealed class OutboxDraft
{
    internal OutboxDraft(Guid id, string aggregate, string type, byte[] body, long at) => (Id, Aggregate, Type, Body, At) = (id, aggregate, type, body, at);

    internal Guid Id { get; }
    internal string Aggregate { get; }
    internal string Type { get; }
    internal byte[] Body { get; }
    internal long At { get; }
}

internal interface IHotEngine : IDisposable
{
    Task<T> WriteAsync<T>(Func<HotWrite, ValueTask<T>> work, CancellationToken stop);

    ValueTask<T> ReadAsync<T>(Func<HotRead, ValueTask<T>> work, CancellationToken stop);
}

/// <summary>One pool of PostgreSQL connections for the hot stores of all modules; statements are prepared by the driver at their second use.</summary>
internal sealed class HotPostgres(HubSettings settings) : IDisposable
{
    private readonly Lazy<NpgsqlDataSource> source = new(() => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(settings.Postgres) { MaxAutoPrepare = 64, AutoPrepareMinUsages = 2, Enlist = false }));

    public NpgsqlDataSource Source => source.Value;

    public void Dispose()
    {
        if (source.IsValueCreated) source.Value.Dispose();
    }
}
