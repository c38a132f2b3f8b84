using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Outbox;

/// <summary>An event that used up its attempts.</summary>
/// <param name="Module">Whose outbox holds it.</param>
/// <param name="Type">Name of its type; several, a space between two, where it holds events that were told together.</param>
/// <param name="LastError">Type of the last error; never its text, which may hold personal data.</param>
/// <param name="Waiting">Later events of the same aggregate that wait behind it.</param>
public sealed record DeadLetter(string Module, Guid Event, string Type, DateTimeOffset PublishedAt, DateTimeOffset DeadAt, string LastError, int Waiting);

/// <summary>What an operator sees and does about events that could not be delivered.</summary>
public sealed class DeadLetters(IServiceScopeFactory scopes, IEnumerable<ModuleDbType> modules, TimeProvider clock)
{
    public async Task<IReadOnlyList<DeadLetter>> ListAsync(CancellationToken stop = default)
    {
        var all = new List<DeadLetter>();
        foreach (var module in modules)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = (ModuleDb)scope.ServiceProvider.GetRequiredService(module.Type);
            var rows = await db.Outbox.AsNoTracking().Where(m => m.DeadAt != null).OrderBy(m => m.Sequence)
                .Select(m => new { m, Waiting = db.Outbox.Count(later => later.Aggregate == m.Aggregate && later.Sequence > m.Sequence) })
                .ToListAsync(stop);
            all.AddRange(rows.Select(r => new DeadLetter(module.Module, r.m.Id, r.m.Type, r.m.CreatedAt, r.m.DeadAt!.Value, r.m.LastError ?? "", r.Waiting)));
        }
        return all;
    }

    /// <summary>Lets the event try again from the start, now. False where there is no such dead letter.</summary>
    public Task<bool> RetryAsync(Guid id, CancellationToken stop = default) => EachAsync(async db =>
    {
        var now = clock.GetUtcNow();
        return await db.Outbox.Where(m => m.Id == id && m.DeadAt != null).ExecuteUpdateAsync(row => row
            .SetProperty(m => m.DeadAt, (DateTimeOffset?)null)
            .SetProperty(m => m.Attempts, 0)
            .SetProperty(m => m.NextAttemptAt, now), stop) == 1;
    });

    /// <summary>Gives the event up, so that those behind it go on. False where there is no such dead letter.</summary>
    public Task<bool> DropAsync(Guid id, CancellationToken stop = default) => EachAsync(async db =>
        await db.Outbox.Where(m => m.Id == id && m.DeadAt != null).ExecuteDeleteAsync(stop) == 1);

    private async Task<bool> EachAsync(Func<ModuleDb, Task<bool>> act)
    {
        foreach (var module in modules)
        {
            await using var scope = scopes.CreateAsyncScope();
            if (await act((ModuleDb)scope.ServiceProvider.GetRequiredService(module.Type))) return true;
        }
        return false;
    }
}
