using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>api add FILE</c>: an API whose access tokens the hub issues.</summary>
internal static class ApiAdd
{
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "The API, JSON: identifier, name, scopes (name, description, claims), client." };

    public static Command Make() => new Command("add", """
        Register an API whose access tokens the hub issues, or replace the one with the same identifier.

        Example:
          api add fitting-calendar.json

        The file: {"identifier":"https://api.fitting.example","name":"Fitting calendar","scopes":[{"name":"calendar:read"}]}.
        "claims" of a scope name what of a customer it is about; "client" is the client id with which the API asks the hub about tokens.
        """) { File }.Runs(async run =>
    {
        var api = await run.MustAsync(new PutApiResource(await run.ReadAsync(run.Get(File))));
        run.Print(new { api }, text => text.WriteLine($"API {api} is registered."));
    });
}
