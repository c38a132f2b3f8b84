using Mono.Cecil;

namespace Commerce.Architecture.Tests.Rules;

/// <summary>What code below an endpoint does not do.</summary>
internal static class Calls
{
    /// <summary>Handlers answer from this process, from the bus and from the command line: none of them may need a web request.</summary>
    public static IEnumerable<string> WebBelowEndpoints(Landscape all) =>
        (from module in all.Modules
         from type in module.Implementation.AllTypes()
         where type.Interfaces.Any(i => i.InterfaceType.Name is "IRequestHandler`1" or "IRequestHandler`2" or "IHandleEvent`1")
         from part in type.WithNested()
         from mentioned in part.Fields.SelectMany(f => Cecil.Parts(f.FieldType)).Concat(part.Methods.SelectMany(m => m.MentionedTypes()))
         where mentioned.Namespace.StartsWith("Microsoft.AspNetCore.Http", StringComparison.Ordinal)
             && mentioned.Name is "HttpContext" or "IHttpContextAccessor" or "HttpRequest" or "HttpResponse" or "DefaultHttpContext" or "IResult"
         select $"{type.FullName} uses {mentioned.Name}; a handler does not know the web.").Distinct();

    /// <summary>A notification in memory is lost when the process dies; an event in the outbox is not.</summary>
    public static IEnumerable<string> PastTheOutbox(Landscape all) =>
        from assembly in all.Assemblies
        from method in assembly.AllMethods()
        from instruction in method.Code()
        where instruction.Operand is MethodReference { Name: "Publish", DeclaringType.Namespace: "MediatR" }
        select $"{method.FullName} publishes through MediatR; events leave through ModuleDb.Publish.";
}
