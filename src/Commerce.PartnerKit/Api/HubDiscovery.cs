using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Commerce.PartnerKit;

/// <summary>The hub's discovery document and keys, fetched at first use and again when old or when a key is unknown.</summary>
/// <remarks>OpenID Connect Discovery 1.0 §4.3: a document that names another issuer than the one it was fetched for is refused.</remarks>
internal sealed class HubDiscovery
{
    public HubDiscovery(CommerceHopOptions options, IHttpClientFactory clients) => Manager = new ConfigurationManager<OpenIdConnectConfiguration>(
        $"{options.Hub}/.well-known/openid-configuration",
        new OpenIdConnectConfigurationRetriever(),
        new HttpDocumentRetriever(clients.CreateClient(CommerceHop.HubClient)) { RequireHttps = !options.AllowHttp },
        new SameIssuer(options.Hub));

    public ConfigurationManager<OpenIdConnectConfiguration> Manager { get; }

    public Task<OpenIdConnectConfiguration> GetAsync(CancellationToken stop) => Manager.GetConfigurationAsync(stop);

    private sealed class SameIssuer(string hub) : IConfigurationValidator<OpenIdConnectConfiguration>
    {
        public ConfigurationValidationResult Validate(OpenIdConnectConfiguration configuration) =>
            string.Equals(configuration.Issuer, hub, StringComparison.Ordinal) && configuration.JsonWebKeySet?.Keys.Count > 0
                ? new ConfigurationValidationResult { Succeeded = true }
                : new ConfigurationValidationResult { ErrorMessage = "The discovery document names another issuer, or no keys." };
    }
}
