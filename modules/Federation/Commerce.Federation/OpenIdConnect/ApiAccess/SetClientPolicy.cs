using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.ApiAccess;

/// <summary>Puts a client's policy in force, from the next request on.</summary>
internal sealed class SetClientPolicyHandler(FederationDb db, ApiResources resources, Connections connections) : IRequestHandler<SetClientPolicy, Result<string>>
{
    public async Task<Result<string>> Handle(SetClientPolicy request, CancellationToken cancellationToken)
    {
        if (!ClientPolicy.Read(request.Json).TryGet(out var read, out var no)) return no;
        foreach (var api in read.Policy.Resources)
        {
            if (await resources.FindAsync(api.Identifier, cancellationToken) is not { } known)
                return Refusals.ClientPolicyInvalid.With(new FieldError("resources", $"There is no API {api.Identifier}."));
            if (api.Scopes.FirstOrDefault(s => known.Scope(s) is null) is { } scope)
                return Refusals.ClientPolicyInvalid.With(new FieldError("resources", $"{api.Identifier} has no scope {scope}."));
        }
        var json = JsonSerializer.Serialize(read.Policy, HubJson.Options);
        var changed = await db.Connections.Where(c => c.Id == read.Client && c.Protocol == Protocol.Oidc)
            .ExecuteUpdateAsync(row => row.SetProperty(c => c.Policy, json), cancellationToken);
        connections.Forget();
        return changed == 1 ? read.Client : Refusals.UnknownClient;
    }
}

internal sealed class ListClientPoliciesHandler(FederationDb db) : IRequestHandler<ListClientPolicies, IReadOnlyList<ClientPolicySummary>>
{
    public async Task<IReadOnlyList<ClientPolicySummary>> Handle(ListClientPolicies request, CancellationToken cancellationToken)
    {
        var rows = await db.Connections.AsNoTracking().Where(c => c.Policy != null).OrderBy(c => c.Id).Select(c => new { c.Id, c.Partner, c.Policy }).ToListAsync(cancellationToken);
        return [.. rows.Select(row => (row, policy: JsonSerializer.Deserialize<ClientPolicy>(row.Policy!, HubJson.Options)!)).Select(r => new ClientPolicySummary(
            r.row.Id, r.row.Partner, [.. r.policy.Resources.Select(api => $"{api.Identifier}: {string.Join(' ', api.Scopes)}")], r.policy.Scopes, r.policy.GrantTypes,
            r.policy.AccessTokenSeconds, r.policy.RequireDpop, r.policy.RequirePushedRequests, r.policy.RequestsPerMinute))];
    }
}
