using System.Text;

namespace Commerce.Saml;

/// <summary>What the browser posts for us: HTTP-POST binding, SAML Bindings 3.5.</summary>
/// <param name="Target">The action: an endpoint proven to be the receiver's.</param>
/// <param name="Fields">SAMLResponse or SAMLRequest, and RelayState byte for byte where there is one.</param>
public sealed record PostForm(string Target, IReadOnlyList<KeyValuePair<string, string>> Fields)
{
    /// <summary>The only script of the page. Constant, so that a strict CSP can allow it by <see cref="ScriptHash"/>.</summary>
    public const string Script = "document.forms[0].submit()";

    /// <summary>CSP source for <see cref="Script"/>, quotes included: <c>script-src 'sha256-…'</c>.</summary>
    public const string ScriptHash = "'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='";

    private static readonly PostPage English = new("en", "One moment", "You are being taken on. If nothing happens, press the button.", "Continue", styleSheet: null);

    /// <summary>A whole page that submits itself, in English and without a style sheet. Send it with no-store. See <see cref="PostPage"/> for others.</summary>
    public string ToHtml()
    {
        using var page = English.With(this);
        return Encoding.UTF8.GetString(page.Memory.Span);
    }
}
