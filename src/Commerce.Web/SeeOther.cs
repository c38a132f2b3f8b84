using Microsoft.AspNetCore.Http;

namespace Commerce.Web;

/// <summary>After a post: the browser goes on with a GET and takes nothing of the form along (RFC 9110 §15.4.4; never 307).</summary>
public sealed class SeeOther(string location) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = location;
        httpContext.Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }
}
