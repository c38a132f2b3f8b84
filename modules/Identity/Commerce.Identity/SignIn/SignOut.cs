using Commerce.Identity.Contracts;
using Commerce.Identity.Sessions;
using Commerce.Kernel;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Identity.SignIn;

/// <summary>Ends the session on the server first, then in the browser. Partners of the session are told through <see cref="SessionEnded"/>.</summary>
internal static class SignOut
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/signout", (HttpContext context) => new Page("/SignIn/SignOut.cshtml", new SignOutPage(context.User.CustomerId() is not null)))
            .ExcludeFromDescription();

        routes.MapPost("/signout", async (IFormCollection _, HttpContext context, SessionCookie cookie, IMediator mediator, CancellationToken stop) =>
        {
            if (context.User.SessionId() is { } session) await mediator.Send(new EndSession(session), stop);
            cookie.Clear(context.Response);
            return new SeeOther("/signout");
        }).ExcludeFromDescription();
    }
}

internal sealed record SignOutPage(bool IsSignedIn);
