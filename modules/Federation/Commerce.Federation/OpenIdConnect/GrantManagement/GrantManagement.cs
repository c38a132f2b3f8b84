using System.Text.Json;
using Commerce.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.OpenIdConnect.GrantManagement;

/// <summary>
/// The grant management endpoint (FAPI Grant Management §6): a client looks at a grant of its own and ends it, with an access token of its
/// own. Somebody else's grant, one that has ended and one that never was get the same answer.
/// </summary>
internal static class GrantManagementEndpoint
{
    public const string Path = "/connect/grants";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path + "/{id}", async Task<IResult> (HttpContext context, string id, Grants grants, CancellationToken stop) =>
            await OwnAsync(context, id, grants, stop) is { } found ? new View(found) : NotThere).RequireApiScope(ApiScopes.QueryGrants).ExcludeFromDescription();

        routes.MapDelete(Path + "/{id}", async Task<IResult> (HttpContext context, string id, Grants grants, CancellationToken stop) =>
        {
            if (await OwnAsync(context, id, grants, stop) is not { } found) return NotThere;
            await grants.RevokeAsync(found.Grant.Id, "revoked_by_client", stop);
            context.Response.Headers.CacheControl = "no-store";
            return Results.NoContent();
        }).DisableAntiforgery().RequireApiScope(ApiScopes.RevokeGrants).ExcludeFromDescription();
    }

    private static IResult NotThere => Problem.From(Refusals.UnknownGrant);

    /// <summary>The client's own grant while everything that it stands on stands; else null.</summary>
    private static async Task<GrantWithRelease?> OwnAsync(HttpContext context, string text, Grants grants, CancellationToken stop) =>
        Guid.TryParseExact(text, "D", out var id) && await grants.FindAsync(id, stop) is { Grant.CodeUsedAt: not null } found
        && string.Equals(found.Grant.Connection, context.User.ApiClientId(), StringComparison.Ordinal) && (await grants.CheckAsync(found.Grant, stop)).IsOk ? found : null;

    private sealed class View(GrantWithRelease found) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => JsonAnswer.WriteAsync(httpContext, StatusCodes.Status200OK, found, static (json, found) =>
        {
            json.WriteString("grant_id", found.Grant.Id);
            json.WriteStartArray("scopes");
            json.WriteStartObject();
            json.WriteString("scope", found.Grant.Scope);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteStartArray("claims");
            foreach (var name in found.Release?.Names ?? []) json.WriteStringValue(name);
            json.WriteEndArray();
            if (found.Grant.Details is { } details)
            {
                json.WritePropertyName("authorization_details");
                json.WriteRawValue(details);
            }
            if (found.Grant.Receipt is { } receipt) json.WriteString(ClaimCatalogue.ConsentReceipt, receipt);
            json.WriteNumber("created_at", found.Grant.CreatedAt.ToUnixTimeSeconds());
            json.WriteNumber("expires_at", found.Grant.EndsAt.ToUnixTimeSeconds());
        });
    }
}
