using System.Text;
using System.Text.Json;

namespace Commerce.Federation.OpenIdConnect.Jose;

/// <summary>Reads a JSON object that came from outside: valid UTF-8, no member twice at any depth, no comments, no trailing bytes.</summary>
/// <remarks>RFC 8725 §2.4 and RFC 7515 §4: a parser that takes the last of two members and one that takes the first see two tokens.</remarks>
internal static class StrictJson
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16, CommentHandling = JsonCommentHandling.Disallow };

    public static bool TryReadObject(ReadOnlySpan<byte> bytes, out JsonElement read) => TryRead(bytes, JsonValueKind.Object, out read);

    public static bool TryReadArray(ReadOnlySpan<byte> bytes, out JsonElement read) => TryRead(bytes, JsonValueKind.Array, out read);

    private static bool TryRead(ReadOnlySpan<byte> bytes, JsonValueKind kind, out JsonElement read)
    {
        read = default;
        try
        {
            _ = Utf8.GetCharCount(bytes);
            read = JsonElement.Parse(bytes, Options);
            return read.ValueKind == kind;
        }
        catch (Exception error) when (error is JsonException or DecoderFallbackException or InvalidOperationException or ArgumentException)
        {
            return false;   // ArgumentException: an escaped lone surrogate in a member's name
        }
    }

    /// <summary>The member's text, or null where it is absent. False where it is there and is not well-formed text.</summary>
    public static bool TryText(this JsonElement from, string member, out string? text)
    {
        text = null;
        if (!from.TryGetProperty(member, out var value)) return true;
        if (value.ValueKind != JsonValueKind.String) return false;
        try
        {
            text = value.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;       // an escaped lone surrogate
        }
    }

    /// <summary>The member's text where it is there and is text; else null.</summary>
    public static string? Text(this JsonElement from, string member) => from.TryText(member, out var text) ? text : null;

    /// <summary>The member's texts: an array of strings, or null where it is absent or anything else.</summary>
    public static IReadOnlyList<string>? Texts(this JsonElement from, string member)
    {
        if (!from.TryGetProperty(member, out var value) || value.ValueKind != JsonValueKind.Array) return null;
        var all = new List<string>(value.GetArrayLength());
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String) return null;
            try
            {
                all.Add(item.GetString()!);
            }
            catch (InvalidOperationException)
            {
                return null;
            }
        }
        return all;
    }

    /// <summary>A NumericDate (RFC 7519 §2) as whole seconds, rounded down. False where it is there and is no number of this age.</summary>
    public static bool TryInstant(this JsonElement from, string member, out DateTimeOffset? instant)
    {
        instant = null;
        if (!from.TryGetProperty(member, out var value)) return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || seconds is not (>= 0 and < 253402300800)) return false;
        instant = DateTimeOffset.FromUnixTimeSeconds((long)seconds);
        return true;
    }
}
