using System.Buffers;
using System.Security.Cryptography;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.OpenIdConnect.Devices;

internal enum DeviceState
{
    /// <summary>Nobody has answered yet.</summary>
    Waiting = 0,
    Allowed = 1,
    Denied = 2,

    /// <summary>The device has its tokens: the code is used up.</summary>
    Redeemed = 3,
}

/// <summary>A till or kiosk that waits for a customer to say yes on a device of their own (RFC 8628).</summary>
internal sealed class DeviceAuthorization
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>Seconds between two questions of the device (§3.5); each question that comes too early adds as many.</summary>
    public const int Interval = 5;

    public required Guid Id { get; init; }
    public required string Connection { get; init; }

    /// <summary>SHA-256 of the device code.</summary>
    public required byte[] DeviceCodeHash { get; init; }

    /// <summary>Keyed hash of the user code: it is short, so a plain hash of it could be guessed.</summary>
    public required byte[] UserCodeHash { get; init; }

    /// <summary>Asked scopes, separated by spaces.</summary>
    public required string Scope { get; init; }
    public DeviceState State { get; init; }
    public int IntervalSeconds { get; init; } = Interval;
    public DateTimeOffset? AskedAt { get; init; }

    /// <summary>What the customer's yes made.</summary>
    public Guid? Grant { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>Codes that a person types: eight consonants in two groups, so that no word comes out (§6.1). 20^8 of them, and few live at a time.</summary>
internal static class UserCode
{
    private const string Letters = "BCDFGHJKLMNPQRSTVWXZ";
    private const int Length = 8;
    private static readonly SearchValues<char> Known = SearchValues.Create(Letters);

    public static string New() => RandomNumberGenerator.GetString(Letters, Length);

    public static string Shown(string code) => $"{code[..4]}-{code[4..]}";

    /// <summary>The code as it was made, however it was typed: case, dashes and spaces do not matter. Null for anything else.</summary>
    public static string? Read(string? typed)
    {
        if (typed is null || typed.Length > 40) return null;
        Span<char> code = stackalloc char[40];
        var length = 0;
        foreach (var c in typed)
        {
            if (c is '-' or ' ') continue;
            code[length++] = char.ToUpperInvariant(c);
        }
        return length == Length && !code[..Length].ContainsAnyExcept(Known) ? code[..Length].ToString() : null;
    }
}

internal sealed class DeviceAuthorizationMap : IEntityTypeConfiguration<DeviceAuthorization>
{
    public void Configure(EntityTypeBuilder<DeviceAuthorization> device)
    {
        device.ToTable("oidc_device_codes").HasKey(d => d.Id);
        device.Property(d => d.Connection).HasMaxLength(Lengths.Connection);
        device.Property(d => d.DeviceCodeHash).HasMaxLength(32);
        device.Property(d => d.UserCodeHash).HasMaxLength(32);
        device.Property(d => d.Scope).HasMaxLength(OpenIdConnect.Grant.MaxScope);
        device.HasIndex(d => d.UserCodeHash).IsUnique();
        device.HasIndex(d => d.ExpiresAt);
    }
}

[DbContext(typeof(FederationDb)), Migration("2026112325_device_authorization")]
internal sealed class DeviceAuthorizationMigration() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("oidc_device_codes", table => new
        {
            Id = table.Column<Guid>(),
            Connection = table.Column<string>(maxLength: 512),
            DeviceCodeHash = table.Column<byte[]>(maxLength: 32),
            UserCodeHash = table.Column<byte[]>(maxLength: 32),
            Scope = table.Column<string>(maxLength: 512),
            State = table.Column<int>(),
            IntervalSeconds = table.Column<int>(),
            AskedAt = table.Column<long>(nullable: true),
            Grant = table.Column<Guid>(nullable: true),
            ExpiresAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_oidc_device_codes", row => row.Id));
        migrationBuilder.CreateIndex("IX_oidc_device_codes_UserCodeHash", "oidc_device_codes", "UserCodeHash", Schema, unique: true);
        migrationBuilder.CreateIndex("IX_oidc_device_codes_ExpiresAt", "oidc_device_codes", "ExpiresAt", Schema);
    }
}
