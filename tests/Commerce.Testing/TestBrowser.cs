using System.Net;
using System.Text.RegularExpressions;

namespace Commerce.Testing;

/// <summary>A browser without a screen: keeps cookies, follows redirects one by one on request, fills forms.</summary>
public sealed class TestBrowser : IDisposable
{
    private readonly SocketsHttpHandler handler = new() { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
    private readonly Uri origin;

    public TestBrowser(Uri origin)
    {
        this.origin = origin;
        Http = new HttpClient(handler) { BaseAddress = origin, Timeout = TimeSpan.FromSeconds(60) };
        Http.DefaultRequestHeaders.Accept.ParseAdd("text/html,application/xhtml+xml");
        Http.DefaultRequestHeaders.AcceptLanguage.ParseAdd("en");
    }

    /// <summary>The client itself, for whatever has no helper here.</summary>
    public HttpClient Http { get; }

    public CookieContainer Cookies => handler.CookieContainer;

    public Task<TestPage> GetAsync(string url) => SendAsync(new HttpRequestMessage(HttpMethod.Get, url));

    public Task<TestPage> PostAsync(string url, IEnumerable<KeyValuePair<string, string>> fields) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(fields) });

    public async Task<TestPage> SendAsync(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        var address = response.RequestMessage!.RequestUri!;
        return new TestPage(address, response.StatusCode, body, response.Headers.Location is { } to ? new Uri(address, to) : null,
            response.Content.Headers.ContentType?.MediaType ?? "", response.Headers.Concat(response.Content.Headers)
                .ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Follows redirects while they stay on this host (or, with <paramref name="elsewhere"/>, wherever they lead); at most 20.</summary>
    public async Task<TestPage> FollowAsync(TestPage page, bool elsewhere = false)
    {
        for (var i = 0; i < 20 && page.RedirectsTo is { } to && (elsewhere || to.Authority == origin.Authority); i++) page = await GetAsync(to.AbsoluteUri);
        return page;
    }

    /// <summary>Fills the page's form and posts it: hidden fields as they are, the given ones over them.</summary>
    /// <param name="form">Which form on the page, from 0; or the one whose action contains <paramref name="action"/>.</param>
    public Task<TestPage> SubmitAsync(TestPage page, IEnumerable<KeyValuePair<string, string>>? fields = null, int form = 0, string? action = null)
    {
        var forms = page.Forms();
        var chosen = action is null ? forms[form] : forms.First(f => f.Action.Contains(action, StringComparison.Ordinal));
        var given = (fields ?? []).ToList();
        var kept = chosen.Hidden.Where(h => given.All(g => g.Key != h.Key));
        return PostAsync(new Uri(page.Address, chosen.Action).AbsoluteUri, kept.Concat(given));
    }

    public void Dispose()
    {
        Http.Dispose();
        handler.Dispose();
    }
}

/// <param name="RedirectsTo">Absolute address of the Location header, or null.</param>
public sealed partial record TestPage(Uri Address, HttpStatusCode Status, string Body, Uri? RedirectsTo, string MediaType, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The page's words without markup.</summary>
    public string Text => Spaces().Replace(WebUtility.HtmlDecode(Tags().Replace(Body, " ")), " ").Trim();

    /// <summary>The stable code of a refusal, from problem+json or from the refused page.</summary>
    public string? RefusalCode => ProblemCode().Match(Body) is { Success: true } json ? json.Groups[1].Value
        : PageCode().Matches(Body).LastOrDefault() is { } page ? WebUtility.HtmlDecode(page.Groups[1].Value) : null;

    public IReadOnlyList<TestForm> Forms() => [.. FormTags().Matches(Body).Select(form => new TestForm(
        WebUtility.HtmlDecode(Attribute(form.Groups[1].Value, "action") ?? Address.PathAndQuery),
        [.. InputTags().Matches(form.Groups[2].Value)
            .Where(input => Attribute(input.Value, "type") is "hidden" && Attribute(input.Value, "name") is not null)
            .Select(input => KeyValuePair.Create(WebUtility.HtmlDecode(Attribute(input.Value, "name")!), WebUtility.HtmlDecode(Attribute(input.Value, "value") ?? "")))]))];

    private static string? Attribute(string tag, string name) =>
        Regex.Match(tag, $"""\b{name}\s*=\s*"([^"]*)"|\b{name}\s*=\s*'([^']*)'""", RegexOptions.IgnoreCase) is { Success: true } match
            ? match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value : null;

    [GeneratedRegex("<script.*?</script>|<style.*?</style>|<[^>]+>", RegexOptions.Singleline)] private static partial Regex Tags();
    [GeneratedRegex(@"\s+")] private static partial Regex Spaces();
    [GeneratedRegex("\"code\"\\s*:\\s*\"([^\"]+)\"")] private static partial Regex ProblemCode();
    [GeneratedRegex("<code>([a-z_]+\\.[a-z0-9_.]+)</code>")] private static partial Regex PageCode();
    [GeneratedRegex("<form([^>]*)>(.*?)</form>", RegexOptions.Singleline | RegexOptions.IgnoreCase)] private static partial Regex FormTags();
    [GeneratedRegex("<input[^>]*>", RegexOptions.IgnoreCase)] private static partial Regex InputTags();
}

/// <param name="Action">As in the page, decoded; the page's own address where the form names none.</param>
public sealed record TestForm(string Action, IReadOnlyList<KeyValuePair<string, string>> Hidden);
