using Microsoft.AspNetCore.DataProtection;

namespace Commerce.Kernel.Outbox;

/// <summary>An event that waits for delivery. The row goes when every consumer has handled it.</summary>
internal sealed class OutboxMessage
{
    /// <summary>Order of recording within the module.</summary>
    public long Sequence { get; init; }
    public required Guid Id { get; init; }
    public required string Aggregate { get; init; }
    public required string Type { get; init; }

    /// <summary>The event's JSON, sealed: an event may carry personal data.</summary>
    public required byte[] Body { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public int Attempts { get; set; }
    public required DateTimeOffset NextAttemptAt { get; set; }

    /// <summary>Set when the attempts are used up. Later events of the aggregate wait until an operator retries or drops this one.</summary>
    public DateTimeOffset? DeadAt { get; set; }
    public string? LastError { get; set; }
}

/// <summary>A consumer's memory of an event it has handled.</summary>
internal sealed class InboxEntry
{
    public required Guid Event { get; init; }
    public required string Consumer { get; init; }
    public required DateTimeOffset HandledAt { get; init; }
}

internal sealed class OutboxSeal(IDataProtectionProvider ring)
{
    private readonly IDataProtector seal = ring.CreateProtector("commerce.outbox.v1");

    public byte[] Seal(byte[] body) => seal.Protect(body);
    public byte[] Open(byte[] body) => seal.Unprotect(body);
}
