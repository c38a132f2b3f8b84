using System.Reflection;
using System.Text.RegularExpressions;

namespace Commerce.Conformance.Tests;

/// <summary>docs/protocols/conformance.md says of every module how the hub does; this holds the page to the tests that there are.</summary>
public sealed partial class TableTests
{
    private sealed record Row(string Plan, string Module, string Result, string Note)
    {
        public string Method => Module.Replace('-', '_');
    }

    private static readonly IReadOnlyList<Row> Rows = [.. Read()];

    private static readonly ILookup<string, string> Tests = (
        from type in typeof(TableTests).Assembly.GetTypes()
        where type is { IsAbstract: false, Namespace: "Commerce.Conformance.Tests.Plans" }
        from method in type.GetMethods()
        where method.GetCustomAttributes<FactAttribute>().Any()
        select (type.Name, Method: method.Name)).ToLookup(t => t.Name, t => t.Method);

    private static IEnumerable<Row> Read()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Commerce.sln"))) root = root.Parent!;
        var plan = "";
        foreach (var line in File.ReadLines(Path.Combine(root.FullName, "docs", "protocols", "conformance.md")))
        {
            if (Heading().Match(line) is { Success: true } heading) plan = heading.Groups[1].Value;
            else if (Line().Match(line) is { Success: true } row) yield return new Row(plan, row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value.Trim());
        }
    }

    [Fact]
    public void The_table_names_every_test_of_a_plan_and_every_module_that_it_calls_tested_has_its_test()
    {
        foreach (var plan in Rows.Select(r => r.Plan).Union(Tests.Select(t => t.Key)))
        {
            var named = Rows.Where(r => r.Plan == plan).ToList();
            Assert.Equal(named.Count, named.Select(r => r.Module).Distinct().Count());
            Assert.Equal(named.Where(r => r.Result != "open").Select(r => r.Method).Order(StringComparer.Ordinal), Tests[plan].Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Whatever_does_not_simply_pass_is_explained() =>
        Assert.All(Rows, row =>
        {
            Assert.Contains(row.Result, (string[])["passes", "skipped", "warning", "open"]);
            if (row.Result != "passes") Assert.True(row.Note.Length > 10, $"{row.Plan}: {row.Module} is {row.Result}, and nobody says why.");
        });

    [GeneratedRegex("^### .*: `(\\w+)`$")] private static partial Regex Heading();
    [GeneratedRegex(@"^\| `([^`]+)` \| (\w+) \|(.*)\|$")] private static partial Regex Line();
}
