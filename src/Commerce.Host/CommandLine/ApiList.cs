using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>api list</c>.</summary>
internal static class ApiList
{
    public static Command Make() => new Command("list", "List the APIs whose access tokens the hub issues, its own first.\n\nExample:\n  api list").Runs(async run =>
    {
        var apis = await run.AskAsync(new ListApiResources());
        run.Print(apis, text =>
        {
            foreach (var api in apis) text.WriteLine($"{api.Identifier}  {api.Name}{Environment.NewLine}    {string.Join(' ', api.Scopes)}");
        });
    });
}
