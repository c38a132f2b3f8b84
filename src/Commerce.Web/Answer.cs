using Commerce.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Web;

/// <summary>Says no in the form that the caller reads: a page to a browser, problem+json to a program.</summary>
public static class Answer
{
    public static IResult No(HttpContext context, Refusal refusal) =>
        WantsPage(context.Request) ? RefusedPage(context, refusal) : Problem.From(refusal);

    /// <summary>A plain page with the sentence, the code and a reference that support can find in the log.</summary>
    public static IResult RefusedPage(HttpContext context, Refusal refusal) =>
        new Page("/Layout/Refused.cshtml", new RefusedModel(
            refusal.Code, context.RequestServices.GetRequiredService<RefusalTexts>().Of(refusal), context.TraceIdentifier)) { Status = refusal.Status };

    public static bool WantsPage(HttpRequest request) =>
        request.Headers.Accept.Any(accept => accept?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);
}

/// <param name="Message">In the customer's language, where one of the modules has the sentence.</param>
public sealed record RefusedModel(string Code, string Message, string Reference);
