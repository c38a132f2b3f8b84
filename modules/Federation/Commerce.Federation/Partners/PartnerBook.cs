using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>What adding a partner has in common, whichever its protocol. Nothing is saved here: the use case saves all of it at once.</summary>
internal sealed class PartnerBook(FederationDb db, LookupHash hash, TimeProvider clock)
{
    /// <summary>The partner that the contract names, made where it is new; without a contract a new one, named after <paramref name="name"/>.</summary>
    /// <param name="fallback">What the id is made of where nothing of the name can stand in one, such as a host.</param>
    public async Task<Partner> PartnerAsync(DataContract? contract, string name, string fallback, CancellationToken stop)
    {
        if (contract is not null) return await FindAsync(contract.Partner, stop) ?? Add(contract.Partner, name);
        var stem = Slug.Of(name) is { Length: > 0 } slug ? slug : Slug.Of(fallback);
        if (stem.Length == 0) stem = "partner";
        for (var n = 1; ; n++)
        {
            var id = n == 1 ? stem : $"{stem[..Math.Min(stem.Length, Lengths.PartnerId - 6)].TrimEnd('-')}-{n}";
            if (await FindAsync(id, stop) is null) return Add(id, name);
        }
    }

    /// <summary>Puts the contract in force. The same contract once more changes nothing; another one needs a higher version.</summary>
    public async Task<Result<int>> ContractAsync(DataContract contract, string json, CancellationToken stop)
    {
        var current = db.Contracts.Local.Where(c => c.Partner == contract.Partner).OrderByDescending(c => c.Version).FirstOrDefault()
            ?? await db.Contracts.Where(c => c.Partner == contract.Partner).OrderByDescending(c => c.Version).FirstOrDefaultAsync(stop);
        if (current is not null && contract.Version == current.Version && Same(json, current.Json)) return current.Version;
        if (current is not null && contract.Version <= current.Version)
            return Refusals.ContractVersion.With(new FieldError("version", $"Version {current.Version} is in force: a changed contract has a higher one."));
        db.Contracts.Add(new DataContractRow { Partner = contract.Partner, Version = contract.Version, Json = json, AddedAt = clock.GetUtcNow() });
        return contract.Version;
    }

    /// <summary>A client of the API for a partner whose customers come by SAML: it posts bookings.</summary>
    /// <returns>Its id and its secret, which is stored hashed and shown this once.</returns>
    public (string Id, string Secret) AddApiClient(Partner partner)
    {
        var client = new OidcClient { ClientName = partner.Name, GrantTypes = ["client_credentials"], ResponseTypes = [], Scopes = [ApiScopes.WriteBookings] };
        var (id, secret) = ($"{partner.Id}-api-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", Token.New());
        AddConnection(id, partner, Protocol.Oidc, client.ClientName, client, null, secret);
        return (id, secret);
    }

    public ConnectionRow AddConnection<T>(string id, Partner partner, Protocol protocol, string name, T metadata, string? landing, string? secret)
    {
        var row = new ConnectionRow
        {
            Id = id,
            Partner = partner.Id,
            Protocol = protocol,
            Name = name,
            Metadata = JsonSerializer.Serialize(metadata, HubJson.Options),
            SecretHash = secret is null ? null : ClientSecret.Hash(hash, secret),
            LandingHost = landing,
            AddedAt = clock.GetUtcNow(),
        };
        db.Connections.Add(row);
        return row;
    }

    private async Task<Partner?> FindAsync(string id, CancellationToken stop) =>
        db.Partners.Local.FirstOrDefault(p => p.Id == id) ?? await db.Partners.SingleOrDefaultAsync(p => p.Id == id, stop);

    private Partner Add(string id, string name)
    {
        var partner = new Partner { Id = id, Name = name.Length <= Lengths.Name ? name : name[..Lengths.Name], AddedAt = clock.GetUtcNow() };
        db.Partners.Add(partner);
        return partner;
    }

    private static bool Same(string one, string other)
    {
        using var first = JsonDocument.Parse(one);
        using var second = JsonDocument.Parse(other);
        return JsonElement.DeepEquals(first.RootElement, second.RootElement);
    }
}
