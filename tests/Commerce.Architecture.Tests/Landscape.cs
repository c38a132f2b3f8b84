using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Commerce.Architecture.Tests;

/// <summary>One module as its compiled assemblies show it.</summary>
/// <param name="Name">Assembly name of the implementation, such as <c>Commerce.Identity</c>.</param>
/// <param name="Key">Lower-case name by which it calls itself: its database file and schema.</param>
/// <param name="Contracts">Null where the module declares none.</param>
internal sealed record Module(string Name, string Key, AssemblyDefinition Implementation, AssemblyDefinition? Contracts);

/// <summary>Every assembly of ours beside the tests, read as bytes: nothing is loaded and nothing runs.</summary>
internal sealed class Landscape
{
    private static readonly Lazy<Landscape> RealOnce = new(() => new("Commerce.", AppContext.BaseDirectory));
    private static readonly Lazy<Landscape> PlantedOnce = new(() => new("Planted.", AppContext.BaseDirectory));

    /// <summary>The product.</summary>
    public static Landscape Real => RealOnce.Value;

    /// <summary>Modules, a library and a partner's site that break every rule on purpose.</summary>
    public static Landscape Planted => PlantedOnce.Value;

    /// <summary>What the assemblies' names begin with, dot included.</summary>
    public string Prefix { get; }

    public IReadOnlyList<AssemblyDefinition> Assemblies { get; }
    public IReadOnlyList<Module> Modules { get; }

    private Landscape(string prefix, string folder)
    {
        Prefix = prefix;
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(folder);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location)!);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(Microsoft.AspNetCore.Http.HttpContext).Assembly.Location)!);
        Assemblies = [.. Directory.EnumerateFiles(folder, $"{prefix}*.dll")
            .Where(file => !file.EndsWith(".resources.dll", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(file => AssemblyDefinition.ReadAssembly(file, new ReaderParameters { AssemblyResolver = resolver, InMemory = true }))];
        var byName = Assemblies.ToDictionary(a => a.Name.Name);
        Modules = [.. from assembly in Assemblies
                      let module = assembly.MainModule.Types.FirstOrDefault(t => t.Interfaces.Any(i => i.InterfaceType.FullName == "Commerce.Kernel.IModule"))
                      where module is not null
                      select new Module(assembly.Name.Name, KeyOf(module), assembly, byName.GetValueOrDefault($"{assembly.Name.Name}.Contracts"))];
    }

    private static string KeyOf(TypeDefinition module) =>
        module.Properties.Single(p => p.Name == "Name").GetMethod.Body.Instructions.First(i => i.OpCode == OpCodes.Ldstr).Operand as string ?? "";
}

internal static class Cecil
{
    public static IEnumerable<TypeDefinition> AllTypes(this AssemblyDefinition assembly) => assembly.MainModule.Types.SelectMany(WithNested);

    public static IEnumerable<TypeDefinition> WithNested(this TypeDefinition type) => type.NestedTypes.SelectMany(WithNested).Prepend(type);

    public static IEnumerable<MethodDefinition> AllMethods(this AssemblyDefinition assembly) => assembly.AllTypes().SelectMany(t => t.Methods);

    public static IEnumerable<Instruction> Code(this MethodDefinition method) => method.HasBody ? method.Body.Instructions : [];

    public static bool IsMadeByTheCompiler(this ICustomAttributeProvider member) =>
        member.CustomAttributes.Any(a => a.AttributeType.FullName == "System.Runtime.CompilerServices.CompilerGeneratedAttribute");

    /// <summary>Every type that a method's signature, locals and code name, generic arguments included.</summary>
    public static IEnumerable<TypeReference> MentionedTypes(this MethodDefinition method)
    {
        var types = new List<TypeReference> { method.ReturnType };
        types.AddRange(method.Parameters.Select(p => p.ParameterType));
        if (method.HasBody) types.AddRange(method.Body.Variables.Select(v => v.VariableType));
        foreach (var instruction in method.Code())
        {
            switch (instruction.Operand)
            {
                case TypeReference type:
                    types.Add(type);
                    break;
                case MethodReference call:
                    types.Add(call.DeclaringType);
                    types.Add(call.ReturnType);
                    if (call is GenericInstanceMethod generic) types.AddRange(generic.GenericArguments);
                    break;
                case FieldReference field:
                    types.Add(field.DeclaringType);
                    types.Add(field.FieldType);
                    break;
            }
        }
        return types.SelectMany(Parts);
    }

    public static IEnumerable<TypeReference> Parts(TypeReference type) => type switch
    {
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Parts).Prepend(generic.ElementType),
        TypeSpecification specification => Parts(specification.ElementType),
        _ => [type],
    };
}
