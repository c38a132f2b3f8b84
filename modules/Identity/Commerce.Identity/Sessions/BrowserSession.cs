using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Identity.Sessions;

/// <summary>One browser in which a customer is signed in.</summary>
/// <remarks>
/// It ends 12 hours after the last proof of identity, or after 30 minutes without a request (OWASP ASVS 5.0 V7.3; the limits of
/// SP 800-63B for its second level). <see cref="LastSeenAt"/> is written at most every two minutes, so the second limit is up to two
/// minutes shorter than it says.
/// </remarks>
internal sealed class BrowserSession
{
    public static readonly TimeSpan AbsoluteLimit = TimeSpan.FromHours(12);
    public static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(30);
    public static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(2);

    /// <summary>Known to partners as <c>sid</c>. It opens nothing: the cookie holds the token too.</summary>
    public required Guid Id { get; init; }

    /// <summary>Changes at every proof of identity, so that a token planted before it is worth nothing after it.</summary>
    public required byte[] TokenHash { get; set; }

    public required Guid Customer { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset AuthenticatedAt { get; set; }

    /// <summary>RFC 8176 values, separated by spaces.</summary>
    public required string Amr { get; set; }

    public required string Acr { get; set; }
    public DateTimeOffset LastSeenAt { get; set; }
    public DateTimeOffset? EndedAt { get; set; }

    public static BrowserSession Start(Guid customer, DateTimeOffset now, out string token) => new()
    {
        Id = Guid.CreateVersion7(now),
        TokenHash = Token.Hash(token = Token.New()),
        Customer = customer,
        CreatedAt = now,
        AuthenticatedAt = now,
        Amr = "pwd",
        Acr = HubAcr.Password,
        LastSeenAt = now,
    };

    /// <summary>The same customer proved who they are again: the session stays, its token does not.</summary>
    public string Renew(DateTimeOffset now)
    {
        var token = Token.New();
        (TokenHash, AuthenticatedAt, LastSeenAt) = (Token.Hash(token), now, now);
        return token;
    }

    public static bool IsWithinLimits(DateTimeOffset authenticatedAt, DateTimeOffset lastSeenAt, DateTimeOffset now) =>
        now - authenticatedAt < AbsoluteLimit && now - lastSeenAt < IdleLimit;
}

internal sealed class BrowserSessionMap : IEntityTypeConfiguration<BrowserSession>
{
    public void Configure(EntityTypeBuilder<BrowserSession> session)
    {
        session.ToTable("sessions").HasKey(s => s.Id);
        session.Property(s => s.Id).ValueGeneratedNever();
        session.Property(s => s.TokenHash).HasMaxLength(32);
        session.Property(s => s.Amr).HasMaxLength(64);
        session.Property(s => s.Acr).HasMaxLength(64);
        session.Property(s => s.EndedAt).IsConcurrencyToken();      // of two that end it, one tells the others
        session.HasIndex(s => s.Customer);
        session.HasIndex(s => s.LastSeenAt);                        // old ones are swept
    }
}
