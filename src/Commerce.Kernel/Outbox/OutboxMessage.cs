using System.Buffers.Binary;
using System.Security.Cryptography;
using Commerce.Kernel.Secrets;
using Microsoft.AspNetCore.DataProtection;

namespace Commerce.Kernel.Outbox;

/// <summary>An event that waits for delivery, or several that were told together (<see cref="OutboxParcel"/>). The row goes when every consumer has handled them.</summary>
internal sealed class OutboxMessage
{
    /// <summary>True of one that was tried in vain: alone those are in the index, which nearly every event therefore never touches.</summary>
    public const string IsHeldBack = "\"Attempts\" > 0";

    /// <summary>Order of recording within the module.</summary>
    public long Sequence { get; init; }
    public required Guid Id { get; init; }
    public required string Aggregate { get; init; }
    public required string Type { get; init; }

    /// <summary>The JSON of the event, or of each on a line of its own; sealed, because an event may carry personal data.</summary>
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

/// <summary>
/// Seals event bodies: AES-256-GCM with a key of this process, derived from a shared secret that the key ring wraps. Asking the ring for
/// each body cost 20 µs, a key for each body 7; this costs 1, and a flow has two events, each sealed and opened.
/// </summary>
/// <remarks>
/// Layout: 1 byte version (3), 16 bytes salt of the key, 12 bytes nonce, 16 bytes tag, ciphertext. The salt is random and never used by
/// another process, so the nonce can count. Version 2 (salt, tag, ciphertext) has a key for each body; older ones were sealed by the key
/// ring itself. Both still open.
/// </remarks>
internal sealed class OutboxSeal(IDataProtectionProvider ring, SharedSecrets secrets)
{
    internal const string Secret = "outbox";
    private const int Salt = 16, Nonce = 12, Tag = 16, Header = 1 + Salt + Nonce + Tag, OldHeader = 1 + Salt + Tag;
    private readonly IDataProtector older = ring.CreateProtector("commerce.outbox.v1");
    private readonly Lock gate = new();
    private Key? mine, foreign;

    /// <summary>A derived key. <see cref="AesGcm"/> serves one thread at a time.</summary>
    private sealed class Key(byte[] salt, AesGcm aes)
    {
        public byte[] Salt => salt;
        public AesGcm Aes => aes;
        public long Sealed { get; set; }
    }

    public byte[] Seal(byte[] body)
    {
        var box = new byte[Header + body.Length];
        box[0] = 3;
        var nonce = box.AsSpan(1 + Salt, Nonce);
        lock (gate)
        {
            mine ??= KeyOf(RandomNumberGenerator.GetBytes(Salt));
            mine.Salt.CopyTo(box, 1);
            BinaryPrimitives.WriteInt64BigEndian(nonce, ++mine.Sealed);
            mine.Aes.Encrypt(nonce, body, box.AsSpan(Header), box.AsSpan(1 + Salt + Nonce, Tag));
        }
        return box;
    }

    /// <exception cref="CryptographicException">Not a sealed body, or changed since.</exception>
    public byte[] Open(byte[] box)
    {
        if (box.Length >= OldHeader && box[0] == 2) return OpenOld(box);
        if (box.Length < Header || box[0] != 3) return older.Unprotect(box);
        var salt = box.AsSpan(1, Salt);
        var body = new byte[box.Length - Header];
        lock (gate)
        {
            // Nearly always what this process sealed itself; else what another one did, or this one before it was started again.
            var key = mine is not null && salt.SequenceEqual(mine.Salt) ? mine
                : foreign is not null && salt.SequenceEqual(foreign.Salt) ? foreign
                : foreign = KeyOf(salt.ToArray());
            key.Aes.Decrypt(box.AsSpan(1 + Salt, Nonce), box.AsSpan(Header), box.AsSpan(1 + Salt + Nonce, Tag), body);
        }
        return body;
    }

    private byte[] OpenOld(byte[] box)
    {
        var body = new byte[box.Length - OldHeader];
        using var aes = KeyOf(box[1..(1 + Salt)]).Aes;
        aes.Decrypt(new byte[Nonce], box.AsSpan(OldHeader), box.AsSpan(1 + Salt, Tag), body);
        return body;
    }

    private Key KeyOf(byte[] salt)
    {
        Span<byte> key = stackalloc byte[32];
        HMACSHA256.HashData(secrets.Get(Secret), salt, key);
        return new Key(salt, new AesGcm(key, Tag));
    }
}
