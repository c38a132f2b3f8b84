namespace Commerce.Saml;

/// <summary>
/// A success response that nothing stands against any more: only its signatures are missing, and the encryption where it is asked for. The caller
/// can put on record that it leaves while <see cref="Sign"/> takes its quarter of a millisecond, and send it when both are done.
/// </summary>
public sealed class PreparedResponse : IDisposable
{
    private readonly Utf8XmlWriter assertion, response;
    private readonly Func<SamlResponse> sign;

    internal PreparedResponse(Utf8XmlWriter assertion, Utf8XmlWriter response, Func<SamlResponse> sign) =>
        (this.assertion, this.response, this.sign) = (assertion, response, sign);

    /// <summary>Signs. Call it once.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The platform cannot use the key.</exception>
    public SamlResponse Sign() => sign();

    public void Dispose()
    {
        assertion.Dispose();
        response.Dispose();
    }
}
