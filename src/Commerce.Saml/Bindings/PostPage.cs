using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace Commerce.Saml;

/// <summary>
/// A whole page that submits a form by itself, and has a button for a browser without scripts. What is the same for everybody is made
/// once, in one language; send the page with no-store.
/// </summary>
public sealed class PostPage
{
    private readonly byte[] head, tail;

    /// <param name="language">BCP 47 tag for the html element.</param>
    /// <param name="title">Plain text.</param>
    /// <param name="message">Plain text above the button.</param>
    /// <param name="button">Plain text on the button.</param>
    /// <param name="styleSheet">Address of a style sheet of our own, or null for none.</param>
    public PostPage(string language, string title, string message, string button, string? styleSheet)
    {
        var html = HtmlEncoder.Default;
        var style = styleSheet is null ? "" : $"<link rel=\"stylesheet\" href=\"{html.Encode(styleSheet)}\">";
        head = Encoding.ASCII.GetBytes($"<!DOCTYPE html><html lang=\"{html.Encode(language)}\"><head><meta charset=\"utf-8\">"
            + $"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{html.Encode(title)}</title>{style}</head>"
            + $"<body><main class=\"wrap\"><h1>{html.Encode(title)}</h1><form method=\"post\" action=\"");
        tail = Encoding.ASCII.GetBytes($"<p>{html.Encode(message)}</p><button type=\"submit\">{html.Encode(button)}</button></form></main>"
            + $"<script>{PostForm.Script}</script></body></html>");
    }

    /// <returns>UTF-8. Its memory is wiped and used again when it is disposed of, so send it first.</returns>
    public IMemoryOwner<byte> With(PostForm form)
    {
        var page = new Utf8XmlWriter();
        page.Raw(head).Raw(HtmlEncoder.Default.Encode(form.Target)).Raw("\">"u8);
        foreach (var (name, value) in form.Fields) Field(page, name, value);
        return page.Raw(tail);
    }

    /// <summary>The same with the form of a response, whose XML goes into the page without becoming text in between.</summary>
    /// <returns>As above.</returns>
    public IMemoryOwner<byte> With(SamlResponse response)
    {
        var page = new Utf8XmlWriter(16 * 1024);
        page.Raw(head).Raw(HtmlEncoder.Default.Encode(response.Target)).Raw("\"><input type=\"hidden\" name=\"SAMLResponse\" value=\""u8)
            .Base64(response.Xml.Span).Raw("\">"u8);     // no letter of Base64 means anything in HTML
        if (response.RelayState is { } relayState) Field(page, "RelayState", relayState);
        return page.Raw(tail);
    }

    private static void Field(Utf8XmlWriter page, string name, string value) =>
        page.Raw("<input type=\"hidden\" name=\""u8).Raw(HtmlEncoder.Default.Encode(name)).Raw("\" value=\""u8).Raw(HtmlEncoder.Default.Encode(value)).Raw("\">"u8);
}
