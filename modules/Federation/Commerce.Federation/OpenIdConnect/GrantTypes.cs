using Commerce.Federation.OpenIdConnect.Devices;
using Commerce.Federation.OpenIdConnect.Exchange;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The grant types that the token endpoint serves.</summary>
internal static class GrantTypes
{
    public static readonly IReadOnlyList<string> All = ["authorization_code", "refresh_token", "client_credentials", DeviceGrant.GrantType, TokenExchange.GrantType];
}
