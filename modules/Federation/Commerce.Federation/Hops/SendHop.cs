using System.Text.Json;
using Commerce.Kernel;
using Microsoft.AspNetCore.WebUtilities;

namespace Commerce.Federation.Hops;

/// <summary>Fixes what leaves, makes the one-time ticket, and says where the browser goes with it.</summary>
internal sealed class SendHop(HopRows rows, ReleaseValues releases, HubSettings settings, TimeProvider clock)
{
    /// <summary>Stores a new hop with its release and ticket, in one commit.</summary>
    /// <param name="hop">From <see cref="Begin"/>, stored nowhere yet.</param>
    /// <returns>Absolute URL at the partner, or a path of our own that leads there.</returns>
    public async Task<string> SendAsync(
        Hop hop, HopOccasion occasion, string? receipt, IReadOnlyList<KeyValuePair<string, JsonElement>> values, CancellationToken stop)
    {
        var (release, onward) = await MakeTicketAsync(hop, occasion, receipt, values, stop);
        await rows.AddAsync(hop, release, stop);
        return onward;
    }

    /// <summary>The same for a hop that was stored when its sheet was answered.</summary>
    /// <param name="db">Tracks the hop.</param>
    /// <param name="hop">The hop.</param>
    public async Task<string> SendAsync(
        FederationDb db, Hop hop, HopOccasion occasion, string? receipt, IReadOnlyList<KeyValuePair<string, JsonElement>> values, CancellationToken stop)
    {
        var (release, onward) = await MakeTicketAsync(hop, occasion, receipt, values, stop);
        db.Releases.Add(release);
        await db.SaveChangesAsync(stop);
        return onward;
    }

    private async Task<(Release Release, string Onward)> MakeTicketAsync(
        Hop hop, HopOccasion occasion, string? receipt, IReadOnlyList<KeyValuePair<string, JsonElement>> values, CancellationToken stop)
    {
        var release = await releases.FixAsync(occasion.Connection, hop.Customer, hop.Session, occasion.Purpose, receipt, hop, values, stop);
        var ticket = Token.New();
        (hop.Release, hop.TicketHash, hop.State, hop.ExpiresAt) = (release.Id, Token.Hash(ticket), HopState.Sent, clock.GetUtcNow() + Hop.TicketLifetime);
        return (release, Onward(occasion, ticket));
    }

    /// <summary>A hop that begins now. The caller stores it.</summary>
    /// <param name="sheet">The consent sheet that it answers, or null.</param>
    public Hop Begin(HopOccasion occasion, Guid session, Guid? sheet, HopState state)
    {
        var now = clock.GetUtcNow();
        return new Hop
        {
            Id = Guid.CreateVersion7(now),
            Offer = occasion.Offer.Id,
            Partner = occasion.Connection.Partner,
            Connection = occasion.Connection.Id,
            Customer = occasion.Customer,
            Session = session,
            OrderNumber = occasion.Purchase.OrderNumber,
            Sheet = sheet,
            State = state,
            CreatedAt = now,
            ExpiresAt = now + Hop.TicketLifetime,
        };
    }

    private string Onward(HopOccasion occasion, string ticket)
    {
        if (occasion.Connection.Oidc is { InitiateLoginUri: { } login })
        {
            // OpenID Connect Core §4: the partner starts an ordinary request of its own and hands the hint back to us.
            return QueryHelpers.AddQueryString(login, new Dictionary<string, string?>
            {
                ["iss"] = settings.PublicOrigin,
                ["login_hint"] = ticket,
                ["target_link_uri"] = occasion.Offer.TargetUrl,
            });
        }
        if (occasion.Connection.Saml?.RequestInitiatorUrl is { } initiator)
        {
            // Service Provider Request Initiation Protocol 1.0 §2.1; hop is ours.
            return QueryHelpers.AddQueryString(initiator, new Dictionary<string, string?>
            {
                ["entityID"] = settings.PublicOrigin + "/saml/metadata",
                ["target"] = occasion.Offer.TargetUrl,
                ["hop"] = ticket,
            });
        }
        return "/saml/hop?ticket=" + ticket;
    }
}
