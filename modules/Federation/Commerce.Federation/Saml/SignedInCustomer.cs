using System.Security.Claims;
using Commerce.Kernel;

namespace Commerce.Federation.Saml;

/// <summary>Who sits at the browser, as its session cookie says.</summary>
/// <param name="AuthenticatedAt">Last proof of identity; whole seconds.</param>
/// <param name="Amr">How (RFC 8176).</param>
internal sealed record SignedInCustomer(Guid Id, Guid Session, DateTimeOffset AuthenticatedAt, IReadOnlyList<string> Amr)
{
    /// <returns>Null where nobody is signed in.</returns>
    public static SignedInCustomer? Of(ClaimsPrincipal user) =>
        user.CustomerId() is { } customer && user.SessionId() is { } session && user.AuthenticatedAt() is { } at
            ? new SignedInCustomer(customer, session, at, user.Amr()) : null;
}
