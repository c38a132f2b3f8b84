using System.CommandLine;
using Commerce.Host.CommandLine.Imports;
using Commerce.Identity.Contracts;
using Commerce.Profiles.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>customers import FILE</c>.</summary>
internal static class CustomersImport
{
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "JSON Lines: one customer a line." };

    public static Command Make() => new Command("import", """
        Import customers of an older system.

        One JSON object a line:
          {"external_id": "NT-000001", "banner": "northern-tires", "email": "aino@example.com", "email_verified": true,
           "phone_number": "+358401234567", "given_name": "Aino", "family_name": "Virtanen", "locale": "fi-FI",
           "address": {"street_address": "…", "postal_code": "00100", "locality": "Helsinki", "country": "FI"},
           "vehicles": [{"registration": "ABC-123", "country": "FI", "make": "Volvo", "model": "V60", "year": 2019, "tire_size": "205/55R16"}],
           "loyalty_number": "…", "created_at": "2017-03-02T09:00:00+02:00",
           "password_hash": {"scheme": "ssha512", "value": "{SSHA512}…"}}
        Needed are external_id, banner, email, locale and created_at. Password hashes may be ssha512 or pbkdf2-sha256.

        Example:
          customers import customers.jsonl

        It may be stopped or killed at any moment: run it again and it goes on where it stood. Nobody is imported twice (banner and
        external_id are the key). Lines that cannot be taken end in FILE.rejected, each with line number and reason; their number is
        printed, and the exit code is 0 all the same once the file has been read to its end.
        """) { File }.Runs(run => new Import<CustomerLine.Checked>("customers", ["banner", "external_id"], CustomerLine.Read, TakeAsync).RunAsync(run, run.Get(File)));

    private static async Task<IReadOnlyList<Taken>> TakeAsync(VerbRun run, IReadOnlyList<CustomerLine.Checked> lines)
    {
        var outcomes = await run.AskAsync(new ImportCustomers([.. lines.Select(line => line.Account)]));
        // Known ones too: the run that took their accounts may have been killed before their profiles.
        var profiles = lines.Zip(outcomes).Where(pair => pair.Second.Customer is not null).Select(pair => pair.First.Profile(pair.Second.Customer!.Value)).ToList();
        if (profiles.Count > 0) await run.AskAsync(new ImportProfiles(profiles));
        return [.. outcomes.Select(outcome => new Taken(outcome.IsNew, outcome.Reason))];
    }
}
