using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;

namespace Commerce.PartnerKit;

/// <summary>Why a sign-in did not complete, in three kinds that a customer can act on. The log has the rest.</summary>
internal enum FailureReason
{
    /// <summary>The customer chose not to share, or the hub may not release.</summary>
    Denied,

    /// <summary>It took too long, or the page was opened twice.</summary>
    Expired,

    /// <summary>What arrived did not pass the checks.</summary>
    Failed,

    /// <summary>The hub does not answer.</summary>
    Unavailable,
}

/// <summary>One plain page for every sign-in that did not complete; it shows nothing of what was sent (X23, O16).</summary>
internal static class SignInFailure
{
    public static IResult Answer(CommerceHopOptions options, FailureReason reason)
    {
        var word = reason switch { FailureReason.Denied => "denied", FailureReason.Expired => "expired", FailureReason.Unavailable => "unavailable", _ => "failed" };
        if (options.FailurePath is { } own) return new SeeOther($"{own}{(own.Contains('?', StringComparison.Ordinal) ? '&' : '?')}reason={word}");
        var (title, text) = reason switch
        {
            FailureReason.Denied => ("You are not signed in", "Nothing was shared with us. You can go on without signing in, or try again."),
            FailureReason.Expired => ("That took too long", "The sign-in is no longer valid. Please begin again; nothing was lost."),
            FailureReason.Unavailable => ("Signing in is not possible right now", "The sign-in service does not answer. Please try again in a moment."),
            _ => ("The sign-in did not complete", "What we received could not be accepted, so you are not signed in. Please begin again."),
        };
        return new Page(title, text, HtmlEncoder.Default.Encode(options.LandingPath), reason switch { FailureReason.Failed => 400, FailureReason.Unavailable => 503, _ => 200 });
    }

    private sealed class Page(string title, string text, string home, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            response.ContentType = "text/html; charset=utf-8";
            response.Headers.CacheControl = "no-store";
            response.Headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
            response.Headers["Referrer-Policy"] = "no-referrer";
            response.Headers.XContentTypeOptions = "nosniff";
            return response.WriteAsync($"""
                <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title></head>
                <body><main><h1>{title}</h1><p>{text}</p><p><a href="{HopPaths.SignIn}">Sign in again</a></p><p><a href="{home}">Go on without signing in</a></p></main></body></html>
                """, httpContext.RequestAborted);
        }
    }
}

/// <summary>303: the browser goes on with GET, whatever it came with (RFC 9700 §4.12).</summary>
internal sealed class SeeOther(string location) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = location;
        httpContext.Response.Headers.CacheControl = "no-store";
        httpContext.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Task.CompletedTask;
    }
}
