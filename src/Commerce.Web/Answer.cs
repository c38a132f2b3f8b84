using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Web;

/// <summary>Says no in the form that the caller reads: a page to a browser, problem+json to a program.</summary>
public static class Answer
{
    public static IResult No(HttpContext context, Refusal refusal) =>
        WantsPage(context.Request) ? RefusedPage(context, refusal) : Problem.From(refusal);

    /// <summary>A plain page with the sentence, the code and a reference that support can find in the log.</summary>
    public static IResult RefusedPage(HttpContext context, Refusal refusal) =>
        new Page("/Layout/Refused.cshtml", new RefusedModel(refusal.Code, refusal.Message, context.TraceIdentifier)) { Status = refusal.Status };

    public static bool WantsPage(HttpRequest request) =>
        request.Headers.Accept.Any(accept => accept?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);
}

/// <param name="Code">Also the key of the sentence in the customer's language, where there is one.</param>
/// <param name="Message">English sentence, where there is none.</param>
public sealed record RefusedModel(string Code, string Message, string Reference);
