using System.CommandLine;
using Commerce.Identity.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>operator add EMAIL</c>.</summary>
internal static class OperatorAdd
{
    private static readonly Argument<string> Email = new("EMAIL") { Description = "The operator's e-mail address." };

    public static Command Make() => new Command("add", """
        Give an e-mail address operator rights. They count once its owner signs in with the address confirmed.

        Example:
          operator add aino@retailer.example
        """) { Email }.Runs(async run =>
    {
        var isNew = await run.MustAsync(new AddOperator(run.Get(Email)));
        run.Print(new { email = run.Get(Email), added = isNew }, text => text.WriteLine(isNew ? $"{run.Get(Email)} is an operator." : $"{run.Get(Email)} was an operator already."));
    });
}
