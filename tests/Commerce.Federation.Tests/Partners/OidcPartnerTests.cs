using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Federation.Contracts;
using Commerce.Federation.Data;
using Commerce.Federation.Partners;
using Commerce.Kernel.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Federation.Tests.Partners;

/// <summary>Registering OIDC clients (RFC 7591), strictly.</summary>
public sealed class OidcPartnerTests(PartnerHub world) : IClassFixture<PartnerHub>
{
    [Fact]
    public async Task A_client_is_added_with_a_secret_that_is_told_once_and_stored_as_a_keyed_hash()
    {
        var added = (await world.AddAsync(Documents.Client(), Documents.Contract(c => c["partner"] = "kolari-first"))).Value;

        Assert.Equal(("kolari-first", "oidc"), (added.Partner, added.Protocol));
        Assert.Equal(43, added.Secret!.Length);
        Assert.Null(added.ApiClientId);
        var connection = await world.Hub.Services.GetRequiredService<Connections>().FindAsync(added.Connection);
        Assert.True(connection!.SecretIs(world.Hub.Services.GetRequiredService<LookupHash>(), added.Secret));
        Assert.False(connection.SecretIs(world.Hub.Services.GetRequiredService<LookupHash>(), added.Secret + "x"));
        Assert.Equal("fitter.example", connection.Sector);
        Assert.Equal(1, connection.Contract!.Version);
        var file = await File.ReadAllBytesAsync(world.Hub.PathOf("federation"));
        Assert.DoesNotContain(added.Secret, System.Text.Encoding.Latin1.GetString(file), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Defaults_are_those_of_the_standard()
    {
        var added = (await world.AddAsync("""{"client_name":"Plain","redirect_uris":["https://plain.example/cb"]}""")).Value;
        var client = (await world.Hub.Services.GetRequiredService<Connections>().FindAsync(added.Connection))!.Oidc!;
        Assert.Equal(["authorization_code"], client.GrantTypes);
        Assert.Equal(["code"], client.ResponseTypes);
        Assert.Equal(("client_secret_basic", "pairwise", "RS256"), (client.TokenEndpointAuthMethod, client.SubjectType, client.IdTokenSignedResponseAlg));
        Assert.Null(client.UserinfoSignedResponseAlg);
        Assert.Equal("plain", added.Partner);
        Assert.Contains(added.Notes, note => note.Contains("data contract", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_partner_of_the_same_name_gets_an_id_of_its_own()
    {
        var one = (await world.AddAsync("""{"client_name":"Åke & Söner","redirect_uris":["https://ake.example/cb"]}""")).Value;
        var two = (await world.AddAsync("""{"client_name":"Åke & Söner","redirect_uris":["https://ake.example/cb"]}""")).Value;
        Assert.Equal(("ake-soner", "ake-soner-2"), (one.Partner, two.Partner));
    }

    [Fact]
    public async Task A_name_without_latin_letters_still_makes_an_id() =>
        Assert.Equal("tire-shop", (await world.AddAsync("""{"client_name":"타이어 가게","redirect_uris":["https://ko.example/cb"]}""", null, "tire-shop")).Value.Partner);

    [Theory]
    [InlineData("client_nam", "\"x\"", "client_nam")]
    [InlineData("jwks_uri", "\"http://fitter.example/jwks\"", "jwks_uri")]
    [InlineData("jwks_uri", "\"https://127.0.0.1/jwks\"", "jwks_uri")]                                 // O12
    [InlineData("profile", "\"fapi1\"", "profile")]
    [InlineData("profile", "\"fapi2\"", "token_endpoint_auth_method")]
    [InlineData("profile", "\"fapi2\"", "dpop_bound_access_tokens")]
    [InlineData("require_signed_request_object", "true", "jwks")]
    [InlineData("authorization_signed_response_alg", "\"none\"", "authorization_signed_response_alg")]
    [InlineData("request_object_signing_alg", "\"none\"", "request_object_signing_alg")]
    [InlineData("token_endpoint_auth_method", "\"tls_client_auth\"", "tls_client_auth_subject_dn")]
    [InlineData("tls_client_auth_san_dns", "\"fitter.example\"", "tls_client_auth_san_dns")]
    [InlineData("token_endpoint_auth_method", "\"none\"", "token_endpoint_auth_method")]
    [InlineData("token_endpoint_auth_method", "\"private_key_jwt\"", "jwks")]
    [InlineData("grant_types", "[\"implicit\"]", "grant_types")]
    [InlineData("grant_types", "[]", "grant_types")]
    [InlineData("grant_types", "[\"client_credentials\"]", "redirect_uris")]
    [InlineData("response_types", "[\"code id_token\"]", "response_types")]
    [InlineData("id_token_signed_response_alg", "\"none\"", "id_token_signed_response_alg")]
    [InlineData("id_token_signed_response_alg", "\"HS256\"", "id_token_signed_response_alg")]
    [InlineData("subject_type", "\"ephemeral\"", "subject_type")]
    [InlineData("scope", "\"openid admin\"", "scope")]
    [InlineData("client_name", "7", "client_name")]
    [InlineData("client_name", "\"\"", "client_name")]
    [InlineData("contacts", "\"a@b.example\"", "contacts")]
    [InlineData("backchannel_logout_session_required", "\"yes\"", "backchannel_logout_session_required")]
    [InlineData("initiate_login_uri", "\"http://fitter.example/hop\"", "initiate_login_uri")]            // D09
    [InlineData("initiate_login_uri", "\"https://fitter.example/hop?iss=evil\"", "initiate_login_uri")]
    [InlineData("backchannel_logout_uri", "\"https://10.0.0.1/logout\"", "backchannel_logout_uri")]     // O12
    [InlineData("hop_return_uri", "\"javascript:alert(1)\"", "hop_return_uri")]
    [InlineData("redirect_uris", "[\"https://fitter.example/a\",\"https://other.example/b\"]", "sector_identifier_uri")]
    [InlineData("jwks", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "jwks")]
    [InlineData("jwks", "{\"keys\":[]}", "jwks")]
    [InlineData("jwks", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\",\"d\":\"AA\"}]}", "jwks")]
    [InlineData("jwks", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "jwks")]
    public async Task What_the_hub_does_not_serve_is_refused_by_name(string member, string value, string field)
    {
        var result = await world.AddAsync(Documents.Client(c => c[member] = JsonNode.Parse(value)));
        Assert.Equal("federation.partner_invalid", result.Refusal?.Code);
        Assert.Contains(field, PartnerHub.FieldsOf(result));
        Assert.All(result.Refusal!.Errors!, e => Assert.EndsWith(".", e.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"grant_types":["client_credentials"],"redirect_uris":[],"scope":"bookings:write","require_pushed_authorization_requests":true}""", "grant_types")]
    [InlineData("""{"grant_types":["client_credentials","refresh_token"],"redirect_uris":[],"scope":"bookings:write"}""", "grant_types")]
    [InlineData("""{"dpop_bound_access_tokens":true,"tls_client_certificate_bound_access_tokens":true}""", "tls_client_certificate_bound_access_tokens")]
    [InlineData("""{"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_ip":"fitter.example"}""", "tls_client_auth_san_ip")]
    [InlineData("""{"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"fitter"}""", "tls_client_auth_subject_dn")]
    [InlineData("""{"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"fitter.example","tls_client_auth_san_ip":"192.0.2.1"}""", "tls_client_auth_subject_dn")]
    [InlineData("""{"profile":"fapi2","dpop_bound_access_tokens":true,"require_pkce":false}""", "require_pkce")]
    [InlineData("""{"profile":"fapi2","dpop_bound_access_tokens":true,"id_token_signed_response_alg":"RS256"}""", "id_token_signed_response_alg")]
    [InlineData("""{"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]},"jwks_uri":"https://fitter.example/jwks"}""", "jwks_uri")]
    [InlineData("""{"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"a"},{"kty":"EC","crv":"P-256","x":"AA","y":"BB","kid":"a"}]}}""", "jwks")]
    [InlineData("""{"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","use":"enc"}]}}""", "jwks")]
    [InlineData("""{"scope":"openid offline_access","grant_types":["authorization_code"]}""", "scope")]
    [InlineData("""{"post_logout_redirect_uris":["https://fitter.example/bye","javascript:alert(1)"]}""", "post_logout_redirect_uris[1]")]
    public async Task What_does_not_go_together_is_refused_by_name(string changes, string field)
    {
        var result = await world.AddAsync(Documents.Client(c =>
        {
            foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject()) c[name] = value?.DeepClone();
        }));
        Assert.Equal("federation.partner_invalid", result.Refusal?.Code);
        Assert.Contains(field, PartnerHub.FieldsOf(result));
    }

    [Theory]
    [InlineData("http://fitter.example/cb")]
    [InlineData("https://fitter.example/cb#frag")]
    [InlineData("https://fitter.example/cb#")]
    [InlineData("javascript:alert(1)")]
    [InlineData("JavaScript:alert(1)//https://fitter.example")]
    [InlineData("DATA:text/html,x")]
    [InlineData("HTTPS://fitter.example/cb")]
    [InlineData("https://user@fitter.example/cb")]
    [InlineData("https://fitter.example@evil.example/cb")]
    [InlineData("https://*.example/cb")]
    [InlineData("https://localhost/cb")]
    [InlineData("https://127.0.0.1/cb")]
    [InlineData("https://[::1]/cb")]
    [InlineData("https://[::ffff:127.0.0.1]/cb")]
    [InlineData("https://2130706433/cb")]
    [InlineData("https://192.168.1.1/cb")]
    [InlineData("https://169.254.169.254/latest")]
    [InlineData("https:///cb")]
    [InlineData("https:fitter.example/cb")]
    [InlineData("https://fitter.example\\@evil.example/cb")]
    [InlineData("https://fitter.example/c b")]
    [InlineData("https://fitter.example/\u00e5")]
    [InlineData("https://fitter.example/cb?code=x")]
    [InlineData("https://fitter.example/cb?a=1&STATE=x")]
    [InlineData("//fitter.example/cb")]
    [InlineData("/cb")]
    [InlineData("")]
    public async Task X17_O01_a_redirect_uri_that_is_not_plain_https_on_a_public_host_is_refused(string uri)
    {
        var result = await world.AddAsync(Documents.Client(c => c["redirect_uris"] = new JsonArray(uri)));
        Assert.Equal("federation.partner_invalid", result.Refusal?.Code);
        Assert.Contains(PartnerHub.FieldsOf(result), f => f.StartsWith("redirect_uris", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://localhost:5001/cb")]
    [InlineData("http://127.0.0.1:5001/cb")]
    [InlineData("https://fitter.example/cb?tenant=1")]
    public async Task In_development_plain_http_and_loopback_are_taken(string uri) => Assert.True(
        (await world.Development.AskAsync(new AddOidcPartner(Documents.Client(c => c["redirect_uris"] = new JsonArray(uri)), null))).IsOk);

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("ftp://localhost/cb")]
    public async Task In_development_other_schemes_are_refused_all_the_same(string uri) => Assert.False(
        (await world.Development.AskAsync(new AddOidcPartner(Documents.Client(c => c["redirect_uris"] = new JsonArray(uri)), null))).IsOk);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"client_name\":\"a\",\"client_name\":\"b\",\"redirect_uris\":[\"https://a.example/\"]}")]
    public async Task What_is_not_one_json_object_is_refused(string json) =>
        Assert.Equal("federation.partner_invalid", (await world.AddAsync(json)).Refusal?.Code);

    [Fact]
    public async Task Scopes_of_the_api_need_the_grant_type_for_it()
    {
        var result = await world.AddAsync(Documents.Client(c => c["grant_types"] = new JsonArray("authorization_code")));
        Assert.Equal(["scope"], PartnerHub.FieldsOf(result));
    }

    [Fact]
    public async Task A_client_that_proves_itself_by_key_gets_no_secret()
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(false).Q;
        var jwk = new { kty = "EC", crv = "P-256", x = Base64(point.X!), y = Base64(point.Y!), kid = "one", use = "sig", alg = "ES256" };
        var added = await world.AddAsync(Documents.Client(c =>
        {
            c["token_endpoint_auth_method"] = "private_key_jwt";
            c["jwks"] = JsonSerializer.SerializeToNode(new { keys = new[] { jwk } });
        }));
        Assert.Null(added.Value.Secret);

        static string Base64(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }

    [Fact]
    public async Task A_client_id_is_taken_once()
    {
        Assert.True((await world.AddAsync(Documents.Client(), null, "taken")).IsOk);
        Assert.Equal("federation.connection_exists", (await world.AddAsync(Documents.Client(), null, "taken")).Refusal?.Code);
        Assert.Equal("federation.partner_invalid", (await world.AddAsync(Documents.Client(), null, "not taken")).Refusal?.Code);
    }

    [Fact]
    public async Task D05_a_sector_identifier_document_that_cannot_be_read_is_refused()
    {
        var result = await world.AddAsync(Documents.Client(c => c["sector_identifier_uri"] = "https://sector.invalid/list"));
        Assert.Equal(["sector_identifier_uri"], PartnerHub.FieldsOf(result));
    }

    [Fact]
    public async Task D05_a_sector_identifier_counts_only_where_it_lists_every_redirect_uri()
    {
        string[] redirects = ["http://localhost:5001/cb", "http://127.0.0.1:5002/cb"];
        foreach (var (listed, status, taken) in new (string, int, bool)[]
        {
            (JsonSerializer.Serialize(redirects), 200, true),
            (JsonSerializer.Serialize(redirects[..1]), 200, false),
            (JsonSerializer.Serialize(new[] { "http://localhost:5001/CB", redirects[1] }), 200, false),
            (JsonSerializer.Serialize(redirects), 404, false),
            ("{}", 200, false),
            ("[" + new string(' ', 70_000) + "]", 200, false),
        })
        {
            var port = Commerce.Testing.TestHub.FreePort();
            using var server = new System.Net.HttpListener();
            server.Prefixes.Add($"http://localhost:{port}/");
            server.Start();
            var answering = server.GetContextAsync().ContinueWith(async asked =>
            {
                var response = (await asked).Response;
                response.StatusCode = status;
                response.Close(System.Text.Encoding.UTF8.GetBytes(listed), willBlock: false);
            }, TaskScheduler.Default);
            var result = await world.Development.AskAsync(new AddOidcPartner(Documents.Client(c =>
            {
                c["redirect_uris"] = JsonSerializer.SerializeToNode(redirects);
                c["sector_identifier_uri"] = $"http://localhost:{port}/sector";
            }), null));
            Assert.Equal(taken, result.IsOk);
            if (!taken) Assert.Equal(["sector_identifier_uri"], PartnerHub.FieldsOf(result));
        }
    }

    [Fact]
    public async Task Nothing_is_stored_of_a_partner_that_is_refused_for_its_contract()
    {
        var before = await CountAsync();
        Assert.Equal("federation.contract_invalid", (await world.AddAsync(Documents.Client(), Documents.Contract(c => c["version"] = 0))).Refusal?.Code);
        Assert.Equal(before, await CountAsync());
    }

    private Task<int> CountAsync() => world.Hub.WithDbAsync<FederationDb, int>(async db => await db.Partners.CountAsync() + await db.Connections.CountAsync());
}
