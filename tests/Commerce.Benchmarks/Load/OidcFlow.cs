using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Commerce.Benchmarks.Load;

/// <summary>Authorization code flow with PKCE: authorize with a live session, redeem the code, check the id_token, read userinfo.</summary>
public sealed class OidcFlow(TargetConfig config, Wire wire) : IFlow
{
    private readonly string _issuer = Need(config.Issuer, "issuer");
    private readonly string _clientId = Need(config.ClientId, "clientId");
    private readonly string _redirectUri = Need(config.RedirectUri, "redirectUri");
    private readonly JwksVerifier _keys = new();
    private Uri _authorize = null!;
    private Uri _token = null!;
    private Uri? _userinfo;
    private string _authorizePrefix = "";
    private string? _clientAuthorization;

    public IReadOnlyList<string> Steps { get; } =
        [.. config.HopUrl is null ? Array.Empty<string>() : ["hop"], "authorize", "token", .. config.Userinfo ? ["userinfo"] : Array.Empty<string>(), .. config.Refresh ? ["refresh"] : Array.Empty<string>()];

    public string Signature => _keys.LastAlgorithm ?? "unchecked";

    public async Task PrepareAsync()
    {
        var reply = await wire.GetAsync(new Uri(_issuer.TrimEnd('/') + "/.well-known/openid-configuration")).ConfigureAwait(false);
        if (reply.Status != 200)
        {
            throw new FlowException($"discovery answered {reply.Status}");
        }
        using var document = JsonDocument.Parse(reply.Body);
        var root = document.RootElement;
        if (root.GetProperty("issuer").GetString()!.TrimEnd('/') != _issuer.TrimEnd('/'))
        {
            throw new FlowException("discovery names another issuer");
        }
        _authorize = new Uri(root.GetProperty("authorization_endpoint").GetString()!);
        _token = new Uri(root.GetProperty("token_endpoint").GetString()!);
        _userinfo = config.Userinfo ? new Uri(root.GetProperty("userinfo_endpoint").GetString()!) : null;
        var jwks = await wire.GetAsync(new Uri(root.GetProperty("jwks_uri").GetString()!)).ConfigureAwait(false);
        _keys.Load(jwks.Body);

        var prefix = new StringBuilder(_authorize.AbsoluteUri)
            .Append("?response_type=code&client_id=").Append(Uri.EscapeDataString(_clientId))
            .Append("&redirect_uri=").Append(Uri.EscapeDataString(_redirectUri))
            .Append("&scope=").Append(Uri.EscapeDataString(config.Scope));
        foreach (var (name, value) in config.AuthorizeParameters)
        {
            prefix.Append('&').Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        }
        _authorizePrefix = prefix.ToString();
        if (config.ClientAuth == "basic")
        {
            _clientAuthorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(
                Uri.EscapeDataString(_clientId) + ":" + Uri.EscapeDataString(config.ClientSecret ?? "")));
        }
    }

    public async Task SignInAsync(VirtualUser user)
    {
        var request = NewRequest();
        await Browser.VisitAsync(wire, user, request.Uri, _redirectUri, null, config.LoginFields).ConfigureAwait(false);
    }

    public async Task<Action?> RunAsync(VirtualUser user, bool verify, Action<int> mark)
    {
        var step = 0;
        var request = NewRequest();
        var uri = request.Uri;
        if (config.HopUrl is not null)
        {
            uri = new Uri(uri.AbsoluteUri + "&login_hint=" + await HopTicket.FetchAsync(wire, user, config.HopUrl, "login_hint").ConfigureAwait(false));
            mark(step++);
        }
        var authorized = await wire.GetAsync(uri, user.Jar).ConfigureAwait(false);
        var code = ReadCode(authorized, request.State);
        mark(step++);

        var tokens = await RedeemAsync(
        [
            new("grant_type", "authorization_code"),
            new("code", code),
            new("redirect_uri", _redirectUri),
            .. config.Pkce ? [new KeyValuePair<string, string>("code_verifier", request.Verifier)] : Array.Empty<KeyValuePair<string, string>>(),
        ]).ConfigureAwait(false);
        var idToken = tokens.IdToken ?? throw new FlowException("no id_token");
        mark(step++);

        if (_userinfo is not null)
        {
            var userinfo = await wire.GetAsync(_userinfo, null, "Bearer " + tokens.AccessToken).ConfigureAwait(false);
            if (userinfo.Status != 200 || userinfo.Body.AsSpan().IndexOf("\"sub\""u8) < 0)
            {
                throw new FlowException($"userinfo answered {userinfo.Status}: {userinfo.Brief}");
            }
            mark(step++);
        }
        if (config.Refresh)
        {
            if (tokens.RefreshToken is null)
            {
                throw new FlowException("no refresh_token");
            }
            await RedeemAsync([new("grant_type", "refresh_token"), new("refresh_token", tokens.RefreshToken)]).ConfigureAwait(false);
            mark(step);
        }
        return verify ? () => _keys.Verify(idToken, _issuer, _clientId, request.Nonce) : null;
    }

    private sealed record Request(Uri Uri, string State, string Nonce, string Verifier);

    private Request NewRequest()
    {
        Span<byte> random = stackalloc byte[64];
        RandomNumberGenerator.Fill(random);
        var state = Base64Url.EncodeToString(random[..16]);
        var nonce = Base64Url.EncodeToString(random[16..32]);
        var verifier = Base64Url.EncodeToString(random[32..]);
        var uri = _authorizePrefix + "&state=" + state + "&nonce=" + nonce;
        if (config.Pkce)
        {
            Span<byte> hash = stackalloc byte[32];
            SHA256.HashData(Encoding.ASCII.GetBytes(verifier), hash);
            uri += "&code_challenge_method=S256&code_challenge=" + Base64Url.EncodeToString(hash);
        }
        return new Request(new Uri(uri), state, nonce, verifier);
    }

    private string ReadCode(Reply reply, string state)
    {
        if (!reply.IsRedirect)
        {
            throw new FlowException($"authorize answered {reply.Status}: {reply.Brief}");
        }
        var location = reply.Location!.OriginalString;
        if (!location.StartsWith(_redirectUri, StringComparison.Ordinal))
        {
            throw new FlowException("authorize redirected elsewhere: " + location[..Math.Min(location.Length, 100)]);
        }
        string? code = null, returned = null;
        foreach (var pair in location[(location.IndexOf('?', StringComparison.Ordinal) + 1)..].Split('&'))
        {
            if (pair.StartsWith("code=", StringComparison.Ordinal))
            {
                code = Uri.UnescapeDataString(pair[5..]);
            }
            else if (pair.StartsWith("state=", StringComparison.Ordinal))
            {
                returned = Uri.UnescapeDataString(pair[6..]);
            }
            else if (pair.StartsWith("error=", StringComparison.Ordinal))
            {
                throw new FlowException("authorize failed: " + location[_redirectUri.Length..]);
            }
        }
        if (returned != state)
        {
            throw new FlowException("state does not match");
        }
        return code ?? throw new FlowException("no code in the redirect");
    }

    private async Task<(string AccessToken, string? IdToken, string? RefreshToken)> RedeemAsync(List<KeyValuePair<string, string>> fields)
    {
        if (config.ClientAuth != "basic")
        {
            fields.Add(new("client_id", _clientId));
            if (config.ClientAuth == "post")
            {
                fields.Add(new("client_secret", config.ClientSecret ?? ""));
            }
        }
        var reply = await wire.PostFormAsync(_token, fields, null, _clientAuthorization).ConfigureAwait(false);
        if (reply.Status != 200)
        {
            throw new FlowException($"token answered {reply.Status}: {reply.Brief}");
        }
        using var document = JsonDocument.Parse(reply.Body);
        var root = document.RootElement;
        return (
            root.GetProperty("access_token").GetString()!,
            root.TryGetProperty("id_token", out var id) ? id.GetString() : null,
            root.TryGetProperty("refresh_token", out var refresh) ? refresh.GetString() : null);
    }

    private static string Need(string? value, string name) => value ?? throw new InvalidOperationException($"'{name}' is missing in the config");
}

