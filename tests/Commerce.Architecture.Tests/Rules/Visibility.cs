namespace Commerce.Architecture.Tests.Rules;

/// <summary>A module shows its class and its Contracts, nothing more. Pages compiled from views count too.</summary>
internal static class Visibility
{
    public static IEnumerable<string> PublicBesideTheModule(Landscape all) =>
        from module in all.Modules
        from type in module.Implementation.AllTypes()
        where type.IsPublic || type.IsNestedPublic && type.DeclaringType.IsPublic
        where !type.Interfaces.Any(i => i.InterfaceType.FullName == "Commerce.Kernel.IModule")
        select $"{type.FullName} is public in {module.Name}; make it internal, or move what others need to its Contracts.";
}
