using System.Net;
using System.Net.Sockets;

namespace Commerce.Federation.Partners;

/// <summary>Which addresses of a partner the hub takes at registration. At run time they are compared as text and never parsed again.</summary>
internal static class PartnerUrl
{
    public const int Longest = 2000;

    /// <summary>What is wrong with the address as a place to which a browser or the hub goes; null where nothing is.</summary>
    /// <param name="development">Plain http and loopback addresses are taken too.</param>
    public static string? Fault(string url, bool development)
    {
        if (url.Length > Longest) return $"The address is longer than {Longest} characters.";
        // The scheme is compared as written: "JavaScript:" and "HTTPS:" alike are no registered form of anything.
        var secure = url.StartsWith("https://", StringComparison.Ordinal);
        if (!secure && !(development && url.StartsWith("http://", StringComparison.Ordinal)))
            return "The address begins with https://.";
        if (url.Any(c => c is <= ' ' or '\\' or '"' or '<' or '>' or '`' or '{' or '}' or '|' or '^' || c > '~'))
            return "The address holds a character that a URL cannot have as it is; write it percent-encoded.";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0) return "This is not an absolute address.";
        if (url.Contains('#')) return "The address may not have a fragment.";
        if (uri.UserInfo.Length > 0 || url[(url.IndexOf("//", StringComparison.Ordinal) + 2)..].Split('/', '?')[0].Contains('@')) return "The address may not hold a user name.";
        if (uri.Host.Contains('*')) return "Wildcards are not taken: register each address.";
        if (!development && IsPrivate(uri)) return "The address leads to a private or loopback network.";
        return null;
    }

    /// <summary>As <see cref="Fault"/>, for an address to which the browser carries an answer of the protocol in its query.</summary>
    public static string? ReturnFault(string url, bool development) =>
        Fault(url, development) ?? (QueryNames(url).FirstOrDefault(name => Reserved.Contains(name)) is { } taken
            ? $"The query may not have the parameter {taken}: the protocol uses it." : null);

    /// <summary>Scheme, host and port as a content security policy names them.</summary>
    public static string Origin(string url) => new Uri(url).GetLeftPart(UriPartial.Authority);

    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
        { "code", "state", "iss", "error", "error_description", "error_uri", "response", "id_token", "access_token", "SAMLResponse", "SAMLRequest", "RelayState" };

    private static IEnumerable<string> QueryNames(string url) => url.IndexOf('?') is >= 0 and var at
        ? url[(at + 1)..].Split('&').Select(pair => Uri.UnescapeDataString(pair.Split('=')[0])) : [];

    private static bool IsPrivate(Uri uri) =>
        uri.IsLoopback || uri.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IsPrivate(address));

    /// <summary>Loopback, link-local, private and shared networks (RFC 6890).</summary>
    public static bool IsPrivate(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address)) return true;
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return address.IsIPv6LinkLocal || address.IsIPv6SiteLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any);
        var b = address.GetAddressBytes();
        return b[0] is 0 or 10 or 127 or >= 224 || (b[0] == 172 && b[1] is >= 16 and <= 31) || (b[0] == 192 && b[1] == 168)
            || (b[0] == 169 && b[1] == 254) || (b[0] == 100 && b[1] is >= 64 and <= 127);
    }
}