/// <summary>Checks JWS signatures and the claims that a relying party must check.</summary>
public sealed class JwksVerifier
{
    private readonly Dictionary<string, AsymmetricAlgorithm> _keys = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    public string? LastAlgorithm { get; private set; }

    public void Load(byte[] jwks)
    {
        using var document = JsonDocument.Parse(jwks);
        foreach (var key in document.RootElement.GetProperty("keys").EnumerateArray())
        {
            var kid = key.TryGetProperty("kid", out var k) ? k.GetString()! : "";
            byte[] Part(string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString());
            switch (key.GetProperty("kty").GetString())
            {
                case "RSA":
                    _keys[kid] = RSA.Create(new RSAParameters { Modulus = Part("n"), Exponent = Part("e") });
                    break;
                case "EC" when key.GetProperty("crv").GetString() == "P-256":
                    _keys[kid] = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = { X = Part("x"), Y = Part("y") } });
                    break;
            }
        }
    }

    public void Verify(string token, string issuer, string audience, string nonce)
    {
        var first = token.IndexOf('.', StringComparison.Ordinal);
        var last = token.LastIndexOf('.');
        if (first < 0 || last <= first)
        {
            throw new FlowException("id_token is not a compact JWS");
        }
        using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(token.AsSpan(0, first)));
        using var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(token.AsSpan(first + 1, last - first - 1)));
        var signature = Base64Url.DecodeFromChars(token.AsSpan(last + 1));
        var alg = header.RootElement.GetProperty("alg").GetString()!;
        var kid = header.RootElement.TryGetProperty("kid", out var k) ? k.GetString()! : "";
        if (!_keys.TryGetValue(kid, out var key))
        {
            throw new FlowException($"id_token is signed by an unknown key '{kid}'");
        }
        var data = Encoding.ASCII.GetBytes(token[..last]);
        bool good;
        lock (_lock)
        {
            good = (alg, key) switch
            {
                ("RS256", RSA rsa) => rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                ("PS256", RSA rsa) => rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
                ("ES256", ECDsa ec) => ec.VerifyData(data, signature, HashAlgorithmName.SHA256),
                _ => throw new FlowException($"cannot check alg '{alg}'"),
            };
            LastAlgorithm = alg;
        }
        if (!good)
        {
            throw new FlowException("id_token signature is wrong");
        }
        var claims = payload.RootElement;
        if (claims.GetProperty("iss").GetString()!.TrimEnd('/') != issuer.TrimEnd('/'))
        {
            throw new FlowException("id_token has another iss");
        }
        var aud = claims.GetProperty("aud");
        if (aud.ValueKind == JsonValueKind.Array ? !aud.EnumerateArray().Any(a => a.GetString() == audience) : aud.GetString() != audience)
        {
            throw new FlowException("id_token has another aud");
        }
        if (claims.GetProperty("nonce").GetString() != nonce)
        {
            throw new FlowException("id_token has another nonce");
        }
        if (claims.GetProperty("exp").GetInt64() < DateTimeOffset.UtcNow.ToUnixTimeSeconds())
        {
            throw new FlowException("id_token has expired");
        }
    }
}
