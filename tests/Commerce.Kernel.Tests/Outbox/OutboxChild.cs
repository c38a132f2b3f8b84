using System.Diagnostics;
using Commerce.Kernel.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel.Tests.Outbox;

/// <summary>
/// The process that is killed: <c>outbox-child FOLDER count</c> counts five aggregates up without end, says each number on its output
/// after the commit, and delivers at the same time. With <c>drain</c> it only delivers, and ends when nothing is left.
/// </summary>
internal static class OutboxChild
{
    public static readonly IReadOnlyList<string> Aggregates = ["a", "b", "c", "d", "e"];

    public static async Task<int> RunAsync(string[] args)
    {
        var (folder, counts) = (args[1], args[2] == "count");
        // Twenty times as fast as life, so that back-off does not make the test long. While it drains nothing fails any more: each failure would
        // cost a second of polling, and a fast machine leaves thousands of events behind.
        await using var services = Shop.Build(folder, new FastClock(20), new Trouble
        {
            WhenWritingDown = (message, delivery) => counts && message.Number % 13 == 0 && delivery.Attempt < 2 ? new InvalidOperationException("Not at once.") : null,
        });
        if (!File.Exists(Path.Combine(folder, "diary.db"))) await services.MigrateModulesAsync();
        var relay = services.GetRequiredService<OutboxRelay>();
        await relay.StartAsync(default);
        // Ready when everything has run once: the kill shall hit work, not the start.
        if (counts) await Shop.CountAsync(services, Aggregates[0]);
        await Console.Out.WriteLineAsync("ready");
        if (counts)
        {
            await Task.WhenAll(Aggregates.Select(async aggregate =>
            {
                // Both ways to write: the module's context, and the hot store with its shared commits.
                var hot = aggregate is "c" or "d" or "e";
                while (true) await Console.Out.WriteLineAsync($"{aggregate} {await (hot ? Shop.CountHotAsync(services, aggregate) : Shop.CountAsync(services, aggregate))} .");
            }));
        }
        while (await IsLeftAsync<CountersDb>(services) || await IsLeftAsync<DiaryDb>(services)) await Task.Delay(50);
        await relay.StopAsync(default);
        return 0;
    }

    private static async Task<bool> IsLeftAsync<TDb>(IServiceProvider services) where TDb : ModuleDb
    {
        await using var scope = services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<TDb>().Outbox.AnyAsync();
    }

    private sealed class FastClock(int times) : TimeProvider
    {
        private readonly DateTimeOffset start = DateTimeOffset.UtcNow;
        private readonly long began = Stopwatch.GetTimestamp();

        // Later processes begin where real time stands, which may be before what an earlier one wrote: a clock that was set back.
        public override DateTimeOffset GetUtcNow() => start + Stopwatch.GetElapsedTime(began) * times;
    }
}
