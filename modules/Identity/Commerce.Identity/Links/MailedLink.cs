using System.Text.Json;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Identity.Links;

/// <summary>What a link in a mail is for. A link of one kind opens nothing of another.</summary>
internal enum LinkKind
{
    /// <summary>Makes the account that somebody registered.</summary>
    Register = 1,

    /// <summary>Marks the address of an account as the customer's own.</summary>
    VerifyEmail = 2,

    /// <summary>Sets a new password.</summary>
    NewPassword = 3,
}

/// <summary>A link that went out by mail: it works once, for one day, for one purpose and one account.</summary>
internal sealed class MailedLink
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    public required byte[] CodeHash { get; init; }
    public LinkKind Kind { get; init; }

    /// <summary>The account; for <see cref="LinkKind.Register"/> the id that the account will have.</summary>
    public Guid Customer { get; init; }

    /// <summary>What the link's page needs, sealed by the key ring. It goes with the row, a day or two later.</summary>
    public required byte[] Details { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>A concurrency token: of two that use the link at the same moment, one save succeeds.</summary>
    public DateTimeOffset? UsedAt { get; set; }
}

/// <summary>Makes links and opens them.</summary>
internal sealed class MailedLinks(IdentityDb db, IDataProtectionProvider ring, TimeProvider clock)
{
    private const string Purpose = "commerce.identity.link.v1";

    /// <summary>Adds a link to the unit of work; the caller saves.</summary>
    /// <returns>The code for the mail. It is stored hashed only.</returns>
    public string Add<TDetails>(LinkKind kind, Guid customer, TDetails details)
    {
        var (code, now) = (Token.New(), clock.GetUtcNow());
        db.Links.Add(new MailedLink
        {
            CodeHash = Token.Hash(code),
            Kind = kind,
            Customer = customer,
            Details = Protector(kind).Protect(JsonSerializer.SerializeToUtf8Bytes(details, HubJson.Options)),
            CreatedAt = now,
            ExpiresAt = now + MailedLink.Lifetime,
        });
        return code;
    }

    /// <summary>The live link under this code, or null where it is unknown, used, expired or of another kind: a caller cannot tell which.</summary>
    public async Task<MailedLink?> FindAsync(string? code, LinkKind[] kinds, CancellationToken stop)
    {
        if (code is not { Length: 43 }) return null;
        var (hash, now) = (Token.Hash(code), clock.GetUtcNow());
        return await db.Links.SingleOrDefaultAsync(l => l.CodeHash == hash && kinds.Contains(l.Kind) && l.UsedAt == null && l.ExpiresAt > now, stop);
    }

    public TDetails Open<TDetails>(MailedLink link) =>
        JsonSerializer.Deserialize<TDetails>(Protector(link.Kind).Unprotect(link.Details), HubJson.Options)!;

    private IDataProtector Protector(LinkKind kind) => ring.CreateProtector(Purpose, kind.ToString());
}

internal sealed class MailedLinkMap : IEntityTypeConfiguration<MailedLink>
{
    public void Configure(EntityTypeBuilder<MailedLink> link)
    {
        link.ToTable("links").HasKey(l => l.CodeHash);
        link.Property(l => l.CodeHash).HasMaxLength(32);
        link.Property(l => l.UsedAt).IsConcurrencyToken();
        link.HasIndex(l => l.Customer);
        link.HasIndex(l => l.ExpiresAt);                    // old ones are swept
    }
}
