using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Adds a second live secret. Both count until the older one is retired, so a partner changes over without an outage.</summary>
internal sealed class AddClientSecretHandler(FederationDb db, Connections connections, LookupHash hash) : IRequestHandler<AddClientSecret, Result<AddedSecret>>
{
    public async Task<Result<AddedSecret>> Handle(AddClientSecret request, CancellationToken cancellationToken)
    {
        if (await connections.FindAsync(request.ClientId, cancellationToken) is not { Oidc: { } client }) return Refusals.UnknownClient;
        if (!ClientAuthenticationMethods.TakesSecret(client.TokenEndpointAuthMethod)) return Refusals.NoSecretClient;
        var secret = Token.New();
        var hashed = ClientSecret.Hash(hash, secret);
        // One conditional update: of two operators at the same moment, one adds.
        var added = await db.Connections.Where(c => c.Id == request.ClientId && c.NextSecretHash == null)
            .ExecuteUpdateAsync(row => row.SetProperty(c => c.NextSecretHash, hashed), cancellationToken);
        connections.Forget();
        return added == 1 ? new AddedSecret(request.ClientId, secret) : Refusals.TwoSecrets;
    }
}

/// <summary>Retires the older of two live secrets. The last one cannot be retired: remove or switch off the partner for that.</summary>
internal sealed class RetireClientSecretHandler(FederationDb db, Connections connections) : IRequestHandler<RetireClientSecret, Result<bool>>
{
    public async Task<Result<bool>> Handle(RetireClientSecret request, CancellationToken cancellationToken)
    {
        if (await connections.FindAsync(request.ClientId, cancellationToken) is not { Oidc: { } client }) return Refusals.UnknownClient;
        if (!ClientAuthenticationMethods.TakesSecret(client.TokenEndpointAuthMethod)) return Refusals.NoSecretClient;
        var retired = await db.Connections.Where(c => c.Id == request.ClientId && c.NextSecretHash != null)
            .ExecuteUpdateAsync(row => row.SetProperty(c => c.SecretHash, c => c.NextSecretHash).SetProperty(c => c.NextSecretHash, (byte[]?)null), cancellationToken);
        connections.Forget();
        return retired == 1 ? true : Refusals.OneSecret;
    }
}
