using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// One authorization: the code that was issued, and everything that came and may still come of it. Codes and refresh tokens are parts
/// of the grant, so that ending it ends them all with one write.
/// </summary>
internal sealed class Grant
{
    /// <summary>Longest values taken from a request, in characters.</summary>
    public const int MaxNonce = 1024, MaxRedirectUri = 2048, MaxScope = 512;

    public required Guid Id { get; init; }
    public required string Connection { get; init; }
    public required Guid Customer { get; init; }

    /// <summary>The browser session in which it was given. Without <c>offline_access</c> the grant lives no longer than it.</summary>
    public required Guid Session { get; init; }

    /// <summary>What leaves under this grant; null where nothing but <c>sub</c> does.</summary>
    public Guid? Release { get; init; }

    /// <summary>Receipt of the consent it stands on; null where none was needed.</summary>
    public string? Receipt { get; init; }

    /// <summary>True where a hop brought the customer: then vehicle and purchase facts go into the ID token.</summary>
    public bool IsHop { get; init; }

    /// <summary>The customer's name at this client's sector: <c>sub</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>Granted scopes, separated by spaces.</summary>
    public required string Scope { get; init; }
    public bool IsOffline { get; init; }

    /// <summary>Granted authorization details (RFC 9396), a JSON list; null where there are none.</summary>
    public string? Details { get; init; }
    public required string RedirectUri { get; init; }

    /// <summary>PKCE challenge, S256.</summary>
    public required string Challenge { get; init; }
    public string? Nonce { get; init; }
    public required DateTimeOffset AuthenticatedAt { get; init; }
    public required string Acr { get; init; }

    /// <summary>Values of <c>amr</c>, separated by spaces.</summary>
    public required string Amr { get; init; }

    public required byte[] CodeHash { get; init; }
    public required DateTimeOffset CodeExpiresAt { get; init; }

    /// <summary>Set by the one redemption that won.</summary>
    public DateTimeOffset? CodeUsedAt { get; init; }

    /// <summary>Number of the refresh token that is good now; 0 where none was issued. Each use counts it up by one.</summary>
    public int RefreshGeneration { get; init; }

    /// <summary>When the good refresh token dies of not being used.</summary>
    public DateTimeOffset? RefreshExpiresAt { get; init; }

    /// <summary>The earlier grant that ends when this one gives out its first tokens; null for none.</summary>
    public Guid? Replaces { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Absolute end, whatever is still in use.</summary>
    public required DateTimeOffset EndsAt { get; init; }
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary><c>code_reused</c>, <c>refresh_reused</c> or the reason of the session's end.</summary>
    public string? RevokedReason { get; init; }

    /// <summary>
    /// The <see cref="SenderKey"/> that the code is bound to (<c>dpop_jkt</c>), and after its redemption the one that the first tokens were
    /// bound to; null where they were bearer tokens. A grant that was bound once gives out bound tokens for good.
    /// </summary>
    public string? BoundTo { get; init; }

    /// <summary>Names that the <c>claims</c> parameter selected for userinfo, separated by spaces; null for none.</summary>
    public string? UserInfoClaims { get; init; }

    /// <summary>As <see cref="UserInfoClaims"/>, for the ID token.</summary>
    public string? IdTokenClaims { get; init; }

    public string[] Scopes => Scope.Split(' ');
}

/// <summary>An authorize request that waits for the customer. Only its handle leaves the server.</summary>
internal sealed class FrozenRequest
{
    public required byte[] HandleHash { get; init; }

    /// <summary>Hash of a cookie in the browser that began: the request is of no use to another browser.</summary>
    public required byte[] BrowserHash { get; init; }

    /// <summary>The validated request as JSON, encrypted: a login hint is personal data.</summary>
    public required byte[] Sealed { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
}

/// <summary>The <c>jti</c> of a client assertion or DPoP proof that was used; kept until that has expired. See <see cref="OneTimeIds"/>.</summary>
internal sealed class UsedAssertion
{
    /// <summary>SHA-256 over kind, owner and jti.</summary>
    public required byte[] Id { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
}

internal sealed class GrantMap : IEntityTypeConfiguration<Grant>
{
    public void Configure(EntityTypeBuilder<Grant> grant)
    {
        grant.ToTable("oidc_grants").HasKey(g => g.Id);
        grant.Property(g => g.Connection).HasMaxLength(Lengths.Connection);
        grant.Property(g => g.Receipt).HasMaxLength(Lengths.Receipt);
        grant.Property(g => g.Subject).HasMaxLength(64);
        grant.Property(g => g.Scope).HasMaxLength(Grant.MaxScope);
        grant.Property(g => g.Details).HasMaxLength(RichAuthorization.RetailPurchase.MaxJson);
        grant.Property(g => g.RedirectUri).HasMaxLength(Grant.MaxRedirectUri);
        grant.Property(g => g.Challenge).HasMaxLength(43);
        grant.Property(g => g.Nonce).HasMaxLength(Grant.MaxNonce);
        grant.Property(g => g.Acr).HasMaxLength(128);
        grant.Property(g => g.Amr).HasMaxLength(128);
        grant.Property(g => g.CodeHash).HasMaxLength(32);
        grant.Property(g => g.RevokedReason).HasMaxLength(32);
        grant.Property(g => g.BoundTo).HasMaxLength(64);
        grant.Property(g => g.UserInfoClaims).HasMaxLength(Lengths.ClaimNames);
        grant.Property(g => g.IdTokenClaims).HasMaxLength(Lengths.ClaimNames);
        grant.Ignore(g => g.Scopes);
        grant.HasIndex(g => new { g.Customer, g.Session });     // what dies with a locked account, and whom to tell when a session ends
    }
}

internal sealed class FrozenRequestMap : IEntityTypeConfiguration<FrozenRequest>
{
    public void Configure(EntityTypeBuilder<FrozenRequest> request)
    {
        request.ToTable("oidc_requests").HasKey(r => r.HandleHash);
        request.Property(r => r.HandleHash).HasMaxLength(32);
        request.Property(r => r.BrowserHash).HasMaxLength(32);
        request.HasIndex(r => r.ExpiresAt);
    }
}

internal sealed class UsedAssertionMap : IEntityTypeConfiguration<UsedAssertion>
{
    public void Configure(EntityTypeBuilder<UsedAssertion> used)
    {
        used.ToTable("oidc_used_assertions").HasKey(u => u.Id);
        used.Property(u => u.Id).HasMaxLength(32);
        used.HasIndex(u => u.ExpiresAt);
    }
}
