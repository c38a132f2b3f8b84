using System.Text.Json;

namespace Commerce.Federation.Releases;

/// <summary>
/// What leaves for one partner, fixed at the customer's yes: later changes of profile or order do not change it. Tokens, userinfo and
/// assertions are made from it and from nothing else.
/// </summary>
internal sealed class Release
{
    public required Guid Id { get; init; }
    public required Guid Customer { get; init; }
    public required Guid Session { get; init; }
    public required string Partner { get; init; }
    public required string Connection { get; init; }

    /// <summary>Purpose of the data contract; empty where the connection has no contract and receives <c>sub</c> alone.</summary>
    public required string Purpose { get; init; }
    public required int ContractVersion { get; init; }

    /// <summary>Receipt of the consent it stands on; null where the purpose needs none.</summary>
    public required string? Receipt { get; init; }
    public required Guid? Hop { get; init; }

    /// <summary>Names of the claims that leave, separated by spaces.</summary>
    public required string ClaimNames { get; init; }

    /// <summary>JSON object of claim name to value, sealed with the customer's key.</summary>
    public required byte[] Values { get; init; }

    /// <summary>The same, open: only where this process fixed them a moment ago. Stored nowhere; in memory as long as <see cref="StandingValues"/> or the grant made with it are.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Opened { get; init; }

    /// <summary>Keyed hash of the values, base64url.</summary>
    public required string ValuesHash { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    public IReadOnlyList<string> Names => ClaimNames.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
