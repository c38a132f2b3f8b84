using System.Text;
using System.Text.Json.Nodes;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Saml;
using MediatR;

namespace Commerce.Federation.Partners;

/// <summary>Registers every service provider of a federation's aggregate that SAML 2.0 can serve, and says why of each other one.</summary>
internal sealed class AddSamlFederationHandler(FederationDb db, SamlPartnerBook saml, Connections connections, HubSettings settings, TimeProvider clock)
    : IRequestHandler<AddSamlFederation, Result<AddedFederation>>
{
    private const int BatchSize = 100;

    public async Task<Result<AddedFederation>> Handle(AddSamlFederation request, CancellationToken cancellationToken)
    {
        if (request.Contract is not null && !DataContractJson.Read(request.Contract).TryGet(out _, out var no)) return no;
        using var document = new MemoryStream(Encoding.UTF8.GetBytes(request.Metadata));
        if (MetadataSigners.Fault(document, request.SignedBy) is { } unsigned) return unsigned;
        var options = new SpMetadataOptions { RequireHttps = !settings.IsDevelopment };
        var added = new List<AddedPartner>();
        var skipped = new List<SkippedEntity>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var pending = 0;
        foreach (var read in SpMetadataReader.Read(document, options, clock))
        {
            if (!read.IsSuccess)
            {
                // What was read before the break is good and stays; running it again continues there.
                await db.SaveChangesAsync(cancellationToken);
                connections.Forget();
                return Refusals.PartnerInvalid.With(new FieldError("metadata", read.Fault!.Detail));
            }
            var entry = read.Value;
            if (entry.ServiceProvider is not { } provider)
            {
                if (entry.HasServiceProviderRole) skipped.Add(new SkippedEntity(entry.EntityId, entry.SkipReason!));
                continue;
            }
            if (!seen.Add(provider.EntityId))
            {
                skipped.Add(new SkippedEntity(provider.EntityId, "The document names this entity twice; the first one was taken."));
                continue;
            }
            var (contract, json) = request.Contract is null ? (null, null) : await ContractOfAsync(provider, request.Contract, cancellationToken);
            if ((await saml.AddAsync(provider, contract, json, cancellationToken)).TryGet(out var one, out no)) added.Add(one);
            else skipped.Add(new SkippedEntity(provider.EntityId, no.Errors is [var first, ..] ? first.Message : no.Message));
            if (++pending % BatchSize == 0)
            {
                await db.SaveChangesAsync(cancellationToken);
                db.ChangeTracker.Clear();
            }
        }
        await db.SaveChangesAsync(cancellationToken);
        connections.Forget();
        return new AddedFederation(added, skipped);
    }

    // Everyone gets the contract under an id of its own: made of the host, and made different by the entity id where hosts are shared.
    private async Task<(DataContract Contract, string Json)> ContractOfAsync(ServiceProvider provider, string json, CancellationToken stop)
    {
        var known = (await connections.FindAsync(provider.EntityId, stop))?.Partner;
        var host = Uri.TryCreate(provider.DefaultAssertionConsumerService()?.Location, UriKind.Absolute, out var uri) ? uri.Host : "sp";
        var mark = Convert.ToHexStringLower(Token.Hash(provider.EntityId))[..8];
        var slug = Slug.Of(host);
        var id = known ?? $"{slug[..Math.Min(slug.Length, Lengths.PartnerId - 9)].TrimEnd('-')}-{mark}";
        var node = JsonNode.Parse(json)!.AsObject();
        node["partner"] = id;
        var own = node.ToJsonString(HubJson.Options);
        return (DataContractJson.Read(own).Value, own);
    }
}
