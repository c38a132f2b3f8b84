using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Commerce.Architecture.Tests.Rules;

/// <summary>A module owns its data: no other module reads its tables, its schema, its file or its context.</summary>
internal static partial class Tables
{
    public static IEnumerable<string> ReadAcrossModules(Landscape all)
    {
        var tables = all.Modules.ToDictionary(m => m, m => TablesOf(m.Implementation));
        foreach (var module in all.Modules)
        {
            var foreign = tables.Where(t => t.Key != module).SelectMany(t => t.Value.Except(tables[module]).Select(table => (Table: table, Owner: t.Key.Name)))
                .DistinctBy(t => t.Table).ToDictionary(t => t.Table, t => t.Owner, StringComparer.OrdinalIgnoreCase);
            var others = all.Modules.Where(m => m != module).ToDictionary(m => m.Key, StringComparer.OrdinalIgnoreCase);
            foreach (var (method, text) in Literals(module.Implementation))
            {
                foreach (Match table in TableInSql().Matches(text))
                {
                    if (others.TryGetValue(table.Groups["schema"].Value, out var other)) yield return $"{method.FullName} names a table in the schema of {other.Name}.";
                    else if (foreign.TryGetValue(table.Groups["table"].Value, out var owner)) yield return $"{method.FullName} reads '{table.Groups["table"].Value}', a table of {owner}.";
                }
                if (Attach().IsMatch(text)) yield return $"{method.FullName} attaches another database.";
                foreach (Match file in DatabaseFile().Matches(text))
                {
                    if (others.TryGetValue(file.Groups["module"].Value, out var other)) yield return $"{method.FullName} names the database file of {other.Name}.";
                }
            }
        }
    }

    public static IEnumerable<string> ContextsAcrossModules(Landscape all)
    {
        var contexts = all.Modules.SelectMany(m => m.Implementation.AllTypes().Where(t => t.BaseType?.Name == "ModuleDb").Select(t => (t.FullName, Owner: m)))
            .ToDictionary(c => c.FullName, c => c.Owner);
        return (from module in all.Modules
                from method in module.Implementation.AllMethods()
                from type in method.MentionedTypes()
                where contexts.TryGetValue(type.FullName, out var owner) && owner != module
                select $"{method.DeclaringType.FullName} uses {type.FullName} of {contexts[type.FullName].Name}.").Distinct();
    }

    /// <summary>Names given to ToTable in maps and to CreateTable in migrations.</summary>
    public static HashSet<string> TablesOf(AssemblyDefinition assembly)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var method in assembly.AllMethods())
        {
            string? literal = null;
            foreach (var instruction in method.Code())
            {
                if (instruction.OpCode == OpCodes.Ldstr) literal ??= (string)instruction.Operand;
                if (instruction.Operand is not MethodReference call) continue;
                if (call.Name is "ToTable" or "CreateTable" && literal is not null) names.Add(literal);
                if (call.Name is "ToTable" or "CreateTable" or "HasKey" or "Entity" or "CreateIndex" or "CreateOutboxAndInbox") literal = null;
            }
        }
        return names;
    }

    private static IEnumerable<(MethodDefinition Method, string Text)> Literals(AssemblyDefinition assembly) =>
        from method in assembly.AllMethods()
        from instruction in method.Code()
        where instruction.OpCode == OpCodes.Ldstr
        select (method, (string)instruction.Operand);

    [GeneratedRegex("""\b(?:from|join|into|update|table)\s+(?:["\[`]?(?<schema>\w+)["\]`]?\.)?["\[`]?(?<table>\w+)["\]`]?""", RegexOptions.IgnoreCase)]
    private static partial Regex TableInSql();

    [GeneratedRegex("""\battach\s+database\b""", RegexOptions.IgnoreCase)]
    private static partial Regex Attach();

    [GeneratedRegex("""(?<module>\w+)\.db\b""", RegexOptions.IgnoreCase)]
    private static partial Regex DatabaseFile();
}
