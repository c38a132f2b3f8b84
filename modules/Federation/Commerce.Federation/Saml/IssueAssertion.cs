using Commerce.Federation.Hops;
using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Kernel.Secrets;
using Commerce.Saml;

namespace Commerce.Federation.Saml;

/// <summary>What is about to leave: a release that passed the gate, and the hop it belongs to.</summary>
internal sealed record Leaving(Connection Connection, Release Release, WaitingHop? Hop)
{
    /// <summary>The release is stored nowhere yet.</summary>
    public bool IsNew { get; init; }

    /// <summary>Format of the customer's name; one of <see cref="CustomerName.Formats"/>.</summary>
    public required string NameFormat { get; init; }
}

/// <summary>Makes the assertion of a release, and puts on record that it left.</summary>
internal sealed class IssueAssertion(ResponseRows rows, ReleasedClaims claims, CustomerName names, SubjectIdentifiers identifiers, SharedSecrets secrets, TimeProvider clock)
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
            SamlParticipant.IndexOf(customer.Session, entity, secrets), attributes)
        {
            Encryption = leaving.Connection.Contract?.Saml.Encryption ?? default,
            IsSigned = leaving.Connection.Contract?.Saml.SignAssertion ?? false,
        };
    }

    /// <summary>One commit: what may happen once is used up, the session's participant and the release are on record. Only then is the answer sent.</summary>
    /// <param name="sessionIndex">As the assertion says it.</param>
    /// <param name="request">Null for a response nobody asked for.</param>
    /// <returns>False where the hop or the request was used up meanwhile. Nothing is then kept.</returns>
    public Task<bool> CommitAsync(Leaving leaving, SignedInCustomer customer, string sessionIndex, RequestUse? request, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var participant = new SamlParticipant
        {
            Session = customer.Session,
            Connection = leaving.Connection.Id,
            Customer = customer.Id,
            SessionIndex = sessionIndex,
            FirstAt = now,
            NameFormat = leaving.NameFormat,
            Release = leaving.Release.Id,
        };
        return rows.RecordAsync(leaving, participant, request, ReleaseRecord.Of(leaving.Release, leaving.Connection, now, leaving.Hop?.Hop.OrderNumber), now, stop);
    }
}
