using System.Diagnostics;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Commerce.Testing;

/// <summary>
/// Fails every database command that holds its thread while it waits, in every test that starts a hub. A few hundred of them at the same
/// moment, on a machine with few cores, leave no thread on which any of them could be answered. Migrations run before the first request.
/// </summary>
internal sealed class NoBlockingQueries : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    public static void Watch() => DiagnosticListener.AllListeners.Subscribe(new NoBlockingQueries());

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == DbLoggerCategory) value.Subscribe(this, (name, _, _) => name == RelationalEventId.CommandExecuting.Name);
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is CommandEventData { IsAsync: false, CommandSource: not CommandSource.Migrations } command)
            throw new InvalidOperationException($"A command held its thread; ask for it asynchronously: {command.Command.CommandText}");
    }

    public void OnCompleted()
    {
        // the listener lives as long as the process
    }

    public void OnError(Exception error)
    {
        // listeners raise none
    }

    private const string DbLoggerCategory = Microsoft.EntityFrameworkCore.DbLoggerCategory.Name;
}
