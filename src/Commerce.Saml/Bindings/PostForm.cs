using System.Text;
using System.Text.Encodings.Web;

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

    /// <summary>A whole page that submits itself, and has a button for a browser without scripts. Send it with no-store.</summary>
    /// <param name="language">BCP 47 tag for the html element.</param>
    /// <param name="title">Plain text.</param>
    /// <param name="message">Plain text above the button.</param>
    /// <param name="button">Plain text on the button.</param>
    /// <param name="styleSheet">Address of a style sheet of our own, or null for none.</param>
    public string ToHtml(string language = "en", string title = "One moment", string message = "You are being taken on. If nothing happens, press the button.", string button = "Continue",
        string? styleSheet = null)
    {
        var html = HtmlEncoder.Default;
        var page = new StringBuilder(1024 + Fields.Sum(field => field.Value.Length));
        page.Append("<!DOCTYPE html><html lang=\"").Append(html.Encode(language))
            .Append("\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>")
            .Append(html.Encode(title)).Append("</title>");
        if (styleSheet is not null) page.Append("<link rel=\"stylesheet\" href=\"").Append(html.Encode(styleSheet)).Append("\">");
        page.Append("</head><body><main class=\"wrap\"><h1>").Append(html.Encode(title)).Append("</h1><form method=\"post\" action=\"")
            .Append(html.Encode(Target)).Append("\">");
        foreach (var (name, value) in Fields)
            page.Append("<input type=\"hidden\" name=\"").Append(html.Encode(name)).Append("\" value=\"").Append(html.Encode(value)).Append("\">");
        return page.Append("<p>").Append(html.Encode(message)).Append("</p><button type=\"submit\">").Append(html.Encode(button))
            .Append("</button></form></main><script>").Append(Script).Append("</script></body></html>").ToString();
    }
}
