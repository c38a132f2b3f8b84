using System.Collections.Concurrent;
using System.Diagnostics;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Kernel.Tests.Outbox;

public sealed class OutboxSurvivesKills(ITestOutputHelper output)
{
    private const int Kills = 50;

    [Fact]
    public async Task Fifty_kills_lose_no_event_and_repeat_no_effect()
    {
        var watch = Stopwatch.StartNew();
        // Two at a time, each with databases of its own: most of the time goes into starting processes.
        var events = await Task.WhenAll(KillAsync(1), KillAsync(2));
        output.WriteLine($"{Kills} kills, {events.Sum()} events, {watch.Elapsed.TotalSeconds:0} s");
        Assert.True(events.Sum() > Kills * OutboxChild.Aggregates.Count, "The processes hardly lived.");
    }

    private static async Task<int> KillAsync(int seed)
    {
        using var folder = new TempFolder();
        var random = new Random(seed);
        var acknowledged = OutboxChild.Aggregates.ToDictionary(a => a, _ => 0);
        for (var kill = 0; kill < Kills / 2; kill++)
        {
            using var child = Start(folder.Path, "count");
            await ReadyAsync(child);
            var lines = new ConcurrentQueue<string>();
            var said = ReadOnAsync(child, lines);
            // At a moment of chance, but not before it has done something: a slow machine is slow to work, too.
            var atLeast = random.Next(4, 16);
            await Wait.UntilAsync(() => lines.Count >= atLeast, $"{atLeast} numbers were said");
            await Task.Delay(random.Next(5, 300));
            child.Kill();               // SIGKILL: no chance to tidy up
            await child.WaitForExitAsync();
            await said;
            foreach (var line in lines)
            {
                // The last line may be cut in the middle: then nobody was told.
                if (line.Split(' ') is [var aggregate, var number, "."] && acknowledged.ContainsKey(aggregate))
                    acknowledged[aggregate] = Math.Max(acknowledged[aggregate], int.Parse(number, System.Globalization.CultureInfo.InvariantCulture));
            }
        }
        using (var last = Start(folder.Path, "drain"))
        {
            await ReadyAsync(last);
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            await last.WaitForExitAsync(patience.Token);
            Assert.Equal(0, last.ExitCode);
        }

        await using var services = Shop.Build(folder.Path, TimeProvider.System);
        await using var scope = services.CreateAsyncScope();
        var counters = scope.ServiceProvider.GetRequiredService<CountersDb>();
        var diary = scope.ServiceProvider.GetRequiredService<DiaryDb>();
        foreach (var aggregate in OutboxChild.Aggregates)
        {
            var value = (await counters.Counters.SingleOrDefaultAsync(c => c.Aggregate == aggregate))?.Value ?? 0;
            Assert.True(value >= acknowledged[aggregate], $"{aggregate} was told to be {acknowledged[aggregate]} and is {value}.");
            var expected = Enumerable.Range(1, value);
            Assert.Equal(expected, await diary.Entries.Where(e => e.Aggregate == aggregate).OrderBy(e => e.Id).Select(e => e.Number).ToListAsync());
            Assert.Equal(expected, await counters.Echoes.Where(e => e.Aggregate == aggregate).OrderBy(e => e.Id).Select(e => e.Number).ToListAsync());
        }
        Assert.False(await counters.Outbox.AnyAsync());
        Assert.False(await diary.Outbox.AnyAsync());
        return await diary.Entries.CountAsync();
    }

    private static Process Start(string folder, string what) => Process.Start(
        new ProcessStartInfo("dotnet", [typeof(OutboxChild).Assembly.Location, "outbox-child", folder, what]) 
        {
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_TieredPGO"] = "0" },     // a process that lives for a moment need not learn
        })!;

    private static async Task ReadyAsync(Process child)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        Assert.Equal("ready", await child.StandardOutput.ReadLineAsync(patience.Token));
    }

    private static async Task ReadOnAsync(Process child, ConcurrentQueue<string> lines)
    {
        while (await child.StandardOutput.ReadLineAsync() is { } line) lines.Enqueue(line);
    }
}
