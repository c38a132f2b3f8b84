using Commerce.Kernel;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Planted.Alpha.Contracts;
using Planted.Beta.Contracts;

namespace Planted.Beta;

public sealed class BetaModule : IModule
{
    public string Name => "beta";
    public void Register(IServiceCollection services) => services.AddModuleDb<BetaDb>(Name);
    public void Map(IEndpointRouteBuilder routes) { }
}

internal sealed class BetaDb(DbContextOptions<BetaDb> options) : ModuleDb(options)
{
    public override string ModuleName => "beta";
    protected override void Build(ModelBuilder model) => model.Entity<BetaRow>().ToTable("beta_rows").HasKey(r => r.Id);
}

internal sealed class BetaRow
{
    public Guid Id { get; init; }
}

/// <summary>Half of the ring: Beta asks Alpha.</summary>
internal sealed class BetaHandler(IMediator mediator) : IRequestHandler<AskBeta, bool>
{
    public async Task<bool> Handle(AskBeta request, CancellationToken stop) =>
        (await mediator.Send(new AskAlpha(request.Id, "", [], AlphaState.First), stop)).IsOk;
}

/// <summary>Breaks: a handler knows the web.</summary>
internal sealed class WebHandler(IHttpContextAccessor http) : IRequestHandler<WebHandler.Request, string>
{
    internal sealed record Request : IRequest<string>;

    public async Task<string> Handle(Request request, CancellationToken stop)
    {
        await Task.Yield();
        return http.HttpContext!.Request.Path;
    }
}

/// <summary>Breaks: the consumer of an event knows the web.</summary>
internal sealed class WebConsumer : IHandleEvent<AlphaHappened>
{
    public Task Handle(AlphaHappened message, Delivery delivery, CancellationToken stop) => Task.FromResult(new DefaultHttpContext());
}

/// <summary>Breaks: told past the outbox, a crash would lose it.</summary>
internal sealed record BetaNotification : INotification;

internal sealed class PastTheOutbox(IMediator mediator)
{
    public async Task Tell(CancellationToken stop) => await mediator.Publish(new BetaNotification(), stop);
}

/// <summary>Breaks: a module does not go around by the web.</summary>
internal static class UsesTheKit
{
    public static object Make() => new Planted.PartnerKit.Kit("https://id.example");
}
