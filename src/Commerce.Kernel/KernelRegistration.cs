using Commerce.Kernel.Outbox;
using Commerce.Kernel.Secrets;
using MediatR;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Commerce.Kernel;

public static class KernelRegistration
{
    /// <summary>Adds everything that modules count on. Called once by the host, before the modules register.</summary>
    public static IServiceCollection AddKernel(this IServiceCollection services, HubSettings settings)
    {
        services.AddSingleton(settings);
        services.TryAddSingleton(TimeProvider.System);
        services.AddDataProtection().SetApplicationName("Commerce")
            .PersistKeysToFileSystem(Directory.CreateDirectory(Path.Combine(settings.DataDirectory, "keyring")));
        services.AddSingleton<PersonalData>().AddSingleton<LookupHash>().AddSingleton<SharedSecrets>().AddSingleton<SigningKeys>().AddHostedService<RotateKeysWhenDue>();
        services.AddSharedSecret(LookupHash.Secret).AddSharedSecret(OutboxSeal.Secret);
        services.AddSingleton<OutboxSeal>().AddSingleton<RecentEvents>().AddSingleton<OutboxSignal>().AddSingleton<OutboxRelay>().AddSingleton<DeadLetters>();
        services.AddSingleton<SealedState>().AddSingleton<CustomerChanges>().AddSingleton<HotPostgres>();
        services.AddModuleDb<KernelDb>("kernel");
        services.AddTransient(typeof(OnDemand<>));
        services.AddScoped<ServiceFactory>(provider => provider.GetService!);
        services.AddScoped<IMediator, Mediator>();
        return services;
    }

    /// <summary>Has the hub keep a secret of this name: made at the first start, read by <see cref="SharedSecrets.Get"/>.</summary>
    /// <param name="name">Lower case with dashes, at most 64 characters. Registering it twice is the same as once.</param>
    public static IServiceCollection AddSharedSecret(this IServiceCollection services, string name) => services.AddSingleton(new SharedSecretName(name));

    /// <summary>Runs the relay in this process. The server does; a command line verb leaves its events for the server to deliver.</summary>
    public static IServiceCollection AddOutboxRelay(this IServiceCollection services) =>
        services.AddHostedService(provider => provider.GetRequiredService<OutboxRelay>());

    /// <summary>Registers every MediatR handler of the assembly that holds <typeparamref name="TModule"/>.</summary>
    public static IServiceCollection AddHandlersFrom<TModule>(this IServiceCollection services) where TModule : IModule =>
        services.Scan(scan => scan.FromAssemblyOf<TModule>()
            .AddClasses(classes => classes.AssignableTo(typeof(IRequestHandler<,>)), publicOnly: false)
            .AsImplementedInterfaces(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IRequestHandler<,>))
            .WithScopedLifetime());
}
