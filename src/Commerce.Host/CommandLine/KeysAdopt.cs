using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>keys adopt</c>.</summary>
internal static class KeysAdopt
{
    private static readonly Option<string> Purpose = new("--purpose") { Description = "Whose next key it becomes; see keys list.", HelpName = "NAME", Required = true };
    private static readonly Option<string?> Engine = new("--engine") { Description = "OpenSSL engine that reaches the hardware module, such as pkcs11.", HelpName = "NAME" };
    private static readonly Option<string?> Provider = new("--provider") { Description = "OpenSSL 3 provider that reaches the hardware module.", HelpName = "NAME" };
    private static readonly Option<string> Key = new("--key") { Description = "The key's address there, such as a PKCS #11 URI.", HelpName = "ADDRESS", Required = true };

    public static Command Make() => new Command("adopt", """
        Use a key that lives in a hardware security module. It is published at once and signs after the next 'keys rotate'; from then on the
        purpose stays in hardware, and each later key is adopted too.

        Example:
          keys adopt --purpose oidc-es256 --engine pkcs11 --key "pkcs11:token=hub;object=oidc-2027;type=private?pin-source=file:/etc/hub/pin"

        Keep the PIN in a file, as above: OpenSSL's engine prints an address that it cannot open. Every process of the hub needs the same OpenSSL engine and module.
        """) { Purpose, Engine, Provider, Key }.Runs(async run =>
    {
        var keys = await run.MustAsync(new AdoptKey(run.Get(Purpose)!, run.Get(Engine), run.Get(Provider), run.Get(Key)!));
        run.Print(keys, text => KeysList.Write(text, keys));
    });
}
