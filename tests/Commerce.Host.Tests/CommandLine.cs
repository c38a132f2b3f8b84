using System.CommandLine;
using System.Text.Json;
using Commerce.Host.CommandLine;
using Commerce.Testing;

namespace Commerce.Host.Tests;

/// <summary>Runs verbs in this process on a data folder of the test's own.</summary>
internal sealed class CommandLineRunner : IDisposable
{
    public TempFolder Folder { get; } = new();

    public string Data => Folder.File("data");

    public async Task<Said> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await Verbs.Root().Parse([.. args, "--data", Data]).InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return new Said(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs a verb that must succeed, and reads what it printed as JSON.</summary>
    public async Task<JsonElement> JsonAsync(params string[] args)
    {
        var said = await RunAsync([.. args, "--json"]);
        Xunit.Assert.True(said.Code == 0, $"{string.Join(' ', args)}: {said.Code} {said.Error} {said.Output}");
        return JsonDocument.Parse(said.Output).RootElement;
    }

    public string Write(string name, string text)
    {
        File.WriteAllText(Folder.File(name), text);
        return Folder.File(name);
    }

    public long Count(string module, string sql)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(Data, module)}.db;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Folder.Dispose();
    }
}

internal sealed record Said(int Code, string Output, string Error);
