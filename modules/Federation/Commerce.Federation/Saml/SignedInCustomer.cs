using System.Security.Claims;
using Commerce.Kernel;

namespace Commerce.Federation.Saml;

/// <summary>Who sits at the browser, as its session cookie says.</summary>
/// <param name="AuthenticatedAt">Last proof of identity; whole seconds.</param>
/// <param name="Acr">How sure that makes the hub: see <see cref="AcrLadder"/>.</param>
internal sealed record SignedInCustomer(Guid Id, Guid Session, DateTimeOffset AuthenticatedAt, string? Acr)
{
    /// <returns>Null where nobody is signed in.</returns>
    public static SignedInCustomer? Of(ClaimsPrincipal user) =>
        user.CustomerId() is { } customer && user.SessionId() is { } session && user.AuthenticatedAt() is { } at
            ? new SignedInCustomer(customer, session, at, user.Acr()) : null;
}
