using Commerce.Federation.Contracts;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Commerce.Federation.Saml;

/// <summary>One refused message, for the operator who is asked about its reference.</summary>
internal sealed class RefusalRecord
{
    public const int LongestReference = 64, LongestCode = 64, LongestEndpoint = 64, LongestDetail = 500, LongestMessage = 4_000;

    /// <summary>How many are kept: the newest.</summary>
    public const int Most = 10_000;

    /// <summary>How long they are kept.</summary>
    public static readonly TimeSpan Keep = TimeSpan.FromDays(30);

    public required Guid Id { get; init; }
    public required DateTimeOffset At { get; init; }
    public required string Reference { get; init; }
    public required string Code { get; init; }
    public required string Endpoint { get; init; }
    public string? Connection { get; init; }
    public required string Detail { get; init; }

    /// <summary>Masked; see <see cref="Commerce.Saml.MaskedMessage"/>.</summary>
    public string? Message { get; init; }

    /// <summary>Removes what is too old, and what is beyond the cap.</summary>
    public static async Task SweepAsync(HotStore<FederationDb> store, DateTimeOffset now, CancellationToken stop)
    {
        await store.SweepAsync(Old, now - Keep, stop);
        if (await store.ReadAsync(read => read.FirstAsync(FirstBeyond, row => (DateTimeOffset?)row.GetInstant(0), Most), stop) is { } beyond)
            await store.SweepAsync(Old, beyond.AddTicks(1), stop);
    }

    private static readonly HotSweep Old = new("saml_refusals", """ "At" < $1 """);
    private static readonly HotSql FirstBeyond = new("""SELECT "At" FROM {schema}saml_refusals ORDER BY "At" DESC LIMIT 1 OFFSET $1""");
}

internal sealed class RefusalRecordMap : IEntityTypeConfiguration<RefusalRecord>
{
    public void Configure(EntityTypeBuilder<RefusalRecord> refusal)
    {
        refusal.ToTable("saml_refusals").HasKey(r => r.Id);
        refusal.Property(r => r.Reference).HasMaxLength(RefusalRecord.LongestReference);
        refusal.Property(r => r.Code).HasMaxLength(RefusalRecord.LongestCode);
        refusal.Property(r => r.Endpoint).HasMaxLength(RefusalRecord.LongestEndpoint);
        refusal.Property(r => r.Connection).HasMaxLength(Data.Lengths.Connection);
        refusal.Property(r => r.Detail).HasMaxLength(RefusalRecord.LongestDetail);
        refusal.Property(r => r.Message).HasMaxLength(RefusalRecord.LongestMessage);
        refusal.HasIndex(r => r.At);            // newest first, and what is swept
        refusal.HasIndex(r => r.Reference);     // what a customer reads out
    }
}

[DbContext(typeof(Data.FederationDb)), Migration("2026112333_saml_refusals")]
internal sealed class Refusals2026() : ModuleMigration("federation")
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("saml_refusals", table => new
        {
            Id = table.Column<Guid>(),
            At = table.Column<long>(),
            Reference = table.Column<string>(maxLength: RefusalRecord.LongestReference),
            Code = table.Column<string>(maxLength: RefusalRecord.LongestCode),
            Endpoint = table.Column<string>(maxLength: RefusalRecord.LongestEndpoint),
            Connection = table.Column<string>(maxLength: Data.Lengths.Connection, nullable: true),
            Detail = table.Column<string>(maxLength: RefusalRecord.LongestDetail),
            Message = table.Column<string>(maxLength: RefusalRecord.LongestMessage, nullable: true),
        }, Schema, table => table.PrimaryKey("PK_saml_refusals", row => row.Id));
        migrationBuilder.CreateIndex("IX_saml_refusals_At", "saml_refusals", "At", Schema);
        migrationBuilder.CreateIndex("IX_saml_refusals_Reference", "saml_refusals", "Reference", Schema);
    }
}

internal sealed class ListRefusedMessagesHandler(FederationDb db) : IRequestHandler<ListRefusedMessages, IReadOnlyList<RefusedMessage>>
{
    public async Task<IReadOnlyList<RefusedMessage>> Handle(ListRefusedMessages request, CancellationToken cancellationToken) =>
        [.. (await db.Set<RefusalRecord>().AsNoTracking().Where(r => request.Connection == null || r.Connection == request.Connection)
            .OrderByDescending(r => r.At).ThenByDescending(r => r.Id).Take(Math.Clamp(request.Most, 1, 1_000)).ToListAsync(cancellationToken)).Select(FindRefusedMessageHandler.Shown)];
}

internal sealed class FindRefusedMessageHandler(FederationDb db) : IRequestHandler<FindRefusedMessage, Result<IReadOnlyList<RefusedMessage>>>
{
    private static readonly Refusal Unknown = new("federation.unknown_refusal", 404, "No refused message is kept under this reference.");

    public async Task<Result<IReadOnlyList<RefusedMessage>>> Handle(FindRefusedMessage request, CancellationToken cancellationToken)
    {
        var found = await db.Set<RefusalRecord>().AsNoTracking().Where(r => r.Reference == request.Reference).OrderBy(r => r.At).Take(100).ToListAsync(cancellationToken);
        if (found.Count == 0) return Unknown;
        RefusedMessage[] shown = [.. found.Select(Shown)];
        return shown;
    }

    internal static RefusedMessage Shown(RefusalRecord r) => new(r.Reference, r.At, r.Code, r.Endpoint, r.Connection, r.Detail, r.Message);
}
