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
            ["Saml"] = [],
            ["PartnerKit"] = ["Saml"],
            ["Kernel"] = [],
            ["Web"] = ["Kernel"],
        };
        foreach (var assembly in all.Assemblies)
        {
            var library = assembly.Name.Name[all.Prefix.Length..];
            if (!allowed.TryGetValue(library, out var may)) continue;
            foreach (var reference in References(assembly).Where(r => IsOurs(r, all) && !may.Contains(r[all.Prefix.Length..])))
                yield return $"{assembly.Name.Name} references {reference}.";
            if (library != "Saml") continue;
            foreach (var reference in References(assembly).Where(r => r.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || r.StartsWith("Microsoft.EntityFrameworkCore", StringComparison.Ordinal)))
                yield return $"{assembly.Name.Name} is protocol only, without web server or database, and references {reference}.";
        }
    }

    /// <summary>
    /// The partner's kit is for those outside. One place inside uses it: Federation protects the hub's own API by exactly what other teams protect
    /// theirs with (docs/adr/0019). Anywhere else a module would be asking the hub over the web for what it can ask the module next door.
    /// </summary>
    public static IEnumerable<string> ToPartnerKit(Landscape all) =>
        (from module in all.Modules
         from assembly in (AssemblyDefinition?[])[module.Implementation, module.Contracts]
         where assembly is not null
         from type in assembly.AllTypes()
         where OuterNamespace(type) != $"{all.Prefix}Federation.Api"
         from mentioned in type.Fields.Select(f => f.FieldType).Concat(type.Methods.SelectMany(m => m.MentionedTypes())).SelectMany(Cecil.Parts)
         where WithoutExtension(mentioned.Scope.Name) == all.Prefix + "PartnerKit"
         select $"{type.FullName} uses {mentioned.FullName}, which is for partners.").Distinct();

    /// <summary>
    /// The demo's shop and partner sites live on what a stranger's site would have: the partner's kit and the hub's addresses. They share a process
    /// with the hub and nothing else.
    /// </summary>
    public static IEnumerable<string> OfPartnerSites(Landscape all)
    {
        var demo = all.Assemblies.Single(a => a.Name.Name == all.Prefix + "Demo");
        string[] may = [demo.Name.Name, all.Prefix + "PartnerKit", all.Prefix + "Saml"];
        string[] sites = ["Sites", "Shop", "Tires", "Fuel"];
        return from type in demo.AllTypes()
               where sites.Any(site => OuterNamespace(type) == $"{demo.Name.Name}.{site}")
               from mentioned in type.Fields.Select(f => f.FieldType).Concat(type.Methods.SelectMany(m => m.MentionedTypes())).SelectMany(Cecil.Parts)
               where IsOurs(mentioned.Scope.Name, all) && !may.Contains(WithoutExtension(mentioned.Scope.Name))
               select $"{type.FullName} uses {mentioned.FullName}, which no partner has.";
    }

    private static string OuterNamespace(TypeDefinition type) => type.DeclaringType is { } outer ? OuterNamespace(outer) : type.Namespace;

    private static bool IsOurs(string assembly, Landscape all) => assembly.StartsWith(all.Prefix, StringComparison.Ordinal) || assembly.StartsWith("Commerce.", StringComparison.Ordinal);

    /// <summary>A scope is an assembly's name, or the module's own file name with its extension.</summary>
    private static string WithoutExtension(string scope) => scope.EndsWith(".dll", StringComparison.Ordinal) ? scope[..^4] : scope;

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
