using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Commerce.Kernel;

/// <summary>Turns a refusal into an <c>application/problem+json</c> answer (RFC 9457).</summary>
public static class Problem
{
    public static IResult From(Refusal refusal)
    {
        var details = new ProblemDetails
        {
            Type = $"urn:commerce:problem:{refusal.Code}",
            Title = refusal.Message,
            Status = refusal.Status,
            Extensions = { ["code"] = refusal.Code },
        };
        if (refusal.Errors is { Count: > 0 } errors) details.Extensions["errors"] = errors;
        return Results.Problem(details);
    }
}
