namespace Commerce.Federation.Hops;

internal enum HopState
{
    /// <summary>The customer said yes; the ticket is not made yet.</summary>
    Created = 0,

    /// <summary>The browser was sent on with the ticket.</summary>
    Sent = 1,

    /// <summary>The partner came for it: the ticket is used up.</summary>
    Landed = 2,
    Failed = 3,
    Denied = 4,
    Expired = 5,
}

/// <summary>One customer's way from one order to one partner.</summary>
internal sealed class Hop
{
    /// <summary>How long the partner has to come for it.</summary>
    public static readonly TimeSpan TicketLifetime = TimeSpan.FromMinutes(2);

    public required Guid Id { get; init; }
    public required string Offer { get; init; }
    public required string Partner { get; init; }
    public required string Connection { get; init; }
    public required Guid Customer { get; init; }

    /// <summary>The browser session that asked. The ticket is good in no other.</summary>
    public required Guid Session { get; init; }
    public required string OrderNumber { get; init; }
    public Guid? Release { get; set; }

    /// <summary>SHA-256 of the ticket; null until the browser is sent on, and where the customer said no.</summary>
    public byte[]? TicketHash { get; set; }

    /// <summary>The consent sheet that this answers; null where a standing consent was enough. Unique: a sheet is answered once.</summary>
    public Guid? Sheet { get; init; }
    public HopState State { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset? RedeemedAt { get; set; }
}

/// <summary>What a hop narrows a release to: one order, and of it the lines that the offer is about.</summary>
/// <param name="Lines">Line numbers.</param>
internal sealed record HopScope(string OrderNumber, IReadOnlyList<int> Lines);
