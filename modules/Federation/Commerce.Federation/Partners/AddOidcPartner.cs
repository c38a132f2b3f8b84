using System.Security.Cryptography;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Registers an OIDC client, and its partner where that is new.</summary>
internal sealed class AddOidcPartnerHandler(
    FederationDb db, PartnerBook book, SectorIdentifier sectors, Connections connections, HubSettings settings) : IRequestHandler<AddOidcPartner, Result<AddedPartner>>
{
    public async Task<Result<AddedPartner>> Handle(AddOidcPartner request, CancellationToken cancellationToken)
    {
        if (!OidcClientJson.Read(request.ClientMetadata, settings.IsDevelopment).TryGet(out var client, out var no)) return no;
        DataContract? contract = null;
        if (request.Contract is not null && !DataContractJson.Read(request.Contract).TryGet(out contract, out no)) return no;
        if (await sectors.FaultAsync(client, cancellationToken) is { } fault)
            return Refusals.PartnerInvalid.With(new FieldError("sector_identifier_uri", fault));

        var id = request.ClientId ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        if (id.Length is 0 or > 64 || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            return Refusals.PartnerInvalid.With(new FieldError("client_id", "1 to 64 letters, digits, dashes, underscores and points are expected."));
        if (await db.Connections.AnyAsync(c => c.Id == id, cancellationToken)) return Refusals.ConnectionExists;

        var partner = await book.PartnerAsync(contract, client.ClientName, id, cancellationToken);
        if (contract is not null && !(await book.ContractAsync(contract, request.Contract!, cancellationToken)).TryGet(out _, out no)) return no;
        var secret = client.UsesSecret ? Token.New() : null;
        book.AddConnection(id, partner, Protocol.Oidc, client.ClientName, client, client.LandingHost, secret);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            return Refusals.ConnectionExists;   // added by somebody else at the same moment
        }
        connections.Forget();
        return new AddedPartner(partner.Id, id, "oidc", id, secret, null, null, [.. Notes(client, contract)]);
    }

    private static IEnumerable<string> Notes(OidcClient client, DataContract? contract)
    {
        if (!client.MayUse("authorization_code")) yield break;
        if (contract is null) yield return "Without a data contract the partner receives the subject identifier and nothing else.";
        if (client.InitiateLoginUri is null) yield return "Without initiate_login_uri no hop can lead here; customers can sign in from the partner's own page.";
        if (client.LogoUri is not null) yield return "The logo is kept but not shown: the hub's pages load nothing from other hosts.";
    }
}
