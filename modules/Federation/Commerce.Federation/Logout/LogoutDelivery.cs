using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Federation.Logout;

internal enum DeliveryState
{
    Waiting = 0,
    Delivered = 1,

    /// <summary>The partner answered 4xx: it will not take this one, ever.</summary>
    Refused = 2,

    /// <summary>Every attempt of the back-off was used.</summary>
    Dead = 3,

    /// <summary>The connection was switched off or no longer takes logout tokens.</summary>
    Dropped = 4,
}

/// <summary>One relying party that has to hear of the end of one session. The token itself is made afresh for each attempt.</summary>
internal sealed class LogoutDelivery
{
    public required Guid Id { get; init; }
    public required string Connection { get; init; }

    /// <summary>The customer's name at this client.</summary>
    public required string Subject { get; init; }

    /// <summary>The session's name at this client.</summary>
    public required string Sid { get; init; }

    /// <summary>Set for a SAML service provider: the browser session whose participant it is. It is told by SOAP.</summary>
    public Guid? SamlSession { get; init; }
    public DeliveryState State { get; init; }
    public int Attempts { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset NextAttemptAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>HTTP status of the last attempt; null where there was no answer.</summary>
    public int? LastStatus { get; init; }

    /// <summary>Kind of failure where there was no answer.</summary>
    public string? LastError { get; init; }
}

internal sealed class LogoutDeliveryMap : IEntityTypeConfiguration<LogoutDelivery>
{
    public void Configure(EntityTypeBuilder<LogoutDelivery> delivery)
    {
        delivery.ToTable("oidc_logout_deliveries").HasKey(d => d.Id);
        delivery.Property(d => d.Connection).HasMaxLength(Lengths.Connection);
        delivery.Property(d => d.Subject).HasMaxLength(64);
        delivery.Property(d => d.Sid).HasMaxLength(43);
        delivery.Property(d => d.LastError).HasMaxLength(64);
        delivery.HasIndex(d => new { d.State, d.NextAttemptAt });   // what the sender asks for
    }
}
