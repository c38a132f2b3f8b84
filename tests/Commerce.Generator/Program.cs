using System.Globalization;
using Commerce.Generator;

var given = new Dictionary<string, string> { ["--customers"] = "1000", ["--orders"] = "3000", ["--seed"] = "1", ["--bad-every"] = "0", ["--out"] = "." };
for (var i = 0; i < args.Length; i += 2)
{
    if (i + 1 < args.Length && given.ContainsKey(args[i])) given[args[i]] = args[i + 1];
    else
    {
        Console.Error.WriteLine("""
            Writes customers.jsonl and orders.jsonl of a made-up retailer in Finland, Sweden, Korea and the United States.
              --customers N    how many customers (default 1000)
              --orders N       how many orders of these customers (default 3000)
              --out DIR        where to (default: here)
              --seed N         the same seed writes the same files (default 1)
              --bad-every N    makes every Nth line wrong in one of several ways (default: none)
            """);
        return args[i] is "--help" or "-h" ? 0 : 2;
    }
}
int Number(string name) => int.Parse(given[name], CultureInfo.InvariantCulture);
var retailer = new Retailer(Number("--seed"), Number("--customers"), Number("--orders"), Number("--bad-every"));
Directory.CreateDirectory(given["--out"]);
retailer.WriteCustomers(Path.Combine(given["--out"], "customers.jsonl"));
retailer.WriteOrders(Path.Combine(given["--out"], "orders.jsonl"));
return 0;
