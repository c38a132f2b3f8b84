using Mono.Cecil;

namespace Commerce.Architecture.Tests.Rules;

/// <summary>Contracts are plain data: sealed records and enums, and what the compiler adds to them.</summary>
internal static class Contracts
{
    public static IEnumerable<string> WithBehaviour(Landscape all) =>
        from module in all.Modules
        where module.Contracts is not null
        from type in module.Contracts!.AllTypes()
        where !type.IsMadeByTheCompiler() && type.Name is not ("<Module>" or "<PrivateImplementationDetails>")
            && !type.WithDeclaring().Any(t => t.IsMadeByTheCompiler() || t.Name.StartsWith('<')
            || t.Namespace is "Microsoft.CodeAnalysis" or "System.Runtime.CompilerServices")
        from finding in Findings(type)
        select $"{type.FullName}: {finding}";

    private static IEnumerable<string> Findings(TypeDefinition type)
    {
        if (!type.IsPublic && !type.IsNestedPublic) yield return "is not public, so nobody can use it.";
        if (type.IsEnum) yield break;
        if (type.IsInterface || !type.Methods.Any(m => m.Name == "<Clone>$"))
        {
            yield return "is neither a record nor an enum.";
            yield break;
        }
        if (!type.IsSealed) yield return "is not sealed.";
        foreach (var method in type.Methods)
        {
            if (method.IsMadeByTheCompiler() || method.IsConstructor || IsAggregate(method)) continue;
            yield return $"has behaviour in {method.Name}.";
        }
        if (type.Methods.Count(m => m.IsConstructor && !m.IsStatic && !m.IsMadeByTheCompiler()) > 1) yield return "has a constructor beside its primary one.";
    }

    // The key that orders an event is the one computed member that a contract may have.
    private static bool IsAggregate(MethodDefinition method) => method.Name == "Commerce.Kernel.IIntegrationEvent.get_Aggregate";

    private static IEnumerable<TypeDefinition> WithDeclaring(this TypeDefinition type)
    {
        for (var at = type; at is not null; at = at.DeclaringType) yield return at;
    }
}
