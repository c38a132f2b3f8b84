using System.Diagnostics;
using System.Threading.Channels;

namespace Commerce.Host.CommandLine.Imports;

/// <summary>What an import did, over all its runs.</summary>
/// <param name="Known">Lines that the hub had taken before.</param>
/// <param name="RejectedFile">Where the rejected lines are told, or null where there are none.</param>
/// <param name="ResumedFromLine">Lines that an earlier, interrupted run had done; 0 where there was none.</param>
internal sealed record ImportSummary(
    string File, long Lines, long Added, long Known, long Rejected, string? RejectedFile, long ResumedFromLine, double Seconds, double LinesPerSecond);

/// <summary>What the modules made of one line.</summary>
internal sealed record Taken(bool IsNew, string? Reason);

/// <summary>
/// Takes a file of JSON Lines in batches. After each batch the checkpoint is written, so that the import can be killed at any moment
/// and run again: a batch that was taken and not noted is taken again, which the modules' keys make harmless.
/// </summary>
/// <typeparam name="TLine">A line that was read and checked.</typeparam>
/// <param name="what">What the lines are, such as <c>customers</c>.</param>
/// <param name="key">Top-level members that make a line's key.</param>
/// <param name="read">Reads and checks a line: what it holds, or the reason why not.</param>
/// <param name="take">Hands the lines to the modules; answers in their order.</param>
internal sealed class Import<TLine>(
    string what, IReadOnlyList<string> key, Func<RawLine, (TLine? Line, string? Reason)> read, Func<VerbRun, IReadOnlyList<TLine>, Task<IReadOnlyList<Taken>>> take)
    where TLine : class
{
    private const int BatchSize = 1000;

    private sealed record Read(RawLine Raw, TLine? Line, string? Reason);

    public async Task<int> RunAsync(VerbRun run, FileInfo source)
    {
        if (!source.Exists) throw new VerbFault($"There is no file {source.FullName}.");
        var path = Checkpoint.PathFor(run.Settings.DataDirectory, what, source.FullName);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var alone = Lock(path) ?? throw new VerbFault($"{source.Name} is being imported already.");
        using var file = source.OpenRead();
        var start = Checkpoint.Load(path, Checkpoint.IdentityOf(file));
        using var rejected = RejectedLines.Open($"{source.FullName}.rejected", start.RejectedLength);
        var seen = new SeenKeys(key);
        if (start.Line > 0)
        {
            await run.Error.WriteLineAsync($"Going on behind line {start.Line}.");
            Recall(seen, file, start.Offset, rejected.Numbers());
        }

        var watch = Stopwatch.StartNew();
        var done = start;
        await ImportProgress.ShowAsync(run.Error, what, start.Offset, file.Length, async report =>
        {
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(run.Stop);
            var batches = Channel.CreateBounded<List<Read>>(2);
            var reading = Task.Run(() => ReadOnAsync(file, start, batches.Writer, ends.Token), CancellationToken.None);
            try
            {
                await foreach (var batch in batches.Reader.ReadAllAsync(run.Stop))
                {
                    done = await TakeAsync(run, batch, seen, rejected, done);
                    done.Save(path);
                    report(done.Offset, done.Line - start.Line);
                }
            }
            finally
            {
                await ends.CancelAsync();
                await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        });
        File.Delete(path);      // the next import of this file begins at its beginning, and finds everything known

        var seconds = watch.Elapsed.TotalSeconds;
        var summary = new ImportSummary(source.FullName, done.Line, done.Added, done.Known, done.Rejected, done.Rejected > 0 ? $"{source.FullName}.rejected" : null,
            start.Line, Math.Round(seconds, 1), Math.Round((done.Line - start.Line) / Math.Max(seconds, 0.001)));
        run.Print(summary, text => Describe(text, summary));
        return 0;
    }

    private async Task ReadOnAsync(Stream file, Checkpoint start, ChannelWriter<List<Read>> to, CancellationToken stop)
    {
        try
        {
            foreach (var lines in LineReader.Read(file, start.Offset, start.Line).Chunk(BatchSize))
            {
                await to.WriteAsync([.. lines.Select(raw =>
                {
                    var (line, reason) = raw.IsTooLong ? (null, $"The line is longer than {LineReader.MaxLength / 1024 / 1024} MB.") : read(raw);
                    return new Read(raw, line, reason);
                })], stop);
            }
            to.Complete();
        }
        catch (Exception error)
        {
            to.Complete(error);
        }
    }

    private async Task<Checkpoint> TakeAsync(VerbRun run, List<Read> batch, SeenKeys seen, RejectedLines rejected, Checkpoint before)
    {
        var refused = new SortedDictionary<long, string>();
        var good = new List<Read>(batch.Count);
        foreach (var one in batch)
        {
            if (one.Reason is { } reason) refused[one.Raw.Number] = reason;
            else if (seen.Add(one.Raw) is { } earlier) refused[one.Raw.Number] = $"{string.Join(" and ", key)}: line {earlier} has the same already.";
            else good.Add(one);
        }
        var taken = good.Count == 0 ? [] : await take(run, [.. good.Select(g => g.Line!)]);
        for (var i = 0; i < taken.Count; i++)
        {
            if (taken[i].Reason is not { } reason) continue;
            refused[good[i].Raw.Number] = reason;
            seen.Forget(good[i].Raw);
        }
        rejected.Append([.. refused.Select(r => new RejectedLine(r.Key, r.Value))]);
        return before with
        {
            Offset = batch[^1].Raw.Next,
            Line = batch[^1].Raw.Number,
            RejectedLength = rejected.Length,
            Added = before.Added + taken.Count(t => t is { IsNew: true, Reason: null }),
            Known = before.Known + taken.Count(t => t is { IsNew: false, Reason: null }),
            Rejected = before.Rejected + refused.Count,
        };
    }

    private static void Recall(SeenKeys seen, Stream file, long end, IReadOnlySet<long> rejected)
    {
        foreach (var line in LineReader.Read(file, 0, 0).TakeWhile(line => line.Next <= end).Where(line => !rejected.Contains(line.Number))) seen.Add(line);
    }

    private static FileStream? Lock(string path)
    {
        try
        {
            return new FileStream($"{path}.lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Describe(TextWriter text, ImportSummary summary)
    {
        text.WriteLine($"{summary.Added} {what} added, {summary.Known} known already, {summary.Rejected} lines rejected, in {summary.Seconds:0.0} s ({summary.LinesPerSecond:0} lines/s).");
        if (summary.RejectedFile is { } rejectedFile) text.WriteLine($"Rejected lines with their reasons: {rejectedFile}");
    }
}
