using Commerce.PartnerKit.Saml;

namespace Commerce.PartnerKit;

/// <summary>SAML metadata of a site before it runs: hand it to the hub's operator.</summary>
public static class HopMetadata
{
    /// <returns>UTF-8 XML, the same as the running site publishes at <see cref="HopPaths.SamlMetadata"/>.</returns>
    public static byte[] Write(CommerceHopOptions options, TimeProvider clock) => SamlSignIn.SideOf(options, clock).WriteMetadata();
}
