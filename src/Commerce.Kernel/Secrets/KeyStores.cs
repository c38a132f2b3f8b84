using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;

namespace Commerce.Kernel.Secrets;

/// <summary>Where private keys live, and how one is opened to sign.</summary>
internal interface IKeyStore
{
    /// <summary>As signing-key rows name it; null for the store whose keys are in the rows themselves.</summary>
    string? Name { get; }

    /// <param name="algorithm">As in <see cref="KeyPurpose"/>.</param>
    /// <param name="content">What the row holds, unwrapped.</param>
    /// <exception cref="CryptographicException">The key cannot be reached, or is of another kind.</exception>
    AsymmetricAlgorithm Open(string algorithm, ReadOnlySpan<byte> content);
}

/// <summary>The default: private keys in the database, wrapped by the key ring.</summary>
internal sealed class EmbeddedKeyStore : IKeyStore
{
    public string? Name => null;

    public AsymmetricAlgorithm Open(string algorithm, ReadOnlySpan<byte> content)
    {
        AsymmetricAlgorithm key = algorithm == "ES256" ? ECDsa.Create() : RSA.Create();
        key.ImportPkcs8PrivateKey(content, out _);
        return key;
    }
}

/// <summary>A private key that never leaves its hardware module. The hub keeps its address only.</summary>
/// <param name="Engine">OpenSSL engine that reaches the module, such as <c>pkcs11</c>; null where a provider does.</param>
/// <param name="Provider">OpenSSL 3 provider that reaches the module; null where an engine does.</param>
/// <param name="Address">What engine or provider calls the key, such as a PKCS #11 URI (RFC 7512). It may name a PIN: it is stored wrapped and never shown.</param>
public sealed record HardwareKey(string? Engine, string? Provider, string Address);

/// <summary>Keys in a hardware security module, by OpenSSL's engine or provider for it, through the framework's own key handle. Linux only.</summary>
internal sealed class HardwareKeyStore : IKeyStore
{
    public const string StoreName = "hardware";

    public string? Name => StoreName;

    public AsymmetricAlgorithm Open(string algorithm, ReadOnlySpan<byte> content) => Open(algorithm, JsonSerializer.Deserialize<HardwareKey>(content)!);

    public static AsymmetricAlgorithm Open(string algorithm, HardwareKey key)
    {
        if (!OperatingSystem.IsLinux()) throw new CryptographicException("Keys in hardware are reached through OpenSSL, which this system does not offer to programs.");
        using var handle = key.Engine is { } engine
            ? SafeEvpPKeyHandle.OpenPrivateKeyFromEngine(engine, key.Address)
            : SafeEvpPKeyHandle.OpenKeyFromProvider(key.Provider!, key.Address);
        return algorithm == "ES256" ? new ECDsaOpenSsl(handle) : new RSAOpenSsl(handle);
    }
}

/// <summary>Wraps what a row holds and picks the store that opens it.</summary>
internal sealed class KeyStores(IDataProtectionProvider ring)
{
    private readonly IDataProtector wrap = ring.CreateProtector("commerce.signing-key.v1");
    private readonly IKeyStore[] stores = [new EmbeddedKeyStore(), new HardwareKeyStore()];

    public byte[] Wrap(byte[] content) => wrap.Protect(content);

    /// <exception cref="CryptographicException">The key ring that wrapped the row is not the one at hand.</exception>
    public byte[] Unwrap(SigningKeyRow row) => wrap.Unprotect(row.WrappedPrivateKey);

    public AsymmetricAlgorithm Open(SigningKeyRow row)
    {
        var content = Unwrap(row);
        try
        {
            return stores.Single(s => s.Name == row.Store).Open(row.Algorithm, content);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }
}
