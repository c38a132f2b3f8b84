using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Kernel.Secrets;
using Commerce.Saml;

namespace Commerce.Federation.Saml;

/// <summary>The name under which a service provider knows a customer.</summary>
/// <remarks>SAML Core 8.3.2 (e-mail address), 8.3.7 (persistent), 8.3.8 (transient).</remarks>
internal sealed class CustomerName(SamlIdentity identity, SharedSecrets secrets)
{
    /// <summary>The formats that are issued. Which of them a service provider gets, <see cref="FormatFor"/> says.</summary>
    public static readonly IReadOnlyList<string> Formats = [NameIdFormats.Persistent, NameIdFormats.Transient, NameIdFormats.EmailAddress];

    /// <param name="asked">Of the NameIDPolicy; null where the choice is left to us, as it is without a request.</param>
    /// <returns>Null where what was asked for may not be given: the e-mail address without a data contract that says so.</returns>
    public static string? FormatFor(string? asked, Connection connection)
    {
        var agreed = (connection.Contract?.Saml ?? SamlTerms.Default).NameId;
        if (asked is not null) return asked == NameIdFormats.EmailAddress && agreed != NameIdFormats.EmailAddress ? null : asked;
        if (agreed != NameIdFormats.Persistent || connection.Saml is not { NameIdFormats: { Count: > 0 } listed }) return agreed;
        return listed.Contains(NameIdFormats.Transient) && !listed.Contains(NameIdFormats.Persistent) ? NameIdFormats.Transient : agreed;
    }

    /// <param name="email">Only needed for the e-mail address.</param>
    /// <returns>Null where it is to be the e-mail address and there is none to be given.</returns>
    public NameId? Of(string format, Guid customer, Guid session, Connection connection, string? email) => format switch
    {
        NameIdFormats.EmailAddress => string.IsNullOrEmpty(email) ? null : new NameId(email, format),

        // One for each browser session and service provider: it joins nothing, and a logout finds its session by it.
        NameIdFormats.Transient => new NameId(
            "_" + PairwiseSubject.For($"transient\n{session:N}\n{connection.Sector}", customer, secrets.HashBy(PairwiseSubject.Salt)),
            format, identity.EntityId, connection.Id),
        _ => NameId.Persistent(PairwiseSubject.For(connection.Sector, customer, secrets.HashBy(PairwiseSubject.Salt)), identity.EntityId, connection.Id),
    };
}
