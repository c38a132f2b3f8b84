using System.CommandLine;
using System.Text;
using Commerce.Host.CommandLine.Imports;
using Commerce.Purchases.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>orders import FILE</c>.</summary>
internal static class OrdersImport
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private static readonly Argument<FileInfo> File = new("FILE") { Description = "JSON Lines: one order a line, each as POST /api/orders takes it." };

    public static Command Make() => new Command("import", """
        Import orders of an older system.

        One JSON object a line, in the shape that POST /api/orders takes (see /openapi/v1.json).

        Example:
          orders import orders.jsonl

        An order goes to the customer whose confirmed e-mail address it names; import customers first. It may be stopped or killed at
        any moment: run it again and it goes on where it stood. No order is imported twice (order_number is the key). Lines that
        cannot be taken end in FILE.rejected, each with line number and reason; their number is printed, and the exit code is 0 all
        the same once the file has been read to its end.
        """) { File }.Runs(run => new Import<ImportedOrder>("orders", ["order_number"], Read, TakeAsync).RunAsync(run, run.Get(File)));

    // Purchases owns the shape of an order and checks it; here it only has to be text.
    private static (ImportedOrder? Line, string? Reason) Read(RawLine raw)
    {
        try
        {
            return (new ImportedOrder(raw.Number, Strict.GetString(raw.Bytes)), null);
        }
        catch (DecoderFallbackException)
        {
            return (null, "The line is not UTF-8 text.");
        }
    }

    private static async Task<IReadOnlyList<Taken>> TakeAsync(VerbRun run, IReadOnlyList<ImportedOrder> lines)
    {
        var outcomes = await run.AskAsync(new ImportOrders(lines));
        return [.. outcomes.Select(outcome => new Taken(outcome.IsNew, outcome.Reason))];
    }
}
