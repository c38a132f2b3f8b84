using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;

namespace Commerce.Consent.Ledger;

/// <summary>One entry of the ledger. It names the customer by pseudonym and claims by name; it holds no value.</summary>
internal sealed class LedgerEntry
{
    public const int HashBytes = 32;

    /// <summary>What the first entry follows.</summary>
    public static readonly byte[] Origin = new byte[HashBytes];

    /// <summary>From 1, without gaps. 0 before it has its place.</summary>
    public long Number { get; set; }
    public required LedgerKind Kind { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>Keyed hash of the customer's id.</summary>
    public required byte[] Customer { get; init; }
    public required string Partner { get; init; }
    public required string Purpose { get; init; }
    public string? Receipt { get; init; }

    /// <summary>Claim names, as a JSON array.</summary>
    public required string Claims { get; init; }

    /// <summary>For a release: its id, which is written once.</summary>
    public Guid? Release { get; init; }
    public string? Connection { get; init; }
    public string? Protocol { get; init; }
    public string? Hop { get; init; }

    /// <summary>Keyed hash of the values that left, base64url.</summary>
    public string? ValuesHash { get; init; }

    /// <summary>Hash of the entry before.</summary>
    public byte[] Previous { get; set; } = Origin;
    public byte[] Hash { get; set; } = [];

    /// <summary>The entry of a fact, still without its place.</summary>
    public static LedgerEntry Of(LedgerFact fact, LookupHash hash) => new()
    {
        Kind = fact.Kind,
        At = fact.At,
        Customer = PseudonymOf(fact.Customer, hash),
        Partner = fact.Partner,
        Purpose = fact.Purpose,
        Receipt = fact.Receipt,
        Claims = JsonSerializer.Serialize(fact.Claims, HubJson.Options),
        Release = fact.Release,
        Connection = fact.Connection,
        Protocol = fact.Protocol,
        Hop = fact.Hop,
        ValuesHash = fact.ValuesHash,
    };

    /// <summary>Gives it its place: behind the entry with this number and hash; 0 and null where it is the first.</summary>
    public LedgerEntry After(long number, byte[]? hash)
    {
        Number = number + 1;
        Previous = hash ?? Origin;
        Hash = ComputeHash();
        return this;
    }

    public static byte[] PseudonymOf(Guid customer, LookupHash hash) => hash.Of("ledger-customer", customer.ToString("N"));

    /// <summary>
    /// SHA-256 over every member but the hash itself, in this order, each with its length in four bytes before it, so that no two
    /// different entries are the same bytes. An absent member has length 0xFFFFFFFF.
    /// </summary>
    public byte[] ComputeHash()
    {
        var whole = new ArrayBufferWriter<byte>(512);      // one call of the platform's hash and not thirty
        Text("commerce-ledger/1");
        Whole(Number);
        Whole((int)Kind);
        Whole(At.UtcTicks);
        Bytes(Customer);
        Text(Partner);
        Text(Purpose);
        Text(Receipt);
        Text(Claims);
        Text(Release?.ToString("N"));
        Text(Connection);
        Text(Protocol);
        Text(Hop);
        Text(ValuesHash);
        Bytes(Previous);
        return SHA256.HashData(whole.WrittenSpan);

        void Whole(long value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
            Bytes(bytes);
        }

        void Text(string? value)
        {
            if (value is null) Length(uint.MaxValue);
            else Bytes(Encoding.UTF8.GetBytes(value));
        }

        void Bytes(ReadOnlySpan<byte> bytes)
        {
            Length((uint)bytes.Length);
            whole.Write(bytes);
        }

        void Length(uint length)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, length);
            whole.Write(bytes);
        }
    }
}

internal enum LedgerKind
{
    Grant = 1,
    Withdrawal = 2,
    Release = 3,
}
