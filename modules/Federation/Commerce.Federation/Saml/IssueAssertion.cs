using Commerce.Federation.Data;
using Commerce.Federation.Hops;
using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Kernel.Secrets;
using Commerce.Saml;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Saml;

/// <summary>What is about to leave: a release that passed the gate, and the hop it belongs to.</summary>
internal sealed record Leaving(Connection Connection, Release Release, WaitingHop? Hop)
{
    /// <summary>Format of the customer's name; one of <see cref="CustomerName.Formats"/>.</summary>
    public required string NameFormat { get; init; }
}

/// <summary>Makes the assertion of a release, and puts on record that it left.</summary>
internal sealed class IssueAssertion(FederationDb db, RedeemHop redeem, ReleasedClaims claims, CustomerName names, SubjectIdentifiers identifiers, SharedSecrets secrets, TimeProvider clock)
{
    /// <summary>Name, sign-in and attributes as the service provider receives them; null where the customer was erased, or has no name of the format.</summary>
    public async Task<AssertionContent?> ContentAsync(Leaving leaving, SignedInCustomer customer, CancellationToken stop)
    {
        if (await claims.ReadAsync(leaving.Release, asked: null, stop) is not { } values) return null;
        var entity = leaving.Connection.Id;
        var email = values.TryGetValue("email", out var address) ? address.GetString() : null;
        if (names.Of(leaving.NameFormat, customer.Id, customer.Session, leaving.Connection, email) is not { } name) return null;
        var attributes = new List<SamlAttribute>(values.Count + 1);
        foreach (var (claim, value) in values) attributes.Add(ClaimNames.ToAttribute(claim, value));
        if (identifiers.For(leaving.Connection, customer.Id) is { } identifier) attributes.Add(identifier);
        return new AssertionContent(
            name, customer.AuthenticatedAt, AcrLadder.SamlClassOf(customer.Acr),
            SamlParticipant.IndexOf(customer.Session, entity, secrets), attributes) { Encryption = leaving.Connection.Contract?.Saml.Encryption ?? default };
    }

    /// <summary>One commit: what may happen once is used up, the session's participant and the release are on record. Only then is the answer sent.</summary>
    /// <param name="consume">Uses up the caller's own one-time fact in the same transaction; false undoes all.</param>
    /// <returns>False where the hop or the caller's fact was used up meanwhile. Nothing is then kept.</returns>
    public async Task<bool> CommitAsync(Leaving leaving, SignedInCustomer customer, Func<Task<bool>>? consume, CancellationToken stop)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(stop);
        if (leaving.Hop is { } hop && !await redeem.TakeAsync(hop, stop)) return false;
        if (consume is not null && !await consume()) return false;
        await JoinAsync(leaving, customer, stop);
        ReleaseRecord.Add(db, leaving.Release, leaving.Connection, "saml", clock.GetUtcNow(), leaving.Hop?.Hop);
        await db.SaveChangesAsync(stop);
        await transaction.CommitAsync(stop);
        return true;
    }

    /// <summary>Notes that the service provider takes part in the browser session, so that a logout reaches it.</summary>
    private async Task JoinAsync(Leaving leaving, SignedInCustomer customer, CancellationToken stop)
    {
        var connection = leaving.Connection.Id;
        if (await db.Set<SamlParticipant>().AnyAsync(p => p.Session == customer.Session && p.Connection == connection, stop))
        {
            // Another name than the last time: a logout has to use the newest.
            if (leaving.NameFormat != NameIdFormats.Persistent)
            {
                await db.Set<SamlParticipant>().Where(p => p.Session == customer.Session && p.Connection == connection).ExecuteUpdateAsync(row => row
                    .SetProperty(p => p.NameFormat, leaving.NameFormat).SetProperty(p => p.Release, leaving.Release.Id), stop);
            }
            return;
        }
        var participant = db.Add(new SamlParticipant
        {
            Session = customer.Session,
            Connection = connection,
            Customer = customer.Id,
            SessionIndex = SamlParticipant.IndexOf(customer.Session, connection, secrets),
            FirstAt = clock.GetUtcNow(),
            NameFormat = leaving.NameFormat,
            Release = leaving.Release.Id,
        });
        try
        {
            await db.SaveChangesAsync(stop);
        }
        catch (DbUpdateException)
        {
            participant.State = EntityState.Detached;   // another answer in this session wrote it at the same moment; the save that follows decides the rest
        }
    }
}
