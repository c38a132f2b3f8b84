using Commerce.PartnerKit.OpenIdConnect;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Commerce.PartnerKit;

public static class CurrentUserInfo
{
    /// <summary>
    /// What the hub would release for the signed-in customer now (OpenID Connect only). Null once the customer has withdrawn the consent,
    /// signed out everywhere, or the access token's time is over: stop using values that came under it.
    /// </summary>
    /// <exception cref="HttpRequestException">The hub cannot be reached.</exception>
    public static async Task<CommerceCustomer?> AskHubAgainAsync(this HttpContext context)
    {
        var ticket = await context.AuthenticateAsync(CommerceHop.Scheme);
        if (!ticket.Succeeded || ticket.Properties.GetTokenValue("access_token") is not { } token) return null;
        var userInfo = (UserInfo)context.RequestServices.GetService(typeof(UserInfo))!;
        var subject = ticket.Principal.FindFirst("sub")!.Value;
        var claims = await userInfo.ReadAsync(token, subject, context.RequestAborted);
        return claims is null ? null : CommerceCustomer.From(subject, claims);
    }
}
