using System.Text;
using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Saml;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Registers one SAML service provider from its metadata. The same entity once more takes the new metadata in.</summary>
internal sealed class AddSamlPartnerHandler(FederationDb db, SamlPartnerBook saml, Connections connections, HubSettings settings, TimeProvider clock)
    : IRequestHandler<AddSamlPartner, Result<AddedPartner>>
{
    public async Task<Result<AddedPartner>> Handle(AddSamlPartner request, CancellationToken cancellationToken)
    {
        DataContract? contract = null;
        if (request.Contract is not null && !DataContractJson.Read(request.Contract).TryGet(out contract, out var no)) return no;
        using var document = new MemoryStream(Encoding.UTF8.GetBytes(request.Metadata));
        if (MetadataSigners.Fault(document, request.SignedBy) is { } unsigned) return unsigned;
        var options = new SpMetadataOptions { RequireHttps = !settings.IsDevelopment, EntityId = request.EntityId };
        if (!Pick(document, options).TryGet(out var provider, out no)) return no;

        if (!(await saml.AddAsync(provider, contract, request.Contract, cancellationToken)).TryGet(out var added, out no)) return no;
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            return Refusals.ConnectionExists;   // added by somebody else at the same moment
        }
        connections.Forget();
        return added;
    }

    private Result<ServiceProvider> Pick(Stream document, SpMetadataOptions options)
    {
        ServiceProvider? found = null;
        string? skipped = null;
        foreach (var read in SpMetadataReader.Read(document, options, clock))
        {
            if (!read.IsSuccess) return No(read.Fault!.Detail);
            if (read.Value.ServiceProvider is not { } provider)
            {
                skipped ??= read.Value.SkipReason;
                continue;
            }
            if (found is not null) return No("The document holds several service providers: name one, or add all.");
            found = provider;
        }
        return found is not null ? found : No(skipped ?? "The document holds no such service provider.");
    }

    private static Refusal No(string reason) => Refusals.PartnerInvalid.With(new FieldError("metadata", reason));
}

/// <summary>Takes one service provider into the database, without saving.</summary>
internal sealed class SamlPartnerBook(FederationDb db, PartnerBook book)
{
    public async Task<Result<AddedPartner>> AddAsync(ServiceProvider provider, DataContract? contract, string? contractJson, CancellationToken stop)
    {
        var notes = provider.Warnings.ToList();
        if (Fault(provider) is { } fault) return Refusals.PartnerInvalid.With(new FieldError("metadata", fault));
        var landing = LandingHost(provider);
        var name = NameOf(provider, landing);

        var known = await db.Connections.SingleOrDefaultAsync(c => c.Id == provider.EntityId, stop);
        if (known is { Protocol: not Protocol.Saml }) return Refusals.ConnectionExists;
        if (known is not null && contract is not null && contract.Partner != known.Partner)
            return Refusals.PartnerInvalid.With(new FieldError("partner", $"This entity belongs to the partner {known.Partner}."));

        Partner partner;
        if (known is not null)
        {
            partner = await db.Partners.SingleAsync(p => p.Id == known.Partner, stop);
            Replace(known, provider);
            notes.Insert(0, "The entity was known; its metadata has been replaced.");
        }
        else
        {
            partner = await book.PartnerAsync(contract, name, landing, stop);
            book.AddConnection(provider.EntityId, partner, Protocol.Saml, name, provider, landing, null);
        }
        if (contract is not null && !(await book.ContractAsync(contract, contractJson!, stop)).TryGet(out _, out var no)) return no;

        // A partner that books for its customers needs credentials for it; one that is only signed in to does not.
        string? apiId = null, apiSecret = null;
        if (contract is not null && known is null) (apiId, apiSecret) = book.AddApiClient(partner);
        if (contract is null && known is null) notes.Add("Without a data contract the partner receives the name identifier and nothing else.");
        return new AddedPartner(partner.Id, provider.EntityId, "saml", null, null, apiId, apiSecret, notes);
    }

    /// <summary>The connection goes by its new metadata.</summary>
    public static void Replace(ConnectionRow row, ServiceProvider provider)
    {
        row.LandingHost = LandingHost(provider);
        row.Name = NameOf(provider, row.LandingHost);
        row.Metadata = JsonSerializer.Serialize(provider, HubJson.Options);
    }

    /// <summary>What the hub's own columns and pages cannot carry, as a sentence; null where all fits.</summary>
    public static string? Fault(ServiceProvider provider) =>
        provider.EntityId.Length > Lengths.Connection ? $"The entity id is longer than {Lengths.Connection} characters."
        : provider.DefaultAssertionConsumerService() is null ? "There is no assertion consumer service over HTTP-POST."
        : null;

    private static string LandingHost(ServiceProvider provider)
    {
        var acs = provider.DefaultAssertionConsumerService()!.Location;
        return Uri.TryCreate(acs, UriKind.Absolute, out var uri) && uri.Host.Length <= Lengths.Host ? uri.Host : provider.EntityId[..Math.Min(provider.EntityId.Length, Lengths.Host)];
    }

    private static string NameOf(ServiceProvider provider, string fallback)
    {
        var name = provider.DisplayNames.TryGetValue("en", out var english) ? english : provider.DisplayNames.Values.FirstOrDefault() ?? fallback;
        name = new string([.. name.Where(c => !char.IsControl(c))]).Trim();
        return name.Length == 0 ? fallback : name.Length <= Lengths.Name ? name : name[..Lengths.Name];
    }
}
