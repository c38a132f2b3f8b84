using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>offer add FILE</c>.</summary>
internal static class OfferAdd
{
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "The offer, JSON: id, partner, when, target_url, purpose, texts." };

    public static Command Make() => new Command("add", """
        Add an offer, or replace the one with the same id: which partner service is shown after which purchases.

        Example:
          offer add tire-fitting.json

        "when" matches if any line of the order is in the category ("tires/*"; * stands at the end only), the order is of one of
        the banners, and goes to one of the countries. The purpose must be one of the partner's data contract.
        """) { File }.Runs(async run =>
    {
        var offer = await run.MustAsync(new PutOffer(await run.ReadAsync(run.Get(File))));
        run.Print(new { offer }, text => text.WriteLine($"Offer {offer} is in force."));
    });
}
