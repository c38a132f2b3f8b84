using System.Buffers.Text;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Federation.Saml;

/// <summary>
/// A service provider that received an assertion in a browser session: whom a single logout will tell (SAML Profiles 4.4).
/// </summary>
internal sealed class SamlParticipant
{
    public required Guid Session { get; init; }

    /// <summary>Entity id of the service provider.</summary>
    public required string Connection { get; init; }

    public required Guid Customer { get; init; }
    public required string SessionIndex { get; init; }
    public required DateTimeOffset FirstAt { get; init; }

    /// <summary>Format of the name that the service provider was given last; null (rows of an older version) is persistent.</summary>
    public string? NameFormat { get; init; }

    /// <summary>When it is known to have ended its own session: it asked for the end itself, or confirmed it.</summary>
    public DateTimeOffset? LoggedOutAt { get; init; }

    /// <summary>ID of the LogoutRequest with which the browser was sent there.</summary>
    public string? LogoutRequestId { get; init; }

    /// <summary>Where the customer wanted to go after the sign-out, sealed (<see cref="Logout.Onward"/>): the browser comes back without it.</summary>
    public string? Onward { get; init; }

    /// <summary>The release that its newest name came with.</summary>
    public Guid? Release { get; init; }

    /// <summary>Name, among the <see cref="SharedSecrets"/>, of the key of <see cref="IndexOf"/>.</summary>
    public const string IndexSecret = "saml-session-index";

    /// <summary>
    /// The session's name for one service provider. It is opaque, tells nothing of the session, and two service providers cannot match theirs.
    /// </summary>
    /// <remarks>SAML Core 2.7.2. Keyed and not random, so that every assertion of one session at one service provider says the same.</remarks>
    public static string IndexOf(Guid session, string connection, SharedSecrets secrets) => "_" + Base64Url.EncodeToString(
        secrets.HashBy(IndexSecret).Of($"{session:N}\n{connection}").AsSpan(0, 24));
}

internal sealed class SamlParticipantMap : IEntityTypeConfiguration<SamlParticipant>
{
    public void Configure(EntityTypeBuilder<SamlParticipant> participant)
    {
        participant.ToTable("saml_participants").HasKey(p => new { p.Session, p.Connection });
        participant.Property(p => p.Connection).HasMaxLength(Data.Lengths.Connection);
        participant.Property(p => p.SessionIndex).HasMaxLength(64);
        participant.Property(p => p.LogoutRequestId).HasMaxLength(64);
        participant.Property(p => p.NameFormat).HasMaxLength(64);
        participant.HasIndex(p => p.SessionIndex).IsUnique();            // a LogoutRequest names it
        participant.HasIndex(p => p.FirstAt);                            // old rows are swept
    }
}
