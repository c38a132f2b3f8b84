using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;

namespace Commerce.Kernel.Secrets;

/// <summary>
/// State that travels through a browser as one opaque value: encrypted, authenticated, short-lived, and bound to its use, so that a
/// value made for one page does not open at another. It can be sent twice: what must happen once is remembered by its owner's table.
/// </summary>
public sealed class SealedState(IDataProtectionProvider ring, TimeProvider clock)
{
    private sealed record Envelope<T>(T Value, DateTimeOffset ExpiresAt);

    /// <param name="use">Which page opens it, such as <c>signin</c>.</param>
    public string Seal<T>(string use, T value, TimeSpan lifetime) => WebEncoders.Base64UrlEncode(
        ring.CreateProtector("commerce.state.v1", use).Protect(JsonSerializer.SerializeToUtf8Bytes(new Envelope<T>(value, clock.GetUtcNow() + lifetime), HubJson.Options)));

    /// <returns>False where the value is missing, edited, expired or made for another use.</returns>
    public bool TryOpen<T>(string use, string? sealedValue, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? value) where T : class
    {
        value = null;
        if (string.IsNullOrEmpty(sealedValue) || sealedValue.Length > 8192) return false;
        try
        {
            var box = WebEncoders.Base64UrlDecode(sealedValue);
            // One spelling only: the last character has bits that decode to nothing, and an edited value is not to open.
            if (!string.Equals(WebEncoders.Base64UrlEncode(box), sealedValue, StringComparison.Ordinal)) return false;
            var bytes = ring.CreateProtector("commerce.state.v1", use).Unprotect(box);
            var envelope = JsonSerializer.Deserialize<Envelope<T>>(bytes, HubJson.Options);
            if (envelope is null || envelope.ExpiresAt <= clock.GetUtcNow()) return false;
            value = envelope.Value;
            return true;
        }
        catch (Exception error) when (error is CryptographicException or FormatException or JsonException)
        {
            return false;
        }
    }
}
