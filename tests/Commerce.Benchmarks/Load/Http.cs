using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Commerce.Benchmarks.Load;

/// <summary>A name-to-value cookie jar for one server and one virtual user; ignores paths on purpose, keeps expiry deletions.</summary>
public sealed class CookieJar
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private string? _header;

    public string? Header => _values.Count == 0 ? null : _header ??= string.Join("; ", _values.Select(p => p.Key + "=" + p.Value));

    public void Add(string rawHeader)
    {
        foreach (var part in rawHeader.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            Set(part);
        }
    }

    public void Update(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("Set-Cookie", out var values))
        {
            return;
        }
        foreach (var value in values)
        {
            var semicolon = value.IndexOf(';', StringComparison.Ordinal);
            var pair = semicolon < 0 ? value : value[..semicolon];
            var gone = semicolon >= 0
                && (value.Contains("max-age=0", StringComparison.OrdinalIgnoreCase)
                    || value.Contains("expires=Thu, 01 Jan 1970", StringComparison.OrdinalIgnoreCase));
            if (gone)
            {
                if (_values.Remove(pair[..Math.Max(0, pair.IndexOf('=', StringComparison.Ordinal))]))
                {
                    _header = null;
                }
            }
            else
            {
                Set(pair);
            }
        }
    }

    private void Set(string pair)
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            return;
        }
        var (name, value) = (pair[..equals], pair[(equals + 1)..]);
        if (!_values.TryGetValue(name, out var old) || old != value)
        {
            _values[name] = value;
            _header = null;
        }
    }
}

/// <summary>Thin HTTP client: no redirects, no cookie container, no decompression, keep-alive connections.</summary>
public sealed class Wire : IDisposable
{
    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
        ConnectTimeout = TimeSpan.FromSeconds(10),
    });

    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    public async Task<Reply> SendAsync(HttpMethod method, Uri uri, CookieJar? jar, HttpContent? content = null, string? authorization = null)
    {
        Loopback.Require(uri);
        using var request = new HttpRequestMessage(method, uri) { Content = content };
        if (jar?.Header is { } cookie)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookie);
        }
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }
        using var timeout = new CancellationTokenSource(RequestTimeout);
        using var response = await _invoker.SendAsync(request, timeout.Token).ConfigureAwait(false);
        var body = await response.Content.ReadAsByteArrayAsync(timeout.Token).ConfigureAwait(false);
        jar?.Update(response);
        return new Reply((int)response.StatusCode, response.Headers.Location, body, response.Content.Headers.ContentType?.MediaType);
    }

    public Task<Reply> GetAsync(Uri uri, CookieJar? jar = null, string? authorization = null) =>
        SendAsync(HttpMethod.Get, uri, jar, null, authorization);

    public Task<Reply> PostFormAsync(Uri uri, IEnumerable<KeyValuePair<string, string>> fields, CookieJar? jar = null, string? authorization = null) =>
        SendAsync(HttpMethod.Post, uri, jar, Form(fields), authorization);

    public static ByteArrayContent Form(IEnumerable<KeyValuePair<string, string>> fields)
    {
        var text = new StringBuilder(256);
        foreach (var (name, value) in fields)
        {
            if (text.Length > 0)
            {
                text.Append('&');
            }
            text.Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        }
        var content = new ByteArrayContent(Encoding.ASCII.GetBytes(text.ToString()));
        content.Headers.TryAddWithoutValidation("Content-Type", "application/x-www-form-urlencoded");
        return content;
    }

    public void Dispose() => _invoker.Dispose();
}

public readonly record struct Reply(int Status, Uri? Location, byte[] Body, string? MediaType)
{
    public bool IsRedirect => Status is 301 or 302 or 303 or 307 or 308 && Location is not null;

    public string Text => Encoding.UTF8.GetString(Body);

    public string Brief
    {
        get
        {
            var text = Text.ReplaceLineEndings(" ");
            return text.Length > 160 ? text[..160] : text;
        }
    }
}

/// <summary>The first form of a page: where it goes and its hidden and default values.</summary>
public sealed partial record HtmlForm(string? Action, bool Post, Dictionary<string, string> Fields)
{
    public static HtmlForm? Parse(string html)
    {
        var form = FormTag().Match(html);
        if (!form.Success)
        {
            return null;
        }
        var end = html.IndexOf("</form", form.Index, StringComparison.OrdinalIgnoreCase);
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var input = InputTag().Match(html, form.Index + form.Length); input.Success && (end < 0 || input.Index < end); input = input.NextMatch())
        {
            var attributes = Attributes(input.Value);
            var type = attributes.GetValueOrDefault("type");
            var isUnchecked = type is "checkbox" or "radio" && !attributes.ContainsKey("checked");
            if (attributes.TryGetValue("name", out var name) && type is not ("submit" or "button" or "image") && !isUnchecked)
            {
                fields[name] = attributes.GetValueOrDefault("value", "");
            }
        }
        var ofForm = Attributes(form.Value);
        return new HtmlForm(ofForm.GetValueOrDefault("action"), ofForm.GetValueOrDefault("method", "get").Equals("post", StringComparison.OrdinalIgnoreCase), fields);
    }

    // All of a tag in one pass: one of them may be a whole SAML response.
    private static Dictionary<string, string> Attributes(string tag)
    {
        var attributes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var match = AttributePattern().Match(tag); match.Success; match = match.NextMatch())
        {
            attributes.TryAdd(match.Groups["name"].Value, WebUtility.HtmlDecode(match.Groups["value"].Value));
        }
        return attributes;
    }

    [GeneratedRegex("\\s(?<name>[a-z-]+)(?:\\s*=\\s*(?:\"(?<value>[^\"]*)\"|'(?<value>[^']*)'|(?<value>[^\\s\"'>]+)))?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex AttributePattern();

    [GeneratedRegex("<form\\b[^>]*>", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex FormTag();

    [GeneratedRegex("<(?:input|button)\\b[^>]*>", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex InputTag();
}
