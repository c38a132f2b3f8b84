using System.CommandLine;
using Commerce.Identity.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>banner list</c>.</summary>
internal static class BannerList
{
    public static Command Make() => new Command("list", "List the store brands.").Runs(async run =>
    {
        var banners = await run.AskAsync(new AllBanners());
        run.Print(banners, text =>
        {
            if (banners.Count == 0) text.WriteLine("There are no banners yet. Add one with: banner add --help");
            else Columns.Write(text, ["BANNER", "NAME", "LANGUAGES", "DOMAINS"],
                banners.Select(b => (IReadOnlyList<string>)[b.Id, b.Name, string.Join(",", b.Languages), string.Join(",", b.Domains)]));
        });
    });
}
