using System.Text;
using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Saml;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Adds service providers from an address and notes the address, so that the hub follows what changes there.</summary>
internal sealed class FollowMetadataHandler(FederationDb db, MetadataFetch fetch, IMediator mediator, TimeProvider clock)
    : IRequestHandler<FollowMetadata, Result<FollowedMetadata>>
{
    public async Task<Result<FollowedMetadata>> Handle(FollowMetadata request, CancellationToken cancellationToken)
    {
        if (request.IsQuery && request.EntityId is null) return Refusals.PartnerInvalid.With(new FieldError("entity_id", "A metadata query service is asked for one entity."));
        IReadOnlyList<TrustedKey>? signers = null;
        if (request.SignedBy is { } pem && !MetadataSigners.Read(pem).TryGet(out signers, out var no)) return no;
        var url = request.IsQuery ? MetadataFetch.QueryAddress(request.Url, request.EntityId!) : request.Url;
        if (!(await fetch.GetAsync(url, cancellationToken)).TryGet(out var fetched, out no)) return no;
        using (var document = new MemoryStream(fetched.Xml))
        {
            if (!MetadataHeader.Read(document).TryGet(out var header, out var fault)) return Refusals.PartnerInvalid.With(new FieldError("metadata", fault.Detail));
            if (header.ValidUntil <= clock.GetUtcNow()) return Refusals.PartnerInvalid.With(new FieldError("metadata", $"The document expired at {header.ValidUntil:u}."));
        }

        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(fetched.Xml.AsSpan().StartsWith("\uFEFF"u8) ? fetched.Xml.AsSpan(3) : fetched.Xml);
        }
        catch (ArgumentException)
        {
            return Refusals.PartnerInvalid.With(new FieldError("metadata", "The document is not UTF-8 text."));
        }
        AddedFederation federation;
        if (request.All)
        {
            if (!(await mediator.Send(new AddSamlFederation(text, request.Contract, request.SignedBy), cancellationToken)).TryGet(out federation!, out no)) return no;
        }
        else
        {
            if (!(await mediator.Send(new AddSamlPartner(text, request.EntityId, request.Contract, request.SignedBy), cancellationToken)).TryGet(out var one, out no)) return no;
            federation = new AddedFederation([one], []);
        }
        var source = await NoteAsync(request, url, signers, fetched, cancellationToken);
        await FollowAsync(source, federation.Added, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return new FollowedMetadata(source.Id, federation.Added, federation.Skipped);
    }

    private async Task<MetadataSource> NoteAsync(FollowMetadata request, string url, IReadOnlyList<TrustedKey>? signers, FetchedMetadata fetched, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var host = Slug.Of(new Uri(url).Host);
        var id = $"{host[..Math.Min(host.Length, 60)].TrimEnd('-')}-{Convert.ToHexStringLower(Token.Hash($"{url}\n{request.EntityId}"))[..8]}";
        var source = await db.Set<MetadataSource>().SingleOrDefaultAsync(s => s.Id == id, stop);
        if (source is null)
        {
            source = new MetadataSource { Id = id, Url = url, EntityId = request.EntityId, AddedAt = now };
            db.Add(source);
        }
        source.Signers = signers is null ? null : JsonSerializer.Serialize(signers, HubJson.Options);
        using var document = new MemoryStream(fetched.Xml);
        MetadataRefresh.Succeeded(source, MetadataHeader.Read(document).Value, fetched.ClockAhead, now);
        return source;
    }

    private async Task FollowAsync(MetadataSource source, IReadOnlyList<AddedPartner> added, CancellationToken stop)
    {
        var ids = added.Select(a => a.Connection).ToHashSet(StringComparer.Ordinal);
        var known = new Dictionary<string, FollowedEntity>(StringComparer.Ordinal);
        foreach (var some in ids.Chunk(500))
            foreach (var entity in await db.Set<FollowedEntity>().Where(e => some.Contains(e.Connection)).ToListAsync(stop)) known[entity.Connection] = entity;
        foreach (var id in ids)
        {
            if (!known.TryGetValue(id, out var entity))
            {
                entity = new FollowedEntity { Connection = id, Source = source.Id };
                db.Add(entity);
            }
            (entity.Source, entity.SeenAt, entity.Pending, entity.PendingAt) = (source.Id, clock.GetUtcNow(), null, null);
        }
    }
}
