using System.Buffers.Text;
using System.Text.Json;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Profiles.Contracts;
using Commerce.Purchases.Contracts;
using MediatR;

namespace Commerce.Federation.Releases;

/// <summary>Gathers the values that a decision lets leave, and fixes them as a <see cref="Release"/>.</summary>
internal sealed class ReleaseValues(IMediator mediator, PersonalData personal, LookupHash hash, TimeProvider clock)
{
    /// <summary>Purpose under which the values are sealed.</summary>
    public const string Use = "federation.release.values";

    /// <param name="names">Claim names; nothing else is asked for.</param>
    /// <param name="purchase">The hop's order; null without a hop.</param>
    /// <param name="lines">Line numbers of it that may leave.</param>
    /// <returns>In the order of <paramref name="names"/>; names without a value are absent.</returns>
    public async Task<IReadOnlyList<KeyValuePair<string, JsonElement>>> GatherAsync(
        Guid customer, IReadOnlyList<string> names, Purchase? purchase, IReadOnlyList<int> lines, CancellationToken stop)
    {
        // The order's own vehicle is what the hop is about; the profile's stands in where the order names none.
        var ofProfile = names.Where(name => name != ClaimCatalogue.Purchase && !(name == ClaimCatalogue.Vehicle && purchase?.Vehicle is not null)).ToList();
        var profile = ofProfile.Count == 0 ? new Dictionary<string, JsonElement>() : await mediator.Send(new ProfileValues(customer, ofProfile), stop);
        var values = new List<KeyValuePair<string, JsonElement>>(names.Count);
        foreach (var name in names)
        {
            JsonElement? value = name switch
            {
                ClaimCatalogue.Purchase => purchase is null ? null : PurchaseClaim.Of(purchase, lines),
                ClaimCatalogue.Vehicle when purchase is null => null,
                ClaimCatalogue.Vehicle when purchase.Vehicle is { } vehicle => JsonSerializer.SerializeToElement(vehicle, HubJson.Options),
                _ => profile.TryGetValue(name, out var known) ? known : null,
            };
            if (value is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } some) values.Add(new(name, some));
        }
        return values;
    }

    /// <summary>Keyed hash of values, base64url, 43 characters: says later whether two sets are the same, without holding either.</summary>
    public string HashOf(IEnumerable<KeyValuePair<string, JsonElement>> values)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in values.OrderBy(v => v.Key, StringComparer.Ordinal))
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        return Base64Url.EncodeToString(hash.Of("release-values", System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length)));
    }

    /// <summary>Fixes and seals the values. The caller adds the release to the database and saves.</summary>
    /// <param name="purpose">Null where the connection has no contract: then <paramref name="values"/> is empty.</param>
    public async Task<Release> FixAsync(
        Connection connection, Guid customer, Guid session, ContractPurpose? purpose, string? receipt, Hop? hop,
        IReadOnlyList<KeyValuePair<string, JsonElement>> values, CancellationToken stop)
    {
        var leaving = values.ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        if (receipt is not null) leaving[ClaimCatalogue.ConsentReceipt] = JsonSerializer.SerializeToElement(receipt);
        if (hop is not null) leaving[ClaimCatalogue.Hop] = JsonSerializer.SerializeToElement(new HopClaim(hop.Id, hop.Offer), HubJson.Options);
        var plain = JsonSerializer.SerializeToUtf8Bytes(leaving, HubJson.Options);
        var held = new FixedValues(
            string.Join(' ', values.Select(v => v.Key)), await personal.ProtectAsync(customer, Use, plain, stop),
            JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(plain, HubJson.Options)!, HashOf(leaving));
        return Again(connection, customer, session, purpose, receipt, held, hop);
    }

    /// <summary>A release of values that are fixed and sealed already.</summary>
    public Release Again(
        Connection connection, Guid customer, Guid session, ContractPurpose? purpose, string? receipt, FixedValues values, Hop? hop = null)
    {
        var now = clock.GetUtcNow();
        return new Release
        {
            Id = Guid.CreateVersion7(now),
            Customer = customer,
            Session = session,
            Partner = connection.Partner,
            Connection = connection.Id,
            Purpose = purpose?.Id ?? "",
            ContractVersion = connection.Contract?.Version ?? 0,
            Receipt = receipt,
            Hop = hop?.Id,
            ClaimNames = values.ClaimNames,
            Values = values.Sealed,
            Opened = values.Opened,
            ValuesHash = values.Hash,
            CreatedAt = now,
        };
    }

    private sealed record HopClaim(Guid Id, string Offer);
}
