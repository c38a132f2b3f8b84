using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel;

/// <summary>One module of the hub: its services and its endpoints. The only public type of a module's assembly implements it.</summary>
public interface IModule
{
    /// <summary>Lower-case name. It names the module's database file or schema, and is what <c>--modules</c> takes.</summary>
    string Name { get; }

    /// <summary>Adds the module's database, handlers and consumers. Called once, before the host is built.</summary>
    void Register(IServiceCollection services);

    /// <summary>Adds the module's HTTP endpoints. Called once, after the host is built.</summary>
    void Map(IEndpointRouteBuilder routes);
}
