using System.Diagnostics;
using Npgsql;

namespace Commerce.Testing;

/// <summary>
/// A private PostgreSQL on a free loopback port, with a temporary data folder, shared by the tests of one process. It ends with the
/// process, however the process ends: it stops when the pipe that holds it closes.
/// </summary>
public sealed class PostgresServer
{
    private static readonly Lazy<Task<PostgresServer>> Once = new(StartAsync);
    private static int databases;
    private readonly int port;

    // Referenced for as long as the test process lives: its standard input is the pipe.
    private readonly Process holder;

    private PostgresServer(int port, Process holder) => (this.port, this.holder) = (port, holder);

    /// <summary>Why there can be no server here, in a sentence for <c>Assert.Skip</c>; null where there can.</summary>
    public static string? Missing { get; } = Programs() is null
        ? "PostgreSQL is not installed (looked in /usr/lib/postgresql/*/bin); install Debian's package postgresql." : null;

    public static Task<PostgresServer> SharedAsync() => Once.Value;

    /// <summary>For a test that runs on each engine: null for <c>sqlite</c>, a new database for <c>postgresql</c>. Skips where there can be none.</summary>
    public static async Task<string?> DatabaseForAsync(string engine, Action<string> skip)
    {
        if (engine == "sqlite") return null;
        if (Missing is { } missing) skip(missing);
        return await (await SharedAsync()).NewDatabaseAsync();
    }

    /// <summary>An empty database of the test's own. Returns its connection string.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await using var connection = new NpgsqlConnection(ConnectionTo("postgres"));
        await connection.OpenAsync();
        await using var create = connection.CreateCommand();
        create.CommandText = $"CREATE DATABASE {name}";
        await create.ExecuteNonQueryAsync();
        return ConnectionTo(name);
    }

    private string ConnectionTo(string database) =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = port, Username = "commerce", Database = database, MaxPoolSize = 20, Timeout = 30 }.ToString();

    private static string? Programs() => Directory.Exists("/usr/lib/postgresql")
        ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin"))
            .Where(bin => File.Exists(Path.Combine(bin, "postgres")) && File.Exists(Path.Combine(bin, "initdb")))
            .MaxBy(bin => double.TryParse(Path.GetFileName(Path.GetDirectoryName(bin)), out var version) ? version : 0)
        : null;

    private static async Task<PostgresServer> StartAsync()
    {
        var port = TestHub.FreePort();
        // Durability is not what these tests are about, so nothing waits for the disk.
        var script = $"""
            set -e
            folder=$(mktemp -d /tmp/commerce-postgres-XXXXXX)
            {Programs()}/initdb -D $folder/data -U commerce -A trust --no-sync -E UTF8 --locale=C.UTF-8 >$folder/initdb.log 2>&1
            {Programs()}/postgres -D $folder/data -c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
              -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=400 >$folder/server.log 2>&1 &
            server=$!
            cat >/dev/null
            kill -QUIT $server
            wait $server || true
            rm -rf $folder
            """;
        var start = Environment.UserName == "root"   // PostgreSQL refuses to run as root
            ? new ProcessStartInfo("runuser", ["-u", "postgres", "--", "/bin/sh", "-c", script]) { WorkingDirectory = "/tmp" }
            : new ProcessStartInfo("/bin/sh", ["-c", script]);
        start.RedirectStandardInput = true;
        var holder = Process.Start(start)!;
        var server = new PostgresServer(port, holder);
        await Wait.UntilAsync(async () =>
        {
            if (holder.HasExited) throw new InvalidOperationException("The private PostgreSQL ended at once; see the folder commerce-postgres-* in the temporary directory.");
            try
            {
                await using var connection = new NpgsqlConnection(server.ConnectionTo("postgres"));
                await connection.OpenAsync();
                return true;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        }, "the private PostgreSQL answers");
        return server;
    }
}
