using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Commerce.Saml;

/// <summary>Writes XML straight as UTF-8 in the escapes of Canonical XML, so that what is written is what is signed.</summary>
/// <remarks>Canonical XML 1.0 §2.3. The caller writes tags as literals, with namespaces and attributes in canonical order; values pass through here.</remarks>
internal sealed class Utf8XmlWriter : IMemoryOwner<byte>
{
    // What needs an escape in text or attribute values, or is no XML character at all.
    private static readonly SearchValues<char> Special = SearchValues.Create(
        "&<>\"\uFFFE\uFFFF" + string.Concat(Enumerable.Range(0, 0x20).Select(c => (char)c)));

    private byte[] buffer;
    private int length;
    private int used;       // how far it was ever written, where that is more

    public Utf8XmlWriter(int capacity = 8 * 1024) => buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>A value held a character that XML 1.0 cannot carry, even escaped. The output is worthless then.</summary>
    public bool SawIllegal { get; private set; }

    public int Length => length;

    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, length);

    /// <summary>The same for whoever writes it out: good until this is disposed of.</summary>
    public Memory<byte> Memory => buffer.AsMemory(0, length);

    public void Clear()
    {
        used = Math.Max(used, length);
        length = 0;
    }

    public Utf8XmlWriter Raw(ReadOnlySpan<byte> literal)
    {
        literal.CopyTo(Grow(literal.Length));
        length += literal.Length;
        return this;
    }

    /// <summary>A name or another value known to need no escape.</summary>
    public Utf8XmlWriter Raw(ReadOnlySpan<char> plain)
    {
        length += Encoding.UTF8.GetBytes(plain, Grow(Encoding.UTF8.GetMaxByteCount(plain.Length)));
        return this;
    }

    public Utf8XmlWriter Text(ReadOnlySpan<char> value) => Escape(value, inAttribute: false);

    public Utf8XmlWriter Attribute(ReadOnlySpan<char> value) => Escape(value, inAttribute: true);

    /// <summary>An attribute with the blank before it, or nothing where the value is null.</summary>
    public Utf8XmlWriter OptionalAttribute(ReadOnlySpan<byte> name, string? value) =>
        value is null ? this : Raw(" "u8).Raw(name).Raw("=\""u8).Attribute(value).Raw("\""u8);

    /// <summary>An instant in UTC with milliseconds, SAML Core 1.3.3.</summary>
    public Utf8XmlWriter Instant(DateTimeOffset instant)
    {
        // The round-trip format has seven places after the point. It is made ready in the runtime; one of our own is read letter by letter each time.
        const int whole = 28, toMilliseconds = 23;
        var room = Grow(whole);
        instant.UtcDateTime.TryFormat(room, out _, "O", CultureInfo.InvariantCulture);
        room[toMilliseconds] = (byte)'Z';
        length += toMilliseconds + 1;
        return this;
    }

    public Utf8XmlWriter Base64(ReadOnlySpan<byte> bytes)
    {
        System.Buffers.Text.Base64.EncodeToUtf8(bytes, Grow(System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
        length += written;
        return this;
    }

    public void Dispose()
    {
        if (buffer.Length == 0) return;
        GiveBack();
        buffer = [];
        length = 0;
    }

    // It held personal data: what was written is wiped, which is less than the whole buffer.
    private void GiveBack()
    {
        buffer.AsSpan(0, Math.Max(used, length)).Clear();
        ArrayPool<byte>.Shared.Return(buffer);
        used = 0;
    }

    private Utf8XmlWriter Escape(ReadOnlySpan<char> value, bool inAttribute)
    {
        while (value.IndexOfAny(Special) is var at and >= 0)
        {
            Encode(value[..at]);
            var c = value[at];
            switch (c)
            {
                case '&': Raw("&amp;"u8); break;
                case '<': Raw("&lt;"u8); break;
                case '>' when !inAttribute: Raw("&gt;"u8); break;
                case '"' when inAttribute: Raw("&quot;"u8); break;
                case '\r': Raw("&#xD;"u8); break;
                case '\t' when inAttribute: Raw("&#x9;"u8); break;
                case '\n' when inAttribute: Raw("&#xA;"u8); break;
                case '>' or '"' or '\t' or '\n':
                    Grow(1)[0] = (byte)c;
                    length++;
                    break;
                default: SawIllegal = true; break;
            }
            value = value[(at + 1)..];
        }
        Encode(value);
        return this;
    }

    private void Encode(ReadOnlySpan<char> run)
    {
        if (Utf8.FromUtf16(run, Grow(run.Length * 3), out _, out var written, replaceInvalidSequences: false) != OperationStatus.Done) SawIllegal = true;
        length += written;
    }

    private Span<byte> Grow(int more)
    {
        if (buffer.Length - length < more)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(buffer.Length * 2, length + more));
            buffer.AsSpan(0, length).CopyTo(larger);
            GiveBack();
            buffer = larger;
        }
        return buffer.AsSpan(length);
    }
}
