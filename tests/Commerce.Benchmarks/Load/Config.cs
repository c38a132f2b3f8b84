using System.Net;
using System.Text.Json;

namespace Commerce.Benchmarks.Load;

/// <summary>One target of the load driver, read from a JSON file.</summary>
public sealed class TargetConfig
{
    public string Name { get; set; } = "target";

    /// <summary>"oidc", "saml" or "http".</summary>
    public string Kind { get; set; } = "oidc";

    // ---- OpenID Connect ----
    public string? Issuer { get; set; }
    public string? ClientId { get; set; }
    public string? ClientSecret { get; set; }

    /// <summary>"basic", "post" or "none".</summary>
    public string ClientAuth { get; set; } = "basic";
    public string? RedirectUri { get; set; }
    public string Scope { get; set; } = "openid profile email";
    public bool Pkce { get; set; } = true;
    public bool Userinfo { get; set; } = true;

    /// <summary>Also spend the refresh token once at the end of each flow.</summary>
    public bool Refresh { get; set; }
    public Dictionary<string, string> AuthorizeParameters { get; set; } = [];

    // ---- SAML ----
    public string? SsoUrl { get; set; }

    /// <summary>True: send an AuthnRequest with the Redirect binding. False: plain GET (IdP-initiated).</summary>
    public bool SpInitiated { get; set; } = true;
    public string? SpEntityId { get; set; }
    public string? AcsUrl { get; set; }

    /// <summary>PEM certificate of the IdP, or its metadata; one of the two is needed to check signatures.</summary>
    public string? CertificateUrl { get; set; }
    public string? MetadataUrl { get; set; }

    // ---- hops ----
    /// <summary>
    /// Where a hop begins, with "{n}" for the number of the virtual user: the flow then opens it first, takes the ticket out of the
    /// redirect, and sends it on as the partner would. Null: the flow begins at the partner, without a hop.
    /// </summary>
    public string? HopUrl { get; set; }

    // ---- plain HTTP ----
    /// <summary>One flow is one GET of each, in order, on one connection.</summary>
    public List<string> Urls { get; set; } = [];

    // ---- sessions ----
    /// <summary>Raw Cookie header values, handed to the virtual users in turn. Without it, each user signs in once before the load.</summary>
    public List<string> Cookies { get; set; } = [];

    /// <summary>Values for the forms met while signing in; "{n}" is the number of the virtual user.</summary>
    public Dictionary<string, string> LoginFields { get; set; } = [];

    /// <summary>A signature (id_token or SAML response) is checked once in this many flows.</summary>
    public int VerifyEvery { get; set; } = 100;

    public ServerConfig? Server { get; set; }

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNameCaseInsensitive = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    public static TargetConfig Load(string path)
    {
        var config = JsonSerializer.Deserialize<TargetConfig>(File.ReadAllText(path), Options)
            ?? throw new InvalidOperationException($"{path} is empty");
        foreach (var url in new[] { config.Issuer, config.SsoUrl, config.CertificateUrl, config.MetadataUrl, config.Server?.ReadyUrl, config.HopUrl }.Concat(config.Urls))
        {
            if (url is not null)
            {
                Loopback.Require(new Uri(url));
            }
        }
        return config;
    }
}

/// <summary>How to start the server under test; left out when it is already running.</summary>
public sealed class ServerConfig
{
    public List<string> Command { get; set; } = [];
    public string? WorkingDirectory { get; set; }
    public Dictionary<string, string> Environment { get; set; } = [];
    public string? ReadyUrl { get; set; }
    public int ReadyTimeoutSeconds { get; set; } = 60;
}

public static class Loopback
{
    /// <summary>The driver never sends load anywhere but to this machine.</summary>
    public static void Require(Uri uri)
    {
        var host = uri.Host.Trim('[', ']');
        if (host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)))
        {
            return;
        }
        throw new InvalidOperationException($"refusing to send load to '{uri.Host}': only loopback addresses are allowed");
    }
}
