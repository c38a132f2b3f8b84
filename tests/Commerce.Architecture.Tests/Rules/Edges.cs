using Mono.Cecil;

namespace Commerce.Architecture.Tests.Rules;

/// <summary>Who may reference whom.</summary>
internal static class Edges
{
    /// <summary>What puts modules together, and nothing else: the composition root, the demo, and tests.</summary>
    private static bool MayReferenceImplementations(string assembly) =>
        assembly is "Commerce.Host" or "Commerce.Demo" or "Commerce.Testing" or "Commerce.Benchmarks" || assembly.EndsWith(".Tests", StringComparison.Ordinal);

    public static IEnumerable<string> ToImplementations(Landscape all)
    {
        var modules = all.Modules.Select(m => m.Name).ToHashSet();
        return from assembly in all.Assemblies
               where !MayReferenceImplementations(assembly.Name.Name)
               from reference in References(assembly)
               where modules.Contains(reference) && reference != assembly.Name.Name
               select $"{assembly.Name.Name} references {reference}; it may reference {reference}.Contracts only.";
    }

    /// <summary>Modules whose questions run in a ring: none of them can be lifted out into a process of its own and started alone.</summary>
    public static IEnumerable<string> Rings(Landscape all)
    {
        var contracts = all.Modules.Where(m => m.Contracts is not null).ToDictionary(m => m.Contracts!.Name.Name, m => m.Name);
        var asks = all.Modules.ToDictionary(m => m.Name, m => References(m.Implementation)
            .Concat(m.Contracts is null ? [] : References(m.Contracts))
            .Where(contracts.ContainsKey).Select(r => contracts[r]).Where(other => other != m.Name).Distinct().ToList());

        foreach (var start in asks.Keys.Order(StringComparer.Ordinal))
        {
            if (PathBack(start, start, asks, []) is { } ring) yield return $"Modules ask each other in a ring: {string.Join(" → ", ring)}.";
        }
    }

    /// <summary>The SAML library and the partner's kit stand alone: a partner installs them without the hub.</summary>
    public static IEnumerable<string> OfLibraries(Landscape all)
    {
        var allowed = new Dictionary<string, string[]>
        {
            ["Commerce.Saml"] = [],
            ["Commerce.PartnerKit"] = ["Commerce.Saml"],
            ["Commerce.Kernel"] = [],
            ["Commerce.Web"] = ["Commerce.Kernel"],
        };
        foreach (var assembly in all.Assemblies)
        {
            if (!allowed.TryGetValue(assembly.Name.Name, out var may)) continue;
            foreach (var reference in References(assembly).Where(r => r.StartsWith("Commerce.", StringComparison.Ordinal) && !may.Contains(r)))
                yield return $"{assembly.Name.Name} references {reference}.";
            if (assembly.Name.Name != "Commerce.Saml") continue;
            foreach (var reference in References(assembly).Where(r => r.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || r.StartsWith("Microsoft.EntityFrameworkCore", StringComparison.Ordinal)))
                yield return $"Commerce.Saml is protocol only, without web server or database, and references {reference}.";
        }
    }

    private static List<string>? PathBack(string at, string start, Dictionary<string, List<string>> asks, HashSet<string> seen)
    {
        foreach (var next in asks[at])
        {
            if (next == start) return [at, start];
            if (seen.Add(next) && PathBack(next, start, asks, seen) is { } rest) return [at, .. rest];
        }
        return null;
    }

    private static IEnumerable<string> References(AssemblyDefinition assembly) => assembly.MainModule.AssemblyReferences.Select(r => r.Name);
}
