using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Commerce.Host.CommandLine.Imports;

/// <summary>Shows how far an import is: a bar on a terminal, a line every few seconds otherwise. On stderr, so that stdout holds the result alone.</summary>
internal static class ImportProgress
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    public delegate void Report(long bytes, long lines);

    /// <param name="from">Bytes that an earlier run has done.</param>
    public static async Task ShowAsync(TextWriter to, string what, long from, long total, Func<Report, Task> work)
    {
        if (Console.IsErrorRedirected || to != Console.Error) await LinesAsync(to, what, from, total, work);
        else await BarAsync(what, from, total, work);
    }

    private static async Task LinesAsync(TextWriter to, string what, long from, long total, Func<Report, Task> work)
    {
        var watch = Stopwatch.StartNew();
        var said = TimeSpan.Zero;
        await work((bytes, lines) =>
        {
            if (watch.Elapsed - said < Pause) return;
            said = watch.Elapsed;
            var rate = lines / watch.Elapsed.TotalSeconds;
            var left = TimeSpan.FromSeconds(watch.Elapsed.TotalSeconds * (total - bytes) / Math.Max(1, bytes - from));
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {100.0 * bytes / Math.Max(1, total):0} %, {rate:0} lines/s, {left:hh\\:mm\\:ss} left"));
        });
    }

    private static Task BarAsync(string what, long from, long total, Func<Report, Task> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var rate = new RateColumn();
        return console.Progress().HideCompleted(false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), rate, new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(what, maxValue: Math.Max(1, total));
                task.Value = from;
                await work((bytes, lines) =>
                {
                    task.Value = bytes;
                    rate.Lines = lines;
                });
                task.Value = Math.Max(1, total);
            });
    }

    private sealed class RateColumn : ProgressColumn
    {
        private readonly Stopwatch watch = Stopwatch.StartNew();

        public long Lines { get; set; }

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(string.Create(CultureInfo.InvariantCulture, $"{Lines / Math.Max(0.001, watch.Elapsed.TotalSeconds):0} lines/s"));
    }
}
