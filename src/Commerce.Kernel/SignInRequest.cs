using Commerce.Kernel.Secrets;

namespace Commerce.Kernel;

/// <summary>What the sign-in page needs to know about why it was opened. Travels sealed, so no page can be made to lead elsewhere.</summary>
/// <param name="ReturnPath">Path and query on the hub itself, beginning with a single slash.</param>
public sealed record SignInRequest(string ReturnPath)
{
    /// <summary>The customer must prove who they are again, although a session lives (prompt=login, max_age, ForceAuthn).</summary>
    public bool Again { get; init; }

    /// <summary>E-mail address to fill in, from <c>login_hint</c>.</summary>
    public string? LoginHint { get; init; }

    /// <summary>Display name of the partner or shop that waits, shown on the page.</summary>
    public string? For { get; init; }

    /// <summary>Banner whose look the page takes.</summary>
    public string? Banner { get; init; }

    /// <summary>Origins to which the browser will be redirected after the form is posted; they go into the page's form-action directive.</summary>
    public IReadOnlyList<string> Onward { get; init; } = [];
}

public static class SignInUrl
{
    public const string Use = "signin";
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>The sign-in page's local URL, <c>/signin?return=…</c>.</summary>
    public static string SignInPath(this SealedState state, SignInRequest request) => $"/signin?return={state.Seal(Use, request, Lifetime)}";
}
