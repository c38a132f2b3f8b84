using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// Request parameters, read once and strictly from <c>application/x-www-form-urlencoded</c> text: each name at most once
/// (RFC 6749 §3.1, §3.2), names by exact case, percent-encoding well-formed, UTF-8 valid, no control characters. A parameter without a
/// value counts as absent.
/// </summary>
internal sealed class Parameters
{
    private const int MaxCount = 64;
    private const int MaxBody = 64 * 1024;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly Dictionary<string, string> values;

    private Parameters(Dictionary<string, string> values) => this.values = values;

    public static readonly Parameters None = new([]);

    /// <summary>Parameters that came in another form; null where they could not have come as a form.</summary>
    public static Parameters? Of(Dictionary<string, string> values) => values.Count <= MaxCount && !values.Any(v => HasControls(v.Key) || HasControls(v.Value))
        ? new Parameters(values.Where(v => v.Value.Length > 0).ToDictionary(StringComparer.Ordinal)) : null;

    public string? this[string name] => values.GetValueOrDefault(name);

    /// <summary>The names that carry a value.</summary>
    public IReadOnlyCollection<string> Names => values.Keys;

    public static bool TryReadQuery(HttpRequest request, [NotNullWhen(true)] out Parameters? read) =>
        TryRead(request.QueryString.HasValue ? request.QueryString.Value.AsSpan(1) : [], out read);

    /// <summary>Reads the body of a form post. Null where it is of another type, too large, or not well-formed.</summary>
    public static async ValueTask<Parameters?> ReadFormAsync(HttpRequest request, CancellationToken stop)
    {
        if (!IsForm(request.ContentType) || request.ContentLength > MaxBody) return null;
        var reader = request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(stop);
            if (result.Buffer.Length > MaxBody)
            {
                reader.AdvanceTo(result.Buffer.End);
                return null;
            }
            if (!result.IsCompleted)
            {
                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                continue;
            }
            var text = AsciiText(result.Buffer);
            reader.AdvanceTo(result.Buffer.End);
            return text is not null && TryRead(text, out var read) ? read : null;
        }
    }

    public static bool TryRead(ReadOnlySpan<char> text, [NotNullWhen(true)] out Parameters? read)
    {
        read = null;
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        var empty = new HashSet<string>(StringComparer.Ordinal);
        foreach (var range in text.Split('&'))
        {
            var pair = text[range];
            if (pair.IsEmpty) continue;
            var equals = pair.IndexOf('=');
            var name = Decode(equals < 0 ? pair : pair[..equals]);
            var value = equals < 0 ? "" : Decode(pair[(equals + 1)..]);
            if (name is null || value is null || seen.Count + empty.Count >= MaxCount) return false;
            if (seen.ContainsKey(name) || empty.Contains(name)) return false;
            if (value.Length == 0) empty.Add(name);
            else seen.Add(name, value);
        }
        read = new Parameters(seen);
        return true;
    }

    /// <summary>Undoes the form encoding; null where it is not well-formed. Also used on the two halves of HTTP Basic (RFC 6749 §2.3.1).</summary>
    public static string? Decode(ReadOnlySpan<char> encoded)
    {
        if (encoded.IndexOfAny('%', '+') < 0 && Ascii.IsValid(encoded)) return HasControls(encoded) ? null : encoded.ToString();
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(encoded.Length));
        try
        {
            var length = 0;
            for (var i = 0; i < encoded.Length; i++)
            {
                var c = encoded[i];
                if (c == '%')
                {
                    if (i + 2 >= encoded.Length || !char.IsAsciiHexDigit(encoded[i + 1]) || !char.IsAsciiHexDigit(encoded[i + 2])) return null;
                    bytes[length++] = Convert.ToByte(encoded.Slice(i + 1, 2).ToString(), 16);
                    i += 2;
                }
                else if (c == '+') bytes[length++] = (byte)' ';
                else if (c < 0x80) bytes[length++] = (byte)c;
                else return null;   // a character outside ASCII must come percent-encoded
            }
            var text = Utf8.GetString(bytes, 0, length);
            return HasControls(text) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static bool HasControls(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\0', '\u001f') || text.Contains('\u007f');

    private static bool IsForm(string? contentType)
    {
        if (!Microsoft.Net.Http.Headers.MediaTypeHeaderValue.TryParse(contentType, out var type)) return false;
        return type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));
    }

    private static string? AsciiText(ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment) return Ascii.IsValid(bytes.FirstSpan) ? Encoding.ASCII.GetString(bytes.FirstSpan) : null;
        var all = bytes.ToArray();
        return Ascii.IsValid(all) ? Encoding.ASCII.GetString(all) : null;
    }
}
