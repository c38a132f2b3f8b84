using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner secret CLIENT --add|--retire</c>: changes a client secret without an outage.</summary>
internal static class PartnerSecret
{
    private static readonly Argument<string> Id = new("CLIENT") { Description = "The client id, as in partner list." };
    private static readonly Option<bool> Add = new("--add") { Description = "Make a second secret; both count." };
    private static readonly Option<bool> Retire = new("--retire") { Description = "End the older of the two." };

    public static Command Make()
    {
        var verb = new Command("secret", """
            Change the secret of an OIDC client: add the new one, let the partner change over, retire the old one.

            Examples:
              partner secret kolari-auto-web --add
              partner secret kolari-auto-web --retire

            The secret is printed once and stored only as a hash.
            """) { Id, Add, Retire };
        verb.Validators.Add(given =>
        {
            if (given.GetValue(Add) == given.GetValue(Retire)) given.AddError("Give either --add or --retire.");
        });
        return verb.Runs(async run =>
        {
            if (run.Get(Retire))
            {
                await run.MustAsync(new RetireClientSecret(run.Get(Id)));
                run.Print(new { clientId = run.Get(Id), retired = true }, text => text.WriteLine($"The older secret of {run.Get(Id)} is retired."));
                return;
            }
            var added = await run.MustAsync(new AddClientSecret(run.Get(Id)));
            run.Print(added, text =>
            {
                text.WriteLine($"client_id      {added.ClientId}");
                text.WriteLine($"client_secret  {added.Secret}");
                text.WriteLine("It is shown this once. The older secret counts until: partner secret " + added.ClientId + " --retire");
            });
        });
    }
}
