using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>keys rotate</c>.</summary>
internal static class KeysRotate
{
    private static readonly Option<string?> Purpose = new("--purpose") { Description = "Rotate the keys of one purpose only, as in keys list. Default: all.", HelpName = "NAME" };

    public static Command Make() => new Command("rotate", """
        Let the next key of each purpose sign, retire the active one, and publish a new next one. A serving hub follows within 15 seconds.

        Example:
          keys rotate --purpose oidc-es256

        Wait a day between two rotations, so that every partner has read the next key before it signs.
        """) { Purpose }.Runs(async run =>
    {
        var keys = await run.MustAsync(new RotateKeys(run.Get(Purpose)));
        run.Print(keys, text => KeysList.Write(text, keys));
    });
}
