using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Commerce.Saml;

/// <summary>A reference to a message that its receiver fetches by itself, SAML Bindings 3.6.4.2: type 0x0004, 44 bytes in Base64.</summary>
public static class Artifact
{
    private const int Length = 44, SourceLength = 20;
    private const ushort Type = 4;

    /// <summary>A new one, of 160 random bits.</summary>
    /// <param name="entityId">Of the one who issues it: receivers find the resolution service by its hash.</param>
    /// <param name="endpointIndex">Index of that service in the metadata.</param>
    public static string New(string entityId, ushort endpointIndex)
    {
        Span<byte> artifact = stackalloc byte[Length];
        BinaryPrimitives.WriteUInt16BigEndian(artifact, Type);
        BinaryPrimitives.WriteUInt16BigEndian(artifact[2..], endpointIndex);
        SourceId(entityId, artifact.Slice(4, SourceLength));
        RandomNumberGenerator.Fill(artifact[(4 + SourceLength)..]);
        return Convert.ToBase64String(artifact);
    }

    /// <summary>Whether it is an artifact of ours in its one spelling.</summary>
    public static bool IsOf(string artifact, string entityId)
    {
        if (artifact.Length != 60 || StrictBase64.Decode(artifact, allowWhiteSpace: false) is not { Length: Length } bytes) return false;
        Span<byte> source = stackalloc byte[SourceLength];
        SourceId(entityId, source);
        return BinaryPrimitives.ReadUInt16BigEndian(bytes) == Type && bytes.AsSpan(4, SourceLength).SequenceEqual(source);
    }

    /// <summary>The address that brings an artifact to its receiver, Bindings 3.6.3.</summary>
    public static string Url(string endpoint, string artifact, string? relayState) =>
        $"{endpoint}{(endpoint.Contains('?', StringComparison.Ordinal) ? '&' : '?')}SAMLart={Uri.EscapeDataString(artifact)}{(relayState is null ? "" : "&RelayState=" + Uri.EscapeDataString(relayState))}";

    // The specification fixes SHA-1 here. It names the issuer and protects nothing.
#pragma warning disable CA5350
    private static void SourceId(string entityId, Span<byte> to) => SHA1.HashData(Encoding.UTF8.GetBytes(entityId), to);
#pragma warning restore CA5350
}
