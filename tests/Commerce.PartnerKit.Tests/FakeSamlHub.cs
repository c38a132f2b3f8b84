using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Saml;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Commerce.PartnerKit.Tests;

/// <summary>An identity provider on the same SAML library, whose answers a test can bend.</summary>
internal sealed class FakeSamlHub : IAsyncDisposable
{
    public const string Subject = "pairwise-subject";
    private readonly WebApplication app;
    private readonly List<RSA> keys = [];
    private SigningKey published;
    private IdentityProvider provider;

    private FakeSamlHub(WebApplication app, string url)
    {
        (this.app, Url) = (app, url);
        published = NewKey();
        provider = ProviderWith(published);
    }

    public FakeClock Clock { get; } = new(DateTimeOffset.UtcNow);

    public string Url { get; }

    public string EntityId => Url + "/saml/metadata";

    private Dictionary<string, string> LogoutAddresses => new() { [SamlBindings.HttpRedirect] = Url + "/saml/slo", [SamlBindings.HttpPost] = Url + "/saml/slo" };

    /// <summary>The hub's side of single logout.</summary>
    public SingleLogout Logout => new(new SingleLogoutSettings { EntityId = EntityId, Addresses = LogoutAddresses, SigningKey = provider.Settings.SigningKey }, Clock);

    public static NameId Name(string entityId) => new(Subject, NameIdFormats.Persistent, entityId);

    public static IReadOnlyList<SamlAttribute> Attributes => [.. FakeOidcHub.Claims.Select(c => ClaimNames.ToAttribute(c.Key, JsonSerializer.SerializeToElement(c.Value)))];

    public static async Task<FakeSamlHub> StartAsync()
    {
        var url = $"http://127.0.0.1:{PartnerSite.FreePort()}";
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        var app = builder.Build();
        var hub = new FakeSamlHub(app, url);
        app.MapGet("/saml/metadata", () => Results.Bytes(hub.ProviderWith(hub.published).WriteMetadata(new IdentityProviderDescription { SingleLogoutServices = [.. hub.LogoutAddresses.Select(a => new SamlEndpoint(a.Key, a.Value))] }), "application/samlmetadata+xml"));
        await app.StartAsync();
        return hub;
    }

    public Task<PartnerSite> SiteAsync(Action<CommerceHopOptions>? more = null) => PartnerSite.StartAsync(options =>
    {
        (options.Protocol, options.Hub) = (HopProtocol.Saml, Url);
        more?.Invoke(options);
    }, Clock);

    /// <summary>Reads the request that the browser brought, against the site's own metadata.</summary>
    public async Task<ValidatedAuthnRequest> ReadAsync(Uri request, PartnerSite site)
    {
        var message = RedirectBinding.Read(request.Query).Value;
        return provider.Validate(provider.Read(message).Value, await ServiceProviderAsync(site)).Value;
    }

    public async Task<ServiceProvider> ServiceProviderAsync(PartnerSite site)
    {
        using var http = new HttpClient();
        await using var metadata = await http.GetStreamAsync(site.Url + "/saml/metadata");
        return SpMetadataReader.ReadSingle(metadata, new SpMetadataOptions { RequireHttps = false }, Clock).Value;
    }

    public PostForm Respond(ValidatedAuthnRequest request, IReadOnlyList<SamlAttribute>? attributes = null, DateTimeOffset? sessionEnds = null) =>
        provider.Respond(request, Content(attributes, sessionEnds)).Value.Form;

    public PostForm RespondUnsolicited(ServiceProvider to, string? relayState) =>
        provider.RespondUnsolicited(to, to.DefaultAssertionConsumerService()!, relayState, Content(null, null)).Value.Form;

    public PostForm RespondError(ValidatedAuthnRequest request, SamlStatus status) => provider.RespondError(request, status).Value.Form;

    /// <summary>Signs with a new key from now on; metadata follows only where the key is published.</summary>
    public void RollKey(bool publish)
    {
        var next = NewKey();
        provider = ProviderWith(next);
        if (publish) published = next;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        foreach (var key in keys) key.Dispose();
    }

    private AssertionContent Content(IReadOnlyList<SamlAttribute>? attributes, DateTimeOffset? sessionEnds) => new(
        new NameId(Subject, NameIdFormats.Persistent, EntityId), Clock.GetUtcNow(), AuthnContextClasses.PasswordProtectedTransport, "session-1",
        attributes ?? Attributes, sessionEnds);

    private IdentityProvider ProviderWith(SigningKey key) => new(
        new IdentityProviderSettings { EntityId = EntityId, SsoRedirectUrl = Url + "/saml/sso", SsoPostUrl = Url + "/saml/sso", SigningKey = key }, Clock);

    private SigningKey NewKey()
    {
        var rsa = RSA.Create(2048);
        keys.Add(rsa);
        return new SigningKey(rsa, SigningKey.SelfSigned(rsa, "hub", DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1)));
    }
}
