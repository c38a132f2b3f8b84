using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>Registers an API, or replaces the registration with the same identifier.</summary>
internal sealed class PutApiResourceHandler(FederationDb db, ApiResources resources, TimeProvider clock) : IRequestHandler<PutApiResource, Result<string>>
{
    public async Task<Result<string>> Handle(PutApiResource request, CancellationToken cancellationToken)
    {
        if (!ApiResourceJson.Read(request.Json).TryGet(out var resource, out var no)) return no;
        if (resource.Identifier == resources.Own.Identifier) return Refusals.ApiInvalid.With(new FieldError("identifier", "This is the hub's own API."));
        if (resource.Client is { } client && !await db.Connections.AnyAsync(c => c.Id == client && c.Protocol == Protocol.Oidc, cancellationToken))
            return Refusals.ApiInvalid.With(new FieldError("client", "There is no such OIDC client."));
        // One scope, one API: a request that names scopes alone has one meaning.
        foreach (var other in (await resources.AllAsync(cancellationToken)).Values.Where(r => r.Identifier != resource.Identifier))
        {
            if (resource.Scopes.FirstOrDefault(s => other.Scope(s.Name) is not null) is { } taken)
                return Refusals.ApiInvalid.With(new FieldError("scopes", $"{taken.Name} is a scope of {other.Identifier} already."));
        }
        var json = JsonSerializer.Serialize(resource, HubJson.Options);
        if (await db.Set<ApiResourceRow>().SingleOrDefaultAsync(r => r.Identifier == resource.Identifier, cancellationToken) is { } row) row.Json = json;
        else db.Add(new ApiResourceRow { Identifier = resource.Identifier, Json = json, AddedAt = clock.GetUtcNow() });
        await db.SaveChangesAsync(cancellationToken);
        resources.Forget();
        return resource.Identifier;
    }
}

internal sealed class ListApiResourcesHandler(ApiResources resources) : IRequestHandler<ListApiResources, IReadOnlyList<ApiResourceSummary>>
{
    public async Task<IReadOnlyList<ApiResourceSummary>> Handle(ListApiResources request, CancellationToken cancellationToken) =>
        [.. (await resources.AllAsync(cancellationToken)).Values.OrderBy(r => r.Identifier, StringComparer.Ordinal).Prepend(resources.Own)
            .Select(r => new ApiResourceSummary(r.Identifier, r.Name, r.Client, [.. r.Scopes.Select(s => s.Name)]))];
}
