using Commerce.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Web;

/// <summary>Addresses that no module answers: the bare host leads to the account, any other gets an answer that says so.</summary>
public static class Elsewhere
{
    private static readonly Refusal NothingHere = new("request.nothing_here", 404, "There is nothing at this address.");

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", () => new SeeOther("/account")).ExcludeFromDescription();

    /// <summary>Belongs after the routing: only a request that no endpoint takes is answered.</summary>
    public static void UseNothingHere(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (context.GetEndpoint() is not null) return next(context);
        IResult answer = Answer.WantsPage(context.Request)
            ? new Page("/Layout/NothingHere.cshtml", new NothingHereModel()) { Status = StatusCodes.Status404NotFound } : Problem.From(NothingHere);
        return answer.ExecuteAsync(context);
    });
}

public sealed record NothingHereModel;
