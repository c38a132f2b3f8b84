namespace Commerce.Saml;

internal static class IdpMetadataWriter
{
    public static byte[] Write(IdentityProviderSettings settings, IdentityProviderDescription description, DateTimeOffset now, string id) => throw new NotSupportedException();
}
