using Xunit;
using Commerce.Architecture.Tests.Rules;

namespace Commerce.Architecture.Tests;

/// <summary>Each rule twice: the product keeps it, and the planted modules, which break it on purpose, are caught.</summary>
public sealed class ModuleRules
{
    [Fact]
    public void Every_module_in_the_source_tree_is_looked_at()
    {
        var expected = Directory.EnumerateDirectories(Path.Combine(Repository.Root, "modules")).Select(d => $"Commerce.{Path.GetFileName(d)}").Order(StringComparer.Ordinal);
        Assert.Equal(expected, Landscape.Real.Modules.Select(m => m.Name));
        Assert.All(Landscape.Real.Modules, m => Assert.NotNull(m.Contracts));
    }

    [Fact]
    public void No_module_references_another_ones_implementation() => Holds(Edges.ToImplementations);

    [Fact]
    public void A_planted_reference_to_an_implementation_is_caught() =>
        Catches(Edges.ToImplementations, "Planted.Alpha references Planted.Beta;");

    [Fact]
    public void Modules_do_not_ask_in_a_ring() => Holds(Edges.Rings);

    [Fact]
    public void A_planted_ring_is_caught() => Catches(Edges.Rings, "Planted.Alpha → Planted.Beta → Planted.Alpha");

    [Fact]
    public void Libraries_stand_alone() => Holds(Edges.OfLibraries);

    [Fact]
    public void A_planted_library_that_leans_on_a_module_is_caught() => Catches(Edges.OfLibraries,
        "Planted.Saml references Planted.Beta.Contracts.", "Planted.Saml is protocol only, without web server or database, and references Microsoft.AspNetCore");

    [Fact]
    public void Every_library_is_looked_at() => Assert.Subset(
        Landscape.Real.Assemblies.Select(a => a.Name.Name).ToHashSet(), new HashSet<string> { "Commerce.Kernel", "Commerce.Web", "Commerce.Saml", "Commerce.PartnerKit" });

    [Fact]
    public void The_partners_kit_is_used_where_the_hubs_own_API_is_protected_and_nowhere_else_inside()
    {
        Holds(Edges.ToPartnerKit);
        Assert.Contains(Landscape.Real.Modules, m => m.Implementation.MainModule.AssemblyReferences.Any(r => r.Name == "Commerce.PartnerKit"));
    }

    [Fact]
    public void A_planted_module_that_uses_the_partners_kit_is_caught() => Catches(Edges.ToPartnerKit, "Planted.Beta.UsesTheKit uses Planted.PartnerKit.Kit");

    [Fact]
    public void The_demos_partner_sites_have_what_any_partner_has() => Holds(Edges.OfPartnerSites);

    [Fact]
    public void A_planted_partner_site_that_asks_a_module_is_caught() => Catches(Edges.OfPartnerSites, "Planted.Demo.Tires.AsksInside uses Planted.Beta.Contracts.AskBeta");

    [Fact]
    public void Only_the_module_class_is_public_in_an_implementation() => Holds(Visibility.PublicBesideTheModule);

    [Fact]
    public void A_planted_public_type_is_caught() => Catches(Visibility.PublicBesideTheModule, "Planted.Alpha.PublicLeak is public", "PublicLeak/Inner is public");

    [Fact]
    public void Contracts_are_sealed_records_and_enums_without_behaviour() => Holds(Contracts.WithBehaviour);

    [Fact]
    public void Planted_contracts_with_behaviour_are_caught() => Catches(Contracts.WithBehaviour,
        "PlainClass: is neither", "OpenRecord: is not sealed", "DecidingRecord: has behaviour in IsLarge", "ComputingRecord: has behaviour in get_Twice",
        "IBetaService: is neither");

    [Fact]
    public void Contracts_that_obey_are_left_in_peace() =>
        Assert.DoesNotContain(Contracts.WithBehaviour(Landscape.Planted), v => v.Contains("Alpha", StringComparison.Ordinal) || v.Contains("AskBeta", StringComparison.Ordinal));

    [Fact]
    public void No_module_reads_another_ones_tables() => Holds(Tables.ReadAcrossModules);

    [Fact]
    public void Planted_reads_across_modules_are_caught() => Catches(Tables.ReadAcrossModules,
        "CountOthers(System.Threading.CancellationToken) reads 'beta_rows', a table of Planted.Beta", "CountBySchema(System.Threading.CancellationToken) names a table in the schema of Planted.Beta",
        "OpenOthers() names the database file of Planted.Beta");

    [Fact]
    public void A_modules_own_table_is_its_own() =>
        Assert.DoesNotContain(Tables.ReadAcrossModules(Landscape.Planted), v => v.Contains("CountOwn", StringComparison.Ordinal));

    [Fact]
    public void No_module_uses_another_ones_context() => Holds(Tables.ContextsAcrossModules);

    [Fact]
    public void A_planted_use_of_anothers_context_is_caught() => Catches(Tables.ContextsAcrossModules, "uses Planted.Beta.BetaDb of Planted.Beta");

    [Fact]
    public void Every_modules_tables_are_known_to_the_rule()
    {
        // Were the names not found, the rule above would hold for nothing.
        foreach (var module in Landscape.Real.Modules.Where(m => m.Implementation.AllTypes().Any(t => t.BaseType?.Name == "ModuleDb")))
            Assert.NotEmpty(Tables.TablesOf(module.Implementation));
    }

    [Fact]
    public void No_handler_knows_the_web() => Holds(Calls.WebBelowEndpoints);

    [Fact]
    public void Planted_handlers_that_know_the_web_are_caught() => Catches(Calls.WebBelowEndpoints, "Planted.Beta.WebHandler uses IHttpContextAccessor", "Planted.Beta.WebConsumer uses DefaultHttpContext");

    [Fact]
    public void Nothing_is_published_past_the_outbox() => Holds(Calls.PastTheOutbox);

    [Fact]
    public void A_planted_publication_past_the_outbox_is_caught() => Catches(Calls.PastTheOutbox, "Planted.Beta.PastTheOutbox");

    private static void Holds(Func<Landscape, IEnumerable<string>> rule)
    {
        var violations = rule(Landscape.Real).ToList();
        Assert.True(violations.Count == 0, string.Join(Environment.NewLine, violations));
    }

    private static void Catches(Func<Landscape, IEnumerable<string>> rule, params IReadOnlyList<string> expected)
    {
        var violations = rule(Landscape.Planted).ToList();
        Assert.All(expected, text => Assert.Contains(violations, v => v.Contains(text, StringComparison.Ordinal)));
    }
}

internal static class Repository
{
    /// <summary>The folder that holds Commerce.sln.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Commerce.sln"))) return at.FullName;
        }
        throw new InvalidOperationException("The tests run from inside the repository.");
    }
}
