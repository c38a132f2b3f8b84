using Commerce.Kernel;
using MediatR;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Planted.Alpha.Contracts;
using Planted.Beta;
using Planted.Beta.Contracts;

namespace Planted.Alpha;

public sealed class AlphaModule : IModule
{
    public string Name => "alpha";
    public void Register(IServiceCollection services) => services.AddModuleDb<AlphaDb>(Name);
    public void Map(IEndpointRouteBuilder routes) { }
}

/// <summary>Breaks: public beside the module's class.</summary>
public sealed class PublicLeak
{
    public sealed class Inner;
}

internal sealed class AlphaDb(DbContextOptions<AlphaDb> options) : ModuleDb(options)
{
    public override string ModuleName => "alpha";
    protected override void Build(ModelBuilder model) => model.Entity<AlphaRow>().ToTable("alpha_rows").HasKey(r => r.Id);
}

internal sealed class AlphaRow
{
    public Guid Id { get; init; }
}

/// <summary>The other half of the ring: Alpha asks Beta. Breaks besides: it uses Beta's database.</summary>
internal sealed class AlphaHandler(AlphaDb own, BetaDb others, IMediator mediator) : IRequestHandler<AskAlpha, Result<AlphaAnswer>>
{
    public async Task<Result<AlphaAnswer>> Handle(AskAlpha request, CancellationToken stop)
    {
        await mediator.Send(new AskBeta(request.Id), stop);
        return new AlphaAnswer(new Dictionary<string, string>(), new DateTimeOffset(await others.Set<BetaRow>().CountAsync(stop), TimeSpan.Zero), null);
    }

    public Task<int> CountOwn(CancellationToken stop) => own.Database.ExecuteSqlRawAsync("SELECT count(*) FROM alpha_rows", stop);

    /// <summary>Breaks: reads Beta's table through its own connection.</summary>
    public Task<int> CountOthers(CancellationToken stop) => own.Database.ExecuteSqlRawAsync("SELECT count(*) FROM \"beta_rows\"", stop);

    /// <summary>Breaks: reads a table by Beta's schema.</summary>
    public Task<int> CountBySchema(CancellationToken stop) => own.Database.ExecuteSqlRawAsync("DELETE FROM beta.outbox", stop);

    /// <summary>Breaks: opens Beta's file.</summary>
    public SqliteConnection OpenOthers() => new("Data Source=data/beta.db");
}
