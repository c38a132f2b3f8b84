namespace Commerce.Benchmarks.Load;

public sealed class FlowException(string message) : Exception(message);

/// <summary>One browser with its own session at the server.</summary>
public sealed class VirtualUser(int number)
{
    public int Number { get; } = number;
    public CookieJar Jar { get; } = new();
}

/// <summary>What is being measured: one call of <see cref="RunAsync"/> is one flow.</summary>
public interface IFlow
{
    IReadOnlyList<string> Steps { get; }

    /// <summary>False when there is no signature to check.</summary>
    bool CanVerify => true;

    /// <summary>Reads discovery, keys or metadata.</summary>
    Task PrepareAsync();

    /// <summary>Gives the user a session, outside the measured time.</summary>
    Task SignInAsync(VirtualUser user);

    /// <summary>Runs one flow; <paramref name="mark"/> is called with the step's number when a step is done.</summary>
    /// <returns>
    /// Where <paramref name="verify"/> is set, the check of the signature, which throws <see cref="FlowException"/>. It is made after the run: one
    /// takes the driver a millisecond, in which a server that is faster than that would be asked nothing.
    /// </returns>
    Task<Action?> RunAsync(VirtualUser user, bool verify, Action<int> mark);
}

public sealed class HttpFlow(TargetConfig config, Wire wire) : IFlow
{
    private readonly Uri[] _urls = [.. config.Urls.Select(u => new Uri(u))];

    public IReadOnlyList<string> Steps { get; } = [.. config.Urls.Select((_, i) => "get" + (i + 1))];

    public bool CanVerify => false;

    public Task PrepareAsync() => Task.CompletedTask;

    public Task SignInAsync(VirtualUser user) => Task.CompletedTask;

    public async Task<Action?> RunAsync(VirtualUser user, bool verify, Action<int> mark)
    {
        for (var i = 0; i < _urls.Length; i++)
        {
            var reply = await wire.GetAsync(_urls[i], user.Jar).ConfigureAwait(false);
            if (reply.Status >= 400)
            {
                throw new FlowException($"GET answered {reply.Status}");
            }
            mark(i);
        }
        return null;
    }
}

/// <summary>Follows redirects and fills forms until the server hands the browser back to the client.</summary>
public static class Browser
{
    /// <summary>Returns the redirect to <paramref name="until"/>, or the page for which <paramref name="done"/> holds.</summary>
    public static async Task<Reply> VisitAsync(Wire wire, VirtualUser user, Uri start, string? until, Func<Reply, bool>? done, IReadOnlyDictionary<string, string> fields)
    {
        var at = start;
        var reply = await wire.GetAsync(at, user.Jar).ConfigureAwait(false);
        for (var hop = 0; hop < 20; hop++)
        {
            if (done?.Invoke(reply) == true)
            {
                return reply;
            }
            if (reply.IsRedirect)
            {
                var next = new Uri(at, reply.Location!);
                if (until is not null && next.AbsoluteUri.StartsWith(until, StringComparison.Ordinal))
                {
                    return reply;
                }
                at = next;
                reply = await wire.GetAsync(at, user.Jar).ConfigureAwait(false);
                continue;
            }
            if (reply.Status == 200 && HtmlForm.Parse(reply.Text) is { } form)
            {
                var values = new Dictionary<string, string>(form.Fields, StringComparer.Ordinal);
                foreach (var (name, value) in fields)
                {
                    values[name] = value.Replace("{n}", user.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
                }
                at = string.IsNullOrEmpty(form.Action) ? at : new Uri(at, form.Action);
                reply = form.Post
                    ? await wire.PostFormAsync(at, values, user.Jar).ConfigureAwait(false)
                    : await wire.GetAsync(new Uri(at, "?" + string.Join('&', values.Select(v => Uri.EscapeDataString(v.Key) + "=" + Uri.EscapeDataString(v.Value)))), user.Jar).ConfigureAwait(false);
                continue;
            }
            throw new FlowException($"sign-in stopped at {at.AbsolutePath} with {reply.Status}: {reply.Brief}");
        }
        throw new FlowException("sign-in took more than 20 hops");
    }
}

/// <summary>The hub's side of a hop before the partner asks: one GET by the customer's browser.</summary>
public static class HopTicket
{
    /// <param name="parameter">Name under which the redirect to the partner carries the ticket.</param>
    public static async Task<string> FetchAsync(Wire wire, VirtualUser user, string hopUrl, string parameter)
    {
        var url = hopUrl.Replace("{n}", user.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        var reply = await wire.GetAsync(new Uri(url), user.Jar).ConfigureAwait(false);
        if (!reply.IsRedirect)
        {
            throw new FlowException($"hop answered {reply.Status}: {reply.Brief}");
        }
        var query = reply.Location!.OriginalString;
        foreach (var pair in query[(query.IndexOf('?', StringComparison.Ordinal) + 1)..].Split('&'))
        {
            if (pair.StartsWith(parameter + "=", StringComparison.Ordinal))
            {
                return Uri.UnescapeDataString(pair[(parameter.Length + 1)..]);
            }
        }
        throw new FlowException("the redirect carries no ticket: " + query[..Math.Min(query.Length, 120)]);
    }
}
