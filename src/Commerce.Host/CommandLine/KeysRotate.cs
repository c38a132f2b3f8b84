using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>keys rotate</c>.</summary>
internal static class KeysRotate
{
    private static readonly Option<string?> Purpose = new("--purpose") { Description = "Rotate the keys of one purpose only, as in keys list. Default: all.", HelpName = "NAME" };

    private static readonly Option<bool> Now = new("--now") { Description = "Emergency: the active key may be in foreign hands. It is published no more, and what it signed is refused." };

    public static Command Make() => new Command("rotate", """
        Let the next key of each purpose sign, retire the active one, and publish a new next one. A serving hub follows within 15 seconds.

        Examples:
          keys rotate --purpose oidc-es256
          keys rotate --purpose oidc-es256 --now      the key that signs has leaked

        Wait a day between two rotations, so that every partner has read the next key before it signs. A serving hub rotates OpenID Connect
        keys by itself every 90 days and receipt keys every year; SAML keys wait for you, since many service providers pin one certificate.
        """) { Purpose, Now }.Runs(async run =>
    {
        var keys = await run.MustAsync(new RotateKeys(run.Get(Purpose), run.Get(Now)));
        run.Print(keys, text => KeysList.Write(text, keys));
    });
}
