using Commerce.Identity.Contracts;
using Commerce.Kernel.Outbox;
using Commerce.Kernel;
using Commerce.Purchases.Bookings;
using Commerce.Purchases.Data;
using Commerce.Purchases.Orders;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Purchases;

/// <summary>The Purchases module: orders as the shops post them, and what partners book for them.</summary>
public sealed class PurchasesModule : IModule
{
    public string Name => "purchases";

    public void Register(IServiceCollection services) => services
        .AddModuleDb<PurchasesDb>(Name)
        .AddHandlersFrom<PurchasesModule>()
        .AddSingleton<OrderSeal>()
        .AddSingleton<BookingSeal>()
        .AddScoped<AttachOrders>()
        .AddEventHandler<EmailConfirmed, AttachOrders.WhenEmailIsConfirmed, PurchasesDb>()
        .AddEventHandler<CustomerRegistered, AttachOrders.WhenCustomerIsRegistered, PurchasesDb>();

    public void Map(IEndpointRouteBuilder routes)
    {
        PostOrder.Map(routes);
        ShowOrder.Map(routes);
        PostBooking.Map(routes);
    }
}
