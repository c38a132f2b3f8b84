using Commerce.Kernel.Outbox;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Migrations.Operations.Builders;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

namespace Commerce.Kernel;

/// <summary>A hand-written migration that serves both engines. Columns name CLR types and no store types, so each engine takes its own.</summary>
/// <remarks>Instants are <c>long</c> columns (UTC ticks). Carry <c>[DbContext]</c> and <c>[Migration("yyyyMMddNN_name")]</c>.</remarks>
public abstract class ModuleMigration(string module) : Migration
{
    /// <summary>The module's schema on PostgreSQL; null on SQLite, where the module has a file of its own.</summary>
    protected string? Schema => ActiveProvider == Engines.Npgsql ? module : null;

    protected bool OnPostgres => ActiveProvider == Engines.Npgsql;

    /// <summary>Creates the outbox and the inbox. Every module's first migration calls it, and <see cref="IndexEventsHeldBack"/> after it or in a later one.</summary>
    protected void CreateOutboxAndInbox(MigrationBuilder migration)
    {
        if (Schema is { } schema) migration.EnsureSchema(schema);
        migration.CreateTable("outbox", table => new
        {
            Sequence = AutoIncrement(table.Column<long>()),
            Id = table.Column<Guid>(),
            Aggregate = table.Column<string>(maxLength: 128),
            Type = table.Column<string>(maxLength: 128),
            Body = table.Column<byte[]>(),
            CreatedAt = table.Column<long>(),
            Attempts = table.Column<int>(),
            NextAttemptAt = table.Column<long>(),
            DeadAt = table.Column<long>(nullable: true),
            LastError = table.Column<string>(maxLength: 512, nullable: true),
        }, Schema, table => table.PrimaryKey("PK_outbox", row => row.Sequence));
        migration.CreateIndex("IX_outbox_Id", "outbox", "Id", Schema, unique: true);
        migration.CreateIndex("IX_outbox_Aggregate_Sequence", "outbox", ["Aggregate", "Sequence"], Schema);
        migration.CreateTable("inbox", table => new
        {
            Event = table.Column<Guid>(),
            Consumer = table.Column<string>(maxLength: 128),
            HandledAt = table.Column<long>(),
        }, Schema, table => table.PrimaryKey("PK_inbox", row => new { row.Event, row.Consumer }));
        migration.CreateIndex("IX_inbox_HandledAt", "inbox", "HandledAt", Schema);
    }

    /// <summary>
    /// Of the outbox's events only those that wait for another attempt stay in an index: one that is delivered at once, as nearly all are, was
    /// entered into two and taken out of both.
    /// </summary>
    protected void IndexEventsHeldBack(MigrationBuilder migration)
    {
        migration.DropIndex("IX_outbox_Id", "outbox", Schema);
        migration.DropIndex("IX_outbox_Aggregate_Sequence", "outbox", Schema);
        migration.CreateIndex("IX_outbox_Aggregate_Sequence", "outbox", ["Aggregate", "Sequence"], Schema, filter: OutboxMessage.IsHeldBack);
    }

    /// <summary>Marks a <c>long</c> key that the database counts up by itself.</summary>
    protected static OperationBuilder<AddColumnOperation> AutoIncrement(OperationBuilder<AddColumnOperation> column) => column
        .Annotation("Sqlite:Autoincrement", true)
        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn);
}
