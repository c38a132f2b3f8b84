using System.Net;
using System.Net.Http.Headers;
using Commerce.Testing;

namespace Commerce.Federation.Tests.OpenIdConnect;

/// <summary>What a client asks of the provider beside codes and tokens.</summary>
internal static class TestClientCalls
{
    /// <summary>Posts a form with this client's own credential.</summary>
    public static async Task<HttpResponseMessage> PostAsync(this TestClient client, OidcHub hub, string path, Dictionary<string, string> fields, string? accept = null)
    {
        if (client.Key is not null)
        {
            fields.TryAdd("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            fields.TryAdd("client_assertion", client.Assertion());
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields) };
        if (client.Key is null) request.Headers.Authorization = TestClient.Basic(client.Id, client.Secret);
        if (accept is not null) request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        return await hub.Hub.Http.SendAsync(request);
    }

    public static async Task<TestAnswer> AskAsync(this TestClient client, OidcHub hub, string path, Dictionary<string, string> fields) =>
        await TestAnswer.OfAsync(await client.PostAsync(hub, path, fields));

    /// <summary>Revokes; asserts that the answer is an empty 200, or else gives the error back.</summary>
    public static async Task<string?> RevokeAsync(this TestClient client, OidcHub hub, string token)
    {
        var answer = await client.AskAsync(hub, "/connect/revoke", new() { ["token"] = token });
        if (answer.Status != HttpStatusCode.OK) return answer.Error;
        Assert.Equal("", answer.Body);
        return null;
    }

    public static async Task<System.Text.Json.JsonElement> IntrospectAsync(this TestClient client, OidcHub hub, string token)
    {
        var answer = await client.AskAsync(hub, "/connect/introspect", new() { ["token"] = token });
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer.Json;
    }
}
