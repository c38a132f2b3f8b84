using System.CommandLine;

namespace Commerce.Host.CommandLine;

/// <summary>The command line: one verb, one file.</summary>
internal static class Verbs
{
    public static readonly Option<DirectoryInfo> Data = new("--data")
    {
        Description = "Folder for databases and keys.",
        DefaultValueFactory = _ => new DirectoryInfo("data"),
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json") { Description = "Print the result as JSON.", Recursive = true };

    public static RootCommand Root() => new("Commerce: one identity for every customer, and signed-in hops to partners.")
    {
        Data, Json, ServeVerb.Make(),
    };
}
