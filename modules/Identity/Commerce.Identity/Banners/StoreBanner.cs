using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Identity.Accounts;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Identity.Mail;
using Commerce.Kernel;
using Commerce.Web;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MimeKit;

namespace Commerce.Identity.Banners;

/// <summary>A store brand as it is kept: <see cref="Banner"/> with its lists as JSON.</summary>
internal sealed class StoreBanner
{
    public required string Id { get; init; }
    public required string Name { get; set; }
    public required string Domains { get; set; }
    public required string Languages { get; set; }
    public required string Accent { get; set; }
    public string? Logo { get; set; }
    public required string Sender { get; set; }

    public Banner ToContract() => new(Id, Name, JsonSerializer.Deserialize<string[]>(Domains)!, JsonSerializer.Deserialize<string[]>(Languages)!,
        new BannerLook(Accent, Logo), Sender);
}

internal sealed class FindBanner(IdentityDb db) : IRequestHandler<BannerOf, Banner?>
{
    public async Task<Banner?> Handle(BannerOf request, CancellationToken cancellationToken) =>
        (await db.Banners.AsNoTracking().SingleOrDefaultAsync(b => b.Id == request.Id, cancellationToken))?.ToContract();
}

internal sealed class FindAllBanners(IdentityDb db) : IRequestHandler<AllBanners, IReadOnlyList<Banner>>
{
    public async Task<IReadOnlyList<Banner>> Handle(AllBanners request, CancellationToken cancellationToken) =>
        [.. (await db.Banners.AsNoTracking().OrderBy(b => b.Id).ToListAsync(cancellationToken)).Select(b => b.ToContract())];
}

internal sealed partial class PutBannerHandler(IdentityDb db) : IRequestHandler<PutBanner, Result<Banner>>
{
    public async Task<Result<Banner>> Handle(PutBanner request, CancellationToken cancellationToken)
    {
        var banner = request.Banner;
        if (Faults(banner) is { Count: > 0 } faults) return Refusals.BannerNotValid.With(faults);
        var row = await db.Banners.FindAsync([banner.Id], cancellationToken);
        var (domains, languages) = (JsonSerializer.Serialize(banner.Domains), JsonSerializer.Serialize(banner.Languages));
        if (row is null)
        {
            db.Banners.Add(row = new StoreBanner { Id = banner.Id, Name = banner.Name, Domains = domains, Languages = languages, Accent = banner.Look.Accent, Sender = banner.Sender });
        }
        (row.Name, row.Domains, row.Languages, row.Accent, row.Logo, row.Sender) = (banner.Name, domains, languages, banner.Look.Accent, banner.Look.Logo, banner.Sender);
        await db.SaveChangesAsync(cancellationToken);
        return banner;
    }

    private static List<FieldError> Faults(Banner banner)
    {
        var faults = new List<FieldError>();
        if (!IsId(banner.Id)) faults.Add(new("id", "Use lower-case letters, digits and single dashes, at most 64 characters."));
        if (string.IsNullOrWhiteSpace(banner.Name) || banner.Name.Length > 100) faults.Add(new("name", "Give a name of at most 100 characters."));
        if (banner.Domains.Count > 32 || banner.Domains.Any(d => Uri.CheckHostName(d) != UriHostNameType.Dns || d.Length > 100)) faults.Add(new("domains", "Give host names only, at most 32."));
        if (banner.Languages.Count is 0 or > 16 || banner.Languages.Any(l => l.Length != 2 || !l.All(char.IsAsciiLetterLower))) faults.Add(new("languages", "Give two-letter language codes, preferred first."));
        if (!AccentForm().IsMatch(banner.Look.Accent)) faults.Add(new("look.accent", "Give a colour as #rrggbb."));
        if (banner.Look.Logo is { } logo && !LogoForm().IsMatch(logo)) faults.Add(new("look.logo", "Give the file name of an SVG, without a path."));
        if (banner.Sender.Length > 320 || !MailboxAddress.TryParse(banner.Sender, out var sender) || !EmailAddress.TryParse(sender.Address, out _)) faults.Add(new("sender", "Give a mail address, with or without a display name."));
        return faults;
    }

    public static bool IsId(string id) => id.Length <= 64 && IdForm().IsMatch(id);

    [GeneratedRegex(@"\A[a-z0-9]+(-[a-z0-9]+)*\z")] private static partial Regex IdForm();
    [GeneratedRegex(@"\A#[0-9a-fA-F]{6}\z")] private static partial Regex AccentForm();
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.svg\z")] private static partial Regex LogoForm();
}

internal static class BannerLooks
{
    /// <summary>The banner's look for a page, or null for the hub's own.</summary>
    public static async Task<PageLook?> LookOfAsync(this IdentityDb db, string? banner, CancellationToken stop) =>
        banner is null ? null : await db.Banners.Where(b => b.Id == banner).Select(b => new PageLook(b.Name, b.Accent)).SingleOrDefaultAsync(stop);

    /// <summary>In whose name the banner's customers get mail, or null for the hub's own.</summary>
    public static async Task<StoreSender?> SenderOfAsync(this IdentityDb db, string? banner, CancellationToken stop) =>
        banner is null ? null : await db.Banners.Where(b => b.Id == banner).Select(b => new StoreSender(b.Name, b.Sender)).SingleOrDefaultAsync(stop);
}

internal sealed class StoreBannerMap : IEntityTypeConfiguration<StoreBanner>
{
    public void Configure(EntityTypeBuilder<StoreBanner> banner)
    {
        banner.ToTable("banners").HasKey(b => b.Id);
        banner.Property(b => b.Id).HasMaxLength(64);
        banner.Property(b => b.Name).HasMaxLength(100);
        banner.Property(b => b.Domains).HasMaxLength(4096);
        banner.Property(b => b.Languages).HasMaxLength(256);
        banner.Property(b => b.Accent).HasMaxLength(7);
        banner.Property(b => b.Logo).HasMaxLength(128);
        banner.Property(b => b.Sender).HasMaxLength(320);
    }
}
