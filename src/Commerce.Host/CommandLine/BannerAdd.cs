using System.CommandLine;
using System.Text.Json;
using Commerce.Host.CommandLine.Imports;
using Commerce.Identity.Contracts;
using Commerce.Kernel;

namespace Commerce.Host.CommandLine;

/// <summary><c>banner add FILE</c>.</summary>
internal static class BannerAdd
{
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "The banner, JSON: id, name, domains, languages, look {accent, logo}, sender." };

    public static Command Make() => new Command("add", """
        Add a store brand, or replace the one with the same id.

        Example:
          banner add northern-tires.json
        """) { File }.Runs(async run =>
    {
        var file = run.Get(File);
        Banner banner;
        try
        {
            banner = JsonSerializer.Deserialize<Banner>(await run.ReadAsync(file), HubJson.Options) ?? throw new VerbFault($"{file.Name} holds no JSON object.");
        }
        catch (JsonException error)
        {
            throw new VerbFault($"{file.Name}: {JsonFault.Sentence(error)}");
        }
        var put = await run.MustAsync(new PutBanner(banner));
        run.Print(put, text => text.WriteLine($"Banner {put.Id} ({put.Name}) is in force."));
    });
}
