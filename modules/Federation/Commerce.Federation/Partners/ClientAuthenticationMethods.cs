namespace Commerce.Federation.Partners;

/// <summary>How clients prove themselves at the endpoints that they call directly. A client registers one, and exactly that one counts (O09).</summary>
internal static class ClientAuthenticationMethods
{
    public const string SecretBasic = "client_secret_basic";
    public const string SecretPost = "client_secret_post";

    /// <summary>RFC 7523 §2.2, OpenID Connect Core §9.</summary>
    public const string PrivateKeyJwt = "private_key_jwt";

    /// <summary>RFC 8705 §2.1: a certificate of a public key infrastructure, known by its subject.</summary>
    public const string TlsClientAuth = "tls_client_auth";

    public static readonly IReadOnlyList<string> All = [SecretBasic, SecretPost, PrivateKeyJwt, TlsClientAuth];

    public static bool TakesSecret(string method) => method is SecretBasic or SecretPost;
}
