using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Federation.Saml;

/// <summary>
/// One AuthnRequest that was in order and waits. It is frozen here while the customer signs in or consents, so that nothing about it can change
/// on the way; the browser carries a handle only. That one request is answered once at most, waiting or not, is <see cref="AnsweredRequest"/>'s.
/// </summary>
internal sealed class SamlRequest
{
    /// <summary>Entity id of the service provider.</summary>
    public required string Connection { get; init; }

    /// <summary>The ID that the service provider gave. SAML Core 1.3.4: unique, so it names one request of this service provider.</summary>
    public required string RequestId { get; init; }

    /// <summary>SHA-256 over binding-independent content: the same request sent again while it is open goes on, another one under its ID does not.</summary>
    public required byte[] ContentHash { get; init; }

    /// <summary>Hash of the handle that resumes it; null once answered.</summary>
    public byte[]? HandleHash { get; set; }

    /// <summary>The frozen request, sealed by the key ring: it may hold a hop ticket or what the service provider put into RelayState. Empty once answered.</summary>
    public required byte[] Frozen { get; set; }

    /// <summary>When it arrived. A fresh sign-in (ForceAuthn) is one after this moment.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>After it the row is swept: the request would be refused by its age, and the handle opens nothing any more.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? AnsweredAt { get; set; }
}

internal sealed class SamlRequestMap : IEntityTypeConfiguration<SamlRequest>
{
    /// <summary>Those that wait alone.</summary>
    public const string HasHandle = "\"HandleHash\" IS NOT NULL";

    public void Configure(EntityTypeBuilder<SamlRequest> request)
    {
        request.ToTable("saml_requests").HasKey(r => new { r.Connection, r.RequestId });
        request.Property(r => r.Connection).HasMaxLength(Data.Lengths.Connection);
        request.Property(r => r.RequestId).HasMaxLength(FrozenRequests.LongestId);   // longer ones are refused
        request.Property(r => r.ContentHash).HasMaxLength(32);
        request.Property(r => r.HandleHash).HasMaxLength(32);
        request.HasIndex(r => r.HandleHash).IsUnique().HasFilter(HasHandle);
        request.HasIndex(r => r.ExpiresAt);                     // old rows are swept
    }
}
