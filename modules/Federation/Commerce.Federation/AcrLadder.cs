using Commerce.Kernel;
using Commerce.Saml;

namespace Commerce.Federation;

/// <summary>How sure the hub is of a customer, weakest first, under the names of both protocols: one ladder, so that neither says more than the other.</summary>
/// <remarks>OpenID Connect Core §2 (acr); SAML Core 3.3.2.2.1, whose comparisons climb it.</remarks>
internal static class AcrLadder
{
    private static readonly (string Acr, string SamlClass)[] Rungs =
    [
        (HubAcr.Password, AuthnContextClasses.PasswordProtectedTransport),
    ];

    /// <summary>Every <c>acr</c> that an ID token can state.</summary>
    public static IReadOnlyList<string> Acrs { get; } = [.. Rungs.Select(rung => rung.Acr)];

    /// <summary>The context classes that an assertion can truthfully state.</summary>
    public static IReadOnlyList<string> SamlClasses { get; } = [.. Rungs.Select(rung => rung.SamlClass)];

    /// <summary>The context class of a session; unspecified where the ladder does not know its rung.</summary>
    public static string SamlClassOf(string? acr) =>
        Array.Find(Rungs, rung => rung.Acr == acr) is { SamlClass: { } known } ? known : AuthnContextClasses.Unspecified;
}
