using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.PartnerKit.Tests;

/// <summary>The two sides together: the hub issues a token for an API by policy, and the API takes it by discovery and keys.</summary>
public sealed class CommerceApiWithHubTests
{
    private const string Audience = "https://api.fitting.example";

    [Fact]
    public async Task A_machine_gets_a_token_at_the_hub_and_comes_into_the_api_with_its_scope_alone()
    {
        await using var hub = await TestHub.StartAsync();
        var machine = (await hub.AskAsync(new AddOidcPartner(
            """{"client_name":"Kolari Machine","grant_types":["client_credentials"],"response_types":["code"],"scope":"bookings:write"}""", null))).Value;
        Assert.True((await hub.AskAsync(new PutApiResource(
            $$"""{"identifier":"{{Audience}}","name":"Calendar","scopes":[{"name":"calendar:read"},{"name":"calendar:write"}]}"""))).IsOk);
        Assert.True((await hub.AskAsync(new SetClientPolicy(
            $$"""{"client":"{{machine.ClientId}}","resources":[{"identifier":"{{Audience}}","scopes":["calendar:read"]}]}"""))).IsOk);

        var url = $"http://127.0.0.1:{PartnerSite.FreePort()}";
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        builder.Services.AddSingleton<TimeProvider>(hub.Clock);
        builder.Services.AddCommerceApi(hub.Origin, Audience, options => options.AllowHttp = true);
        await using var api = builder.Build();
        api.MapGet("/read", () => "free at nine").RequireScope("calendar:read");
        api.MapGet("/write", () => "booked").RequireScope("calendar:write");
        await api.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(url) };

        async Task<string> TokenAsync(string? resource)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/token");
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{machine.ClientId}:{machine.Secret}")));
            var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials" };
            if (resource is not null) form["resource"] = resource;
            request.Content = new FormUrlEncodedContent(form);
            using var answer = await hub.Http.SendAsync(request);
            return JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("access_token").GetString()!;
        }

        async Task<HttpStatusCode> CallAsync(string path, string token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }

        var good = await TokenAsync(Audience);
        Assert.Equal(HttpStatusCode.OK, await CallAsync("/read", good));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync("/write", good));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("/read", await TokenAsync(null)));      // for the hub's own API
        hub.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync("/read", good));
    }
}
