using System.IO.Compression;
using System.Text;

namespace Commerce.Saml.Tests.Fuzz;

/// <summary>Changes below the XML: octets, encodings, Base64, DEFLATE and the query around it.</summary>
internal static class WireMutator
{
    private static readonly byte[][] Snippets =
    [
        [0], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF], [0xFE, 0xFF], [0xFF, 0xFE], [0xF5], [0xE2, 0x80, 0xAE], "<!---->"u8.ToArray(), "]]>"u8.ToArray(), "&#x41;"u8.ToArray(), "<"u8.ToArray(), ">"u8.ToArray(), "\""u8.ToArray(), "\r\n"u8.ToArray(),
    ];

    private static readonly string[] QueryNames = ["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding", "samlrequest", "SAMLRequest%20", "%53AMLRequest", "x"];

    /// <summary>The message in octets: mostly UTF-8 as it is, now and then broken or in another encoding.</summary>
    public static byte[] Octets(string xml, Random random)
    {
        var way = random.Next(24);
        if (way == 0 && random.Next(4) == 0)
        {
            Encoding encoding = random.Next(4) switch { 0 => Encoding.Unicode, 1 => Encoding.BigEndianUnicode, 2 => Encoding.Latin1, _ => Encoding.UTF32 };
            return random.Next(2) == 0 ? encoding.GetBytes(xml) : [.. encoding.Preamble, .. encoding.GetBytes(xml)];
        }
        var bytes = Encoding.UTF8.GetBytes(xml);
        return way < 5 ? Bytes(bytes, random) : bytes;
    }

    public static byte[] Bytes(byte[] original, Random random)
    {
        if (original.Length < 8) return original;
        var bytes = original;
        for (var changes = random.Next(1, 3); changes > 0; changes--)
        {
            var at = random.Next(bytes.Length - 4);
            var length = Math.Min(random.Next(1, 24), bytes.Length - at);
            bytes = random.Next(6) switch
            {
                0 => Flipped(bytes, at, random),
                1 => [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)],
                2 => bytes[..at],
                3 => [.. bytes.AsSpan(0, at), .. Snippets[random.Next(Snippets.Length)], .. bytes.AsSpan(at)],
                4 => [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at, length), .. bytes.AsSpan(at)],
                _ => [.. bytes, .. Snippets[random.Next(Snippets.Length)]],
            };
            if (bytes.Length < 8) break;
        }
        return bytes;
    }

    /// <summary>The value of a form field.</summary>
    public static string Form(byte[] octets, Random random)
    {
        var text = Convert.ToBase64String(octets);
        if (text.Length < 8) return text;
        var at = random.Next(text.Length);
        return random.Next(64) switch
        {
            0 => text.Insert(at, "\r\n"),
            1 => text.TrimEnd('='),
            2 => text + "=",
            3 => text.Replace('+', '-').Replace('/', '_'),
            4 => text.Insert(at, "%2B"),
            5 => text[..at],
            6 => Convert.ToBase64String(Encoding.ASCII.GetBytes(text)),
            7 => text + Convert.ToBase64String(octets),
            8 => text.Insert(at, "!"),
            9 => text.Length > 2 ? text[..^2] + "B=" : text,    // stray bits in the last group
            _ => text,
        };
    }

    /// <summary>A SAMLRequest's value for a query, compressed by some level or damaged.</summary>
    public static string Deflated(byte[] octets, Random random)
    {
        var way = random.Next(48);
        using var packed = new MemoryStream();
        var level = random.Next(3) switch { 0 => CompressionLevel.Fastest, 1 => CompressionLevel.NoCompression, _ => CompressionLevel.Optimal };
        using (Stream deflate = way == 0 ? new ZLibStream(packed, level, leaveOpen: true) : way == 1 ? new GZipStream(packed, level, leaveOpen: true) : new DeflateStream(packed, level, leaveOpen: true))
        {
            deflate.Write(octets);
            if (way == 2 && random.Next(20) == 0) for (var i = 0; i < 300; i++) deflate.Write(new byte[4096]);    // 1.2 MB of nothing
        }
        var bytes = way switch
        {
            3 or 4 or 5 => Bytes(packed.ToArray(), random),
            6 => [.. packed.ToArray(), .. packed.ToArray()],
            7 => octets,
            8 => packed.ToArray()[..(int)(packed.Length / 2)],
            _ => packed.ToArray(),
        };
        return Uri.EscapeDataString(way == 9 ? Form(bytes, random) : Convert.ToBase64String(bytes));
    }

    /// <summary>Parameters taken away, doubled, exchanged, respelled.</summary>
    public static string Query(string query, Random random)
    {
        var pairs = query.Split('&').ToList();
        for (var changes = random.Next(1, 3); changes > 0 && pairs.Count > 0; changes--)
        {
            var at = random.Next(pairs.Count);
            var (name, value) = (pairs[at].Split('=')[0], pairs[at][(pairs[at].IndexOf('=', StringComparison.Ordinal) + 1)..]);
            switch (random.Next(12))
            {
                case 0: pairs.RemoveAt(at); break;
                case 1: pairs.Insert(random.Next(pairs.Count + 1), pairs[at]); break;
                case 2: (pairs[at], pairs[0]) = (pairs[0], pairs[at]); break;
                case 3: pairs[at] = name + "=" + pairs[random.Next(pairs.Count)].Split('=')[^1]; break;
                case 4: pairs[at] = QueryNames[random.Next(QueryNames.Length)] + "=" + value; break;
                case 5: pairs.Insert(at, $"RelayState={random.Next(9)}"); break;
                case 6: pairs[at] = name + "=" + value.Replace("%2B", random.Next(2) == 0 ? "+" : "%2b", StringComparison.Ordinal); break;
                case 7: pairs[at] = name + "=" + Escape(value, random); break;
                case 8: pairs[at] = pairs[at].Replace("=", random.Next(2) == 0 ? "" : "==", StringComparison.Ordinal); break;
                case 9: pairs.Insert(at, "SAMLEncoding=" + (random.Next(2) == 0 ? "urn%3Ax" : "urn%3Aoasis%3Anames%3Atc%3ASAML%3A2.0%3Abindings%3AURL-Encoding%3ADEFLATE")); break;
                case 10: pairs[at] = name + "=" + value[..random.Next(value.Length + 1)]; break;
                default: pairs[at] = Encoding.Latin1.GetString(Bytes(Encoding.Latin1.GetBytes(pairs[at]), random)); break;
            }
        }
        return string.Join(random.Next(40) == 0 ? ';' : '&', pairs);
    }

    private static string Escape(string value, Random random)
    {
        if (value.Length == 0) return "%00";
        var at = random.Next(value.Length);
        return $"{value[..at]}%{(int)value[at] & 0xFF:x2}{value[(at + 1)..]}";
    }

    private static byte[] Flipped(byte[] bytes, int at, Random random)
    {
        var copy = bytes.ToArray();
        copy[at] ^= (byte)(1 << random.Next(8));
        return copy;
    }
}
