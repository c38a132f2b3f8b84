using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Commerce.Interop.Tests;

/// <summary>
/// The whole hub, and beside it <c>oauth4webapi</c>, the protocol library under many a client, run by Node.js: it checks each message by
/// itself, so that the profiles of FAPI 2.0 are put together here from its parts.
/// </summary>
public sealed class Oauth4WebApiRun : IAsyncLifetime
{
    /// <summary>Step to "ok" or what went wrong; null where the run did not take place.</summary>
    internal IReadOnlyDictionary<string, string>? Steps { get; private set; }
    internal string Missing { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var folder = Path.Combine(Path.GetDirectoryName(Here())!, "oauth4webapi");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "oauth4webapi")))
        {
            Missing = "oauth4webapi is not installed: run npm ci in tests/Commerce.Interop.Tests/oauth4webapi.";
            return;
        }
        // The library holds tokens against the real clock.
        await using var hub = await TestHub.StartAsync(configure: services => services.Replace(ServiceDescriptor.Singleton(TimeProvider.System)));
        using var browser = hub.NewBrowser();
        await OpenIdClientRun.JoinAsync(browser);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var own = new { id_token_signed_response_alg = "ES256", authorization_signed_response_alg = "ES256" };

        Task<object> AddAsync(string id, Action<Dictionary<string, object>> edit, bool withKey = true)
        {
            var metadata = new Dictionary<string, object>
            {
                ["redirect_uris"] = new[] { $"http://localhost:9/{id}/callback" }, ["post_logout_redirect_uris"] = new[] { $"http://localhost:9/{id}/bye" },
                ["grant_types"] = new[] { "authorization_code", "refresh_token" }, ["id_token_signed_response_alg"] = "ES256", ["authorization_signed_response_alg"] = "ES256",
                ["token_endpoint_auth_method"] = withKey ? "private_key_jwt" : "client_secret_post",
            };
            if (withKey) metadata["jwks"] = new { keys = new[] { OpenIdClientRun.Jwk(key, false) } };
            edit(metadata);
            return OpenIdClientRun.AddAsync(hub, id, metadata, own, withKey ? OpenIdClientRun.Jwk(key, true) : null);
        }

        var configuration = new
        {
            issuer = hub.Origin, email = OpenIdClientRun.Email, password = OpenIdClientRun.Password,
            clients = new
            {
                basic = await AddAsync("web-basic", _ => { }, withKey: false),
                key = await AddAsync("web-key", _ => { }),
                dpop = await AddAsync("web-dpop", m => m["dpop_bound_access_tokens"] = true),
                fapi = await AddAsync("web-fapi", m => (m["profile"], m["dpop_bound_access_tokens"]) = ("fapi2", true)),
                signing = await AddAsync("web-signing", m => (m["profile"], m["dpop_bound_access_tokens"]) = ("fapi2-message-signing", true)),
            },
        };
        Steps = await OpenIdClientRun.RunAsync(folder, JsonSerializer.Serialize(configuration));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Here([CallerFilePath] string path = "") => path;
}

public sealed class Oauth4WebApiTests(Oauth4WebApiRun run) : IClassFixture<Oauth4WebApiRun>
{
    [Theory]
    [InlineData("discovery")]
    [InlineData("code_with_pkce")]
    [InlineData("userinfo")]
    [InlineData("refresh")]
    [InlineData("par")]
    [InlineData("jarm")]
    [InlineData("private_key_jwt_and_jar")]
    [InlineData("dpop")]
    [InlineData("fapi2_security_profile")]
    [InlineData("fapi2_message_signing")]
    [InlineData("introspection_and_revocation")]
    [InlineData("logout")]
    public void Oauth4webapi_passes(string step)
    {
        if (run.Steps is null) Assert.Skip(run.Missing);
        Assert.Equal("ok", run.Steps.GetValueOrDefault(step, "This step was not reached."));
    }
}

/// <summary>Microsoft.IdentityModel's own configuration manager, as every ASP.NET Core site has it, reads the hub's discovery.</summary>
public sealed class ConfigurationManagerTests
{
    [Fact]
    public async Task The_configuration_manager_reads_discovery_and_keys()
    {
        await using var hub = await TestHub.StartAsync();
        var manager = new ConfigurationManager<OpenIdConnectConfiguration>(
            hub.Origin + "/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(), new HttpDocumentRetriever(hub.Http) { RequireHttps = false });
        var configuration = await manager.GetConfigurationAsync(TestContext.Current.CancellationToken);
        Assert.Equal(hub.Origin, configuration.Issuer);
        Assert.Equal(hub.Origin + "/connect/token", configuration.TokenEndpoint);
        Assert.Equal(hub.Origin + "/connect/par", configuration.PushedAuthorizationRequestEndpoint);
        Assert.Contains("ES256", configuration.IdTokenSigningAlgValuesSupported);
        Assert.NotEmpty(configuration.SigningKeys);
        Assert.All(configuration.SigningKeys, key => Assert.NotEqual("", key.KeyId));
        // The keys are good for validation, and a token of nobody's is not.
        var validated = await new JsonWebTokenHandler().ValidateTokenAsync("e30.e30.", new() { ValidIssuer = configuration.Issuer, ValidAudience = "x", IssuerSigningKeys = configuration.SigningKeys });
        Assert.False(validated.IsValid);
    }
}
