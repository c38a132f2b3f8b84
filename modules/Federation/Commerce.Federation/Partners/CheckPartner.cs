using System.Globalization;
using Commerce.Federation.Contracts;
using Commerce.Federation.Logout;
using Commerce.Federation.Saml;
using Commerce.Kernel;
using Commerce.Saml;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>Reads a partner's registration back to the operator in sentences, with what is wrong or soon will be.</summary>
internal sealed class CheckPartnerHandler(FederationDb db, Connections connections, SamlIdentity identity, HubSettings settings, TimeProvider clock)
    : IRequestHandler<CheckPartner, Result<PartnerReport>>
{
    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(3);

    public async Task<Result<PartnerReport>> Handle(CheckPartner request, CancellationToken cancellationToken)
    {
        if (await db.Partners.AsNoTracking().SingleOrDefaultAsync(p => p.Id == request.Partner, cancellationToken) is not { } partner) return Refusals.UnknownPartner;
        var findings = new List<PartnerFinding>
        {
            partner.IsActive ? Ok(partner.Id, $"{partner.Name} is switched on.") : Bad(partner.Id, $"{partner.Name} is switched off: nothing reaches it."),
        };
        var ids = await db.Connections.AsNoTracking().Where(c => c.Partner == partner.Id).OrderBy(c => c.AddedAt).Select(c => c.Id).ToListAsync(cancellationToken);
        if (ids.Count == 0) findings.Add(Bad(partner.Id, "There is no connection, so no customer can be sent there."));
        var takes = new List<Connection>();
        DataContract? contract = null;
        foreach (var id in ids)
        {
            if (await connections.FindAsync(id, cancellationToken) is not { } connection) continue;
            contract ??= connection.Contract;
            if (connection.TakesCustomers) takes.Add(connection);
            findings.AddRange(connection.Saml is { } saml ? Saml(id, saml) : Oidc(id, connection.Oidc!));
            if (connection.NextSecretHash is not null) findings.Add(Warn(id, "Two client secrets are live. Retire the older one when the partner has changed over."));
        }
        findings.AddRange(await FeedsAsync(ids, cancellationToken));
        findings.AddRange(await LogoutsAsync(ids, cancellationToken));
        findings.AddRange(Contract(partner.Id, contract));
        foreach (var row in await db.Offers.AsNoTracking().Where(o => o.Partner == partner.Id).OrderBy(o => o.Id).ToListAsync(cancellationToken))
        {
            if (!OfferJson.Read(row.Json, settings.IsDevelopment).TryGet(out var offer, out var no))
                findings.Add(Bad(row.Id, $"The offer can no longer be read: {no.Errors?[0].Message ?? no.Message}"));
            else findings.AddRange(Offer(offer, contract, takes));
        }
        return new PartnerReport(partner.Id, findings.All(f => f.Level != "error"), findings);
    }

    /// <summary>Where the SAML metadata comes from, how the last look there went, and whether the publisher's clock agrees with ours.</summary>
    private async Task<IReadOnlyList<PartnerFinding>> FeedsAsync(List<string> connections, CancellationToken stop)
    {
        var feeds = await (from entity in db.Set<FollowedEntity>().AsNoTracking() join source in db.Set<MetadataSource>().AsNoTracking() on entity.Source equals source.Id
                           where connections.Contains(entity.Connection) orderby entity.Connection select new { Entity = entity, Source = source }).ToListAsync(stop);
        var findings = new List<PartnerFinding>();
        foreach (var (entity, source) in feeds.Select(feed => (feed.Entity, feed.Source)))
        {
            findings.Add(source.Failures > 0
                ? Warn(entity.Connection, $"Its metadata at {source.Url} failed {source.Failures} times in a row; next try {Minute(source.NextAt)}. {source.Problem}")
                : Ok(entity.Connection, $"Its metadata is followed at {source.Url}{(source.Signers is null ? " without a signature" : ", signed")}; read {Minute(source.FetchedAt)}, next {Minute(source.NextAt)}."));
            if (source.FetchedAt - entity.SeenAt > TimeSpan.FromMinutes(1)) findings.Add(Warn(entity.Connection, $"The feed has not held it since {Minute(entity.SeenAt)}."));
            if (entity.PendingAt is { } since) findings.Add(Warn(entity.Connection, $"A change of an endpoint or a key waits for approval since {Minute(since)}: partner metadata diff {entity.Connection}"));
            if (source.ClockAhead is { } ahead)
                findings.Add(Math.Abs(ahead) > ClockTolerance.TotalSeconds / 2
                    ? Warn(entity.Connection, $"The clock of the server that publishes its metadata is {Math.Abs(ahead)} seconds {(ahead > 0 ? "ahead of" : "behind")} ours; messages are refused from {ClockTolerance.TotalSeconds} seconds on.")
                    : Ok(entity.Connection, $"The clock of the server that publishes its metadata agrees with ours within {Math.Abs(ahead) + 1} seconds."));
        }
        return findings;
    }

    /// <summary>How the last thirty days' sign-outs reached the partner's clients.</summary>
    private async Task<IReadOnlyList<PartnerFinding>> LogoutsAsync(List<string> connections, CancellationToken stop)
    {
        var counts = await db.Set<LogoutDelivery>().AsNoTracking().Where(d => connections.Contains(d.Connection))
            .GroupBy(d => new { d.Connection, d.State }).Select(g => new { g.Key.Connection, g.Key.State, Count = g.Count() }).ToListAsync(stop);
        return [.. counts.OrderBy(c => c.Connection, StringComparer.Ordinal).ThenBy(c => c.State).Select(c => c.State switch
        {
            DeliveryState.Waiting => Warn(c.Connection, $"{c.Count} sign-outs wait to be told; the address does not answer or was tried a moment ago."),
            DeliveryState.Delivered => Ok(c.Connection, $"{c.Count} sign-outs were told."),
            DeliveryState.Refused => Warn(c.Connection, $"{c.Count} sign-outs were told and refused with a 4xx answer."),
            DeliveryState.Dead => Bad(c.Connection, $"{c.Count} sign-outs could not be told within a day and were given up."),
            _ => Ok(c.Connection, $"{c.Count} sign-outs were not told, because it was switched off or takes none."),
        })];
    }

    private static IEnumerable<PartnerFinding> Oidc(string id, OidcClient client)
    {
        yield return Ok(id, $"OIDC client \"{client.ClientName}\" with {string.Join(", ", client.GrantTypes)}, which proves itself by {client.TokenEndpointAuthMethod}.");
        if (client.Profile is { } profile) yield return Ok(id, $"It is held to the profile {profile}.");
        if (client.JwksUri is { } keys) yield return Ok(id, $"Its keys are read from {keys}.");
        if (client.Scopes.Contains(ApiScopes.WriteOrders)) yield return Ok(id, "It may post orders.");
        if (client.Scopes.Contains(ApiScopes.WriteBookings)) yield return Ok(id, "It may post bookings.");
        if (!client.MayUse("authorization_code")) yield break;
        foreach (var uri in client.RedirectUris) yield return Ok(id, $"Answers go to {uri}.");
        yield return client.InitiateLoginUri is { } start
            ? Ok(id, $"Hops begin at {start}.") : Warn(id, "Without initiate_login_uri no hop can lead here.");
        yield return client.BackchannelLogoutUri is { } logout
            ? Ok(id, $"It is told of sign-outs at {logout}.") : Warn(id, "Without backchannel_logout_uri it is not told when a customer signs out.");
    }

    private IEnumerable<PartnerFinding> Saml(string id, ServiceProvider provider)
    {
        var now = clock.GetUtcNow();
        foreach (var acs in provider.AssertionConsumerServices.Where(a => a.Binding == SamlBindings.HttpPost)) yield return Ok(id, $"Assertions go to {acs.Location}.");
        yield return provider.RequestInitiatorUrl is { } start
            ? Ok(id, $"Hops begin at {start}.") : Ok(id, "It names no request initiator: hops arrive as unsolicited responses.");
        if (provider.ValidUntil is { } until)
        {
            if (until <= now) yield return Bad(id, $"The metadata was valid until {Day(until)}. Fetch it again and add it once more.");
            else if (until <= now + Soon) yield return Warn(id, $"The metadata is valid until {Day(until)} only.");
            else yield return Ok(id, $"The metadata is valid until {Day(until)}.");
        }
        if (provider.SigningKeys.Count == 0) yield return Warn(id, "It has no usable signing key, so its requests and logouts cannot be verified.");
        yield return provider.AuthnRequestsSigned ? Ok(id, "Its requests must be signed.") : Ok(id, "Its requests may come unsigned; a signature that is there must hold.");
        if (provider.SigningMethods.Count > 0)
        {
            var used = identity.Provider.SignsWith(provider);
            var name = used[(used.IndexOf('#', StringComparison.Ordinal) + 1)..];
            yield return provider.SigningMethods.Contains(used) ? Ok(id, $"What is sent to it is signed with {name}, which its metadata lists.")
                : Warn(id, $"Its metadata lists no signature algorithm that the hub signs with, so it gets {name}.{(provider.SigningMethods.Any(IsCurve) ? " It takes ECDSA: set Saml:EllipticCurveKey to true." : "")}");
        }
        foreach (var service in provider.SingleLogoutServices) yield return Ok(id, $"It takes logouts at {service.Location} ({service.Binding[(service.Binding.LastIndexOf(':') + 1)..]}).");
        foreach (var (key, use) in provider.SigningKeys.Select(key => (key, "signing")).Concat(provider.EncryptionKeys.Except(provider.SigningKeys).Select(key => (key, "encryption"))))
        {
            var print = $"The {use} key {key.Fingerprint[..16]}…";
            if (MetadataExpiry.NotAfter(key) is not { } end) yield return Ok(id, $"{print} is pinned without a certificate.");
            else if (end <= now) yield return Warn(id, $"{print}: its certificate's date ended on {Day(end)}. The key stays trusted, because the metadata names it.");
            else if (MetadataExpiry.Threshold((int)(end - now).TotalDays) is { } threshold)
                yield return Warn(id, $"{print}: its certificate ends on {Day(end)}, in less than {threshold} days. Ask the partner for its next one.");
            else yield return Ok(id, $"{print} is pinned; its certificate ends on {Day(end)}.");
        }
        foreach (var warning in provider.Warnings) yield return Warn(id, warning);
    }

    private static bool IsCurve(string method) => method.Contains("#ecdsa-", StringComparison.Ordinal);

    private static IEnumerable<PartnerFinding> Contract(string partner, DataContract? contract)
    {
        if (contract is null)
        {
            yield return Warn(partner, "There is no data contract: it receives the subject identifier and nothing else.");
            yield break;
        }
        foreach (var purpose in contract.Purposes)
        {
            yield return Ok(partner, $"Contract version {contract.Version}, purpose {purpose.Id} ({purpose.LegalBasis}, kept {purpose.RetentionDays} days): "
                + string.Join(", ", purpose.Claims.Select(c => c.Required ? $"{c.Name} (required)" : c.Name)) + ".");
        }
    }

    private static IEnumerable<PartnerFinding> Offer(Offer offer, DataContract? contract, IReadOnlyList<Connection> connections)
    {
        if (contract?.Purpose(offer.Purpose) is null) yield return Bad(offer.Id, $"The data contract in force has no purpose {offer.Purpose}: the offer is not shown.");
        if (OfferBook.Choose(offer, connections) is not { } connection)
        {
            yield return Bad(offer.Id, "No connection of the partner can take a hop: the offer is not shown.");
            yield break;
        }
        yield return Ok(offer.Id, $"For {offer.When.Category} it leads to {offer.TargetUrl} by {connection.Protocol.Word()}.");
        if (connection.LandingHost is { } host && new Uri(offer.TargetUrl).Host != host)
            yield return Warn(offer.Id, $"The target is on {new Uri(offer.TargetUrl).Host}, but details are delivered to {host}. The consent sheet names both.");
    }

    private static string Minute(DateTimeOffset? at) => at?.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture) ?? "never";
    private static string Day(DateTimeOffset at) => at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    private static PartnerFinding Ok(string subject, string message) => new("ok", subject, message);
    private static PartnerFinding Warn(string subject, string message) => new("warning", subject, message);
    private static PartnerFinding Bad(string subject, string message) => new("error", subject, message);
}
