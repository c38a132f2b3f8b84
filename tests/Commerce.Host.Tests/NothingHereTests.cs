using System.Net;
using System.Text;
using System.Text.Json;
using Commerce.Testing;
using Xunit;

namespace Commerce.Host.Tests;

public sealed class NothingHereTests
{
    [Fact]
    public async Task An_address_that_nobody_answers_is_a_page_to_a_customer_and_a_code_to_a_program_and_the_bare_host_leads_to_the_account()
    {
        await using var hub = await TestHub.StartAsync();
        async Task<HttpResponseMessage> AskAsync(string path, string accept, string language = "en", HttpMethod? method = null)
        {
            using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept", accept);
            request.Headers.TryAddWithoutValidation("Accept-Language", language);
            if (method == HttpMethod.Post) request.Content = new StringContent("x=1", Encoding.UTF8, "application/x-www-form-urlencoded");
            return await hub.Http.SendAsync(request, TestContext.Current.CancellationToken);
        }

        foreach (var path in new[] { "/acount", "/hop", "/file.php", "/%3Cscript%3E" })
        {
            using var page = await AskAsync(path, "text/html,*/*;q=0.8", "fi");
            var text = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.NotFound, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
            Assert.Contains("href=\"/account\"", text, StringComparison.Ordinal);
            Assert.Contains("lang=\"fi\"", text, StringComparison.Ordinal);
            Assert.DoesNotContain("<script>", text, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        }
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Post })
        {
            using var problem = await AskAsync("/acount", "application/json", method: method);
            Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (problem.StatusCode, problem.Content.Headers.ContentType?.MediaType));
            Assert.Equal("request.nothing_here", JsonElement.Parse(await problem.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("code").GetString());
        }
        using var root = await AskAsync("/", "text/html");
        Assert.Equal((HttpStatusCode.SeeOther, "/account"), (root.StatusCode, root.Headers.Location?.OriginalString));
        // What is there, but not by this method, is still told apart.
        using var wrongMethod = await AskAsync("/connect/token", "text/html");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, wrongMethod.StatusCode);
    }
}
