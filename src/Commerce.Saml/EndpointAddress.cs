using System.Buffers;

namespace Commerce.Saml;

/// <summary>What an address in metadata must look like before a browser is ever sent there.</summary>
internal static class EndpointAddress
{
    private static readonly SearchValues<char> NeverInAddresses = SearchValues.Create("<>\"'\\^`{|}#");

    /// <summary>An absolute web address in plain ASCII, without user name or fragment and without SAML parameters of its own (X17).</summary>
    /// <remarks>The scheme is compared as written, lower case; other spellings are refused rather than normalised.</remarks>
    public static bool IsWeb(string address, bool requireHttps)
    {
        if (address.Length > 2048 || address.AsSpan().ContainsAnyExceptInRange('!', '~') || address.AsSpan().ContainsAny(NeverInAddresses)) return false;
        if (!address.StartsWith("https://", StringComparison.Ordinal) && (requireHttps || !address.StartsWith("http://", StringComparison.Ordinal))) return false;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.UserInfo.Length > 0 || uri.Host.Length == 0) return false;
        return !Uri.UnescapeDataString(uri.Query).Split('?', '&', ';').Any(pair =>
            pair.Split('=')[0] is var name && (name.Equals("SAMLResponse", StringComparison.OrdinalIgnoreCase) || name.Equals("SAMLRequest", StringComparison.OrdinalIgnoreCase)
            || name.Equals("RelayState", StringComparison.OrdinalIgnoreCase) || name.Equals("SAMLart", StringComparison.OrdinalIgnoreCase)));
    }
}
