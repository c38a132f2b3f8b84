using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Federation.Contracts;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Commerce.Interop.Tests;

/// <summary>The whole hub, and beside it <c>openid-client</c>, a certified relying party of the OpenID Foundation's list, run by Node.js.</summary>
public sealed partial class OpenIdClientRun : IAsyncLifetime
{
    internal const string Email = "aino.virtanen@example.com", Password = "vihreä lokki soutaa yöllä";

    /// <summary>Step to "ok" or what went wrong; null where the run did not take place.</summary>
    internal IReadOnlyDictionary<string, string>? Steps { get; private set; }
    internal string Missing { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var folder = Path.Combine(Path.GetDirectoryName(Here())!, "openid-client");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "openid-client")))
        {
            Missing = "openid-client is not installed: run npm ci in tests/Commerce.Interop.Tests/openid-client.";
            return;
        }
        // The library holds tokens against the real clock.
        await using var hub = await TestHub.StartAsync(configure: services => services.Replace(ServiceDescriptor.Singleton(TimeProvider.System)));
        using var browser = hub.NewBrowser();
        await JoinAsync(browser);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var configuration = new
        {
            issuer = hub.Origin, email = Email, password = Password,
            clients = new
            {
                basic = await AddAsync(hub, "rp-basic", new Dictionary<string, object>
                {
                    ["redirect_uris"] = new[] { "http://127.0.0.1:9/basic/callback" }, ["post_logout_redirect_uris"] = new[] { "http://127.0.0.1:9/basic/bye" },
                    ["grant_types"] = new[] { "authorization_code", "refresh_token" }, ["id_token_signed_response_alg"] = "ES256",
                }, new { id_token_signed_response_alg = "ES256" }),
                key = await AddAsync(hub, "rp-key", new Dictionary<string, object>
                {
                    ["redirect_uris"] = new[] { "http://localhost:9/key/callback" }, ["grant_types"] = new[] { "authorization_code", "refresh_token" },
                    ["token_endpoint_auth_method"] = "private_key_jwt", ["jwks"] = new { keys = new[] { Jwk(key, false) } }, ["userinfo_signed_response_alg"] = "ES256",
                }, new { userinfo_signed_response_alg = "ES256" }, Jwk(key, true)),
                fapi2 = await AddAsync(hub, "rp-fapi2", Fapi(key, "fapi2", "http://127.0.0.1:9/fapi2/callback"), new { id_token_signed_response_alg = "ES256" }, Jwk(key, true)),
                fapi2ms = await AddAsync(hub, "rp-fapi2ms", Fapi(key, "fapi2-message-signing", "http://127.0.0.1:9/fapi2ms/callback"),
                    new { id_token_signed_response_alg = "ES256", authorization_signed_response_alg = "ES256" }, Jwk(key, true)),
                machine = await AddAsync(hub, "machine", new Dictionary<string, object> { ["grant_types"] = new[] { "client_credentials" }, ["scope"] = "bookings:write" }),
            },
        };
        Steps = await RunAsync(folder, JsonSerializer.Serialize(configuration));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal static async Task<object> AddAsync(TestHub hub, string id, Dictionary<string, object> metadata, object? own = null, object? privateJwk = null)
    {
        metadata["client_name"] = id;
        var contract = JsonSerializer.Serialize(new
        {
            partner = $"partner-{id}", version = 1,
            purposes = new[]
            {
                new
                {
                    id = "sign-in", retention_days = 30, legal_basis = "contract", texts = new { en = "Sign in" },
                    claims = new[] { new { name = "name", required = true, reason = "to greet you" }, new { name = "email", required = true, reason = "to reach you" } },
                },
            },
        });
        var added = await hub.AskAsync(new AddOidcPartner(JsonSerializer.Serialize(metadata), contract, id));
        Assert.True(added.IsOk, string.Join("; ", added.Refusal?.Errors?.Select(e => $"{e.Field}: {e.Message}") ?? [added.Refusal?.Code ?? ""]));
        return new
        {
            client_id = id, client_secret = added.Value.Secret, metadata = own ?? new { }, private_jwk = privateJwk,
            redirect_uri = (metadata.GetValueOrDefault("redirect_uris") as string[])?[0],
            post_logout_redirect_uri = (metadata.GetValueOrDefault("post_logout_redirect_uris") as string[])?[0],
        };
    }

    private static Dictionary<string, object> Fapi(ECDsa key, string profile, string redirect) => new()
    {
        ["profile"] = profile, ["redirect_uris"] = new[] { redirect }, ["grant_types"] = new[] { "authorization_code", "refresh_token" },
        ["token_endpoint_auth_method"] = "private_key_jwt", ["dpop_bound_access_tokens"] = true, ["jwks"] = new { keys = new[] { Jwk(key, false) } },
    };

    internal static Dictionary<string, string> Jwk(ECDsa key, bool withPrivate)
    {
        var parameters = key.ExportParameters(withPrivate);
        var jwk = new Dictionary<string, string>
        {
            ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = "k1", ["x"] = Base64Url.EncodeToString(parameters.Q.X!), ["y"] = Base64Url.EncodeToString(parameters.Q.Y!),
        };
        if (withPrivate) jwk["d"] = Base64Url.EncodeToString(parameters.D!);
        return jwk;
    }

    /// <summary>Registers a customer and confirms the address by the mailed link.</summary>
    internal static async Task JoinAsync(TestBrowser browser)
    {
        await browser.SubmitAsync(await browser.GetAsync("/register"), [new("given_name", "Aino"), new("family_name", "Virtanen"), new("email", Email), new("password", Password)]);
        var mailbox = await browser.GetAsync($"/mailbox?to={Uri.EscapeDataString(Email)}");
        var link = WebUtility.HtmlDecode(MailedLink().Match(mailbox.Body).Groups[1].Value);
        await browser.SubmitAsync(await browser.GetAsync(link));
    }

    internal static async Task<Dictionary<string, string>> RunAsync(string folder, string configuration)
    {
        using var node = Process.Start(new ProcessStartInfo("node", "run.mjs")
        {
            WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        await node.StandardInput.WriteAsync(configuration);
        node.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var (output, errors) = (node.StandardOutput.ReadToEndAsync(patience.Token), node.StandardError.ReadToEndAsync(patience.Token));
        await node.WaitForExitAsync(patience.Token);
        Assert.True(node.ExitCode == 0, await errors);
        return JsonSerializer.Deserialize<Dictionary<string, string>>(await output)!;
    }

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex("<p><a href=\"([^\"]+)\">")] private static partial Regex MailedLink();
}

public sealed class OpenIdClientTests(OpenIdClientRun run) : IClassFixture<OpenIdClientRun>
{
    [Theory]
    [InlineData("discovery")]
    [InlineData("code_with_pkce_state_nonce_and_iss")]
    [InlineData("id_token_signed_and_complete")]
    [InlineData("userinfo")]
    [InlineData("refresh")]
    [InlineData("refresh_reuse_ends_the_family")]
    [InlineData("max_age_and_form_hints")]
    [InlineData("prompt_login")]
    [InlineData("private_key_jwt_rs256_and_signed_userinfo")]
    [InlineData("fapi2")]
    [InlineData("fapi2_message_signing")]
    [InlineData("client_credentials")]
    [InlineData("logout")]
    [InlineData("prompt_none_after_logout_is_login_required")]
    public void Openid_client_passes(string step)
    {
        if (run.Steps is null) Assert.Skip(run.Missing);
        Assert.Equal("ok", run.Steps.GetValueOrDefault(step, "This step was not reached."));
    }
}
