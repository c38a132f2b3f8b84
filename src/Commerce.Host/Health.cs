using Commerce.Kernel;
using Commerce.Kernel.Outbox;

namespace Commerce.Host;

/// <summary>For the machinery around the process: alive means it runs, ready means it listens everywhere and every database answers.</summary>
internal static class Health
{
    public const string Path = "/health";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => Results.Json(new { status = "live" })).ExcludeFromDescription();
        routes.MapGet("/health/ready", async (IServiceProvider services, IHostApplicationLifetime lifetime, IEnumerable<ModuleDbType> modules, CancellationToken stop) =>
        {
            // Addresses are opened one after the other, and the first would answer while nobody listens at the last.
            if (!lifetime.ApplicationStarted.IsCancellationRequested) return Results.Json(new { status = "starting" }, statusCode: 503);
            var down = new List<string>();
            foreach (var module in modules)
            {
                if (!await module.AnswersAsync(services, stop)) down.Add(module.Module);
            }
            return down.Count == 0 ? Results.Json(new { status = "ready" }) : Results.Json(new { status = "not ready", down }, statusCode: 503);
        }).ExcludeFromDescription();
    }
}
