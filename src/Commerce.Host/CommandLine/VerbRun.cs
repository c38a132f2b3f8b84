using System.CommandLine;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Kernel;
using MediatR;

namespace Commerce.Host.CommandLine;

/// <summary>A verb cannot go on. The message is a sentence for the person at the terminal.</summary>
internal sealed class VerbFault(string message) : Exception(message)
{
    public VerbFault(Refusal refusal) : this(Sentences(refusal))
    {
    }

    private static string Sentences(Refusal refusal) => string.Join(Environment.NewLine,
        [refusal.Message, .. (refusal.Errors ?? []).Select(e => e.Field.Length == 0 ? $"  {e.Message}" : $"  {e.Field}: {e.Message}")]);
}

/// <summary>What a running verb has at hand: its arguments, the hub's modules without a server, and its output.</summary>
internal sealed class VerbRun(ParseResult parsed, CancellationToken stop) : IAsyncDisposable
{
    private WebApplication? hub;

    public CancellationToken Stop { get; } = stop;
    public TextWriter Error => parsed.InvocationConfiguration.Error;
    public bool Json => parsed.GetValue(Verbs.Json);
    public HubSettings Settings { get; } = HubSettingsOf(parsed);

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;
    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>Asks a module. The first question makes and migrates the databases where they are not there yet.</summary>
    public async Task<T> AskAsync<T>(IRequest<T> request)
    {
        await using var scope = (await HubAsync()).Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request, Stop);
    }

    /// <summary>The same where the module may refuse.</summary>
    /// <exception cref="VerbFault">It did.</exception>
    public async Task<T> MustAsync<T>(IRequest<Result<T>> request) =>
        (await AskAsync(request)).TryGet(out var value, out var refusal) ? value : throw new VerbFault(refusal);

    public async Task<T> ServiceAsync<T>() where T : notnull => (await HubAsync()).Services.GetRequiredService<T>();

    /// <summary>Prints the result: as JSON with <c>--json</c>, else as text.</summary>
    public void Print(object result, Action<TextWriter> text)
    {
        var output = parsed.InvocationConfiguration.Output;
        if (Json) output.WriteLine(JsonSerializer.Serialize(result, result.GetType(), Indented));
        else text(output);
    }

    /// <exception cref="VerbFault">There is no such file, or it is not text.</exception>
    public async Task<string> ReadAsync(FileInfo file)
    {
        if (!file.Exists) throw new VerbFault($"There is no file {file.FullName}.");
        return Utf8(await File.ReadAllBytesAsync(file.FullName, Stop), file.FullName);
    }

    public static string Utf8(ReadOnlySpan<byte> bytes, string source)
    {
        try
        {
            if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
            return new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw new VerbFault($"{source} is not UTF-8 text.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (hub is not null) await hub.DisposeAsync();
    }

    private async Task<WebApplication> HubAsync()
    {
        if (hub is not null) return hub;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(Hub).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = Settings.IsDevelopment ? Environments.Development : Environments.Production,
        });
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);    // stdout is the result's alone
        Hub.AddHub(builder.Services, Settings, Hub.AllModules);
        hub = builder.Build();      // never started: a verb serves nobody, and its events wait for the server's relay
        await hub.Services.MigrateModulesAsync(Stop);
        return hub;
    }

    private static HubSettings HubSettingsOf(ParseResult parsed) => CommandLine.Settings.From(parsed.GetValue(Verbs.Data)!, "http://localhost:5000");

    private static readonly JsonSerializerOptions Indented = new(HubJson.Options) { WriteIndented = true };
}

internal static class VerbRunning
{
    /// <summary>Gives the verb its work. An expected fault becomes a sentence on stderr and exit code 1.</summary>
    public static Command Runs(this Command verb, Func<VerbRun, Task<int>> work)
    {
        verb.SetAction(async (parsed, stop) =>
        {
            try
            {
                await using var run = new VerbRun(parsed, stop);
                return await work(run);
            }
            catch (VerbFault fault)
            {
                return await parsed.SayAsync(fault.Message);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return await parsed.SayAsync("Stopped before the end.");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return await parsed.SayAsync(error.Message);
            }
            catch (Exception error) when (error is DbException or Microsoft.EntityFrameworkCore.DbUpdateException)
            {
                return await parsed.SayAsync($"The database could not be used: {error.GetBaseException().Message}");
            }
            catch (CryptographicException)
            {
                return await parsed.SayAsync("Something in the database was sealed with keys that are not in this data folder's keyring. Restore the folder as a whole.");
            }
        });
        return verb.SplitsItsHelp();
    }

    /// <summary>The same for a verb that always succeeds or throws.</summary>
    public static Command Runs(this Command verb, Func<VerbRun, Task> work) => verb.Runs(async run =>
    {
        await work(run);
        return 0;
    });

    private static async Task<int> SayAsync(this ParseResult parsed, string sentence)
    {
        await parsed.InvocationConfiguration.Error.WriteLineAsync(sentence);
        return 1;
    }
}
