using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.PartnerKit.OpenIdConnect;

/// <summary>Sign-in over OpenID Connect: authorization code with PKCE, on Microsoft's handler with its tolerances switched off.</summary>
internal static class OidcSignIn
{
    private const string LoginHint = "commerce.login_hint";

    /// <summary>Where a sign-in begins: at this site, or at the hub (OpenID Connect Core 1.0 §4).</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(HopPaths.SignIn, (string? @return, CommerceHopOptions options, HubDiscovery hub, CancellationToken stop) =>
            ChallengeAsync(options.OwnPath(@return) ?? options.LandingPath, null, options, hub, stop)).ExcludeFromDescription();
        routes.MapGet(HopPaths.Hop, (string? iss, string? login_hint, string? target_link_uri, CommerceHopOptions options, HubDiscovery hub, CancellationToken stop) =>
            BeginAsync(iss, login_hint, target_link_uri, options, hub, stop)).ExcludeFromDescription();
        routes.MapPost(HopPaths.Hop, async (HttpContext context, CommerceHopOptions options, HubDiscovery hub) =>
        {
            if (!context.Request.HasFormContentType) return Results.BadRequest();
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            return await BeginAsync(form["iss"], form["login_hint"], form["target_link_uri"], options, hub, context.RequestAborted);
        }).DisableAntiforgery().ExcludeFromDescription();
    }

    // Nothing that came is trusted to sign anybody in: it only starts a fresh request of our own (R14). The ticket travels back to the hub,
    // which made it and checks that it belongs to the customer whose session answers.
    private static async Task<IResult> BeginAsync(
        string? iss, string? loginHint, string? target, CommerceHopOptions options, HubDiscovery hub, CancellationToken stop)
    {
        if (!string.Equals(iss, options.Hub, StringComparison.Ordinal)) return SignInFailure.Answer(options, FailureReason.Failed);
        if (loginHint is { Length: > 512 }) return SignInFailure.Answer(options, FailureReason.Failed);
        var path = string.IsNullOrEmpty(target) ? options.LandingPath : options.OwnPath(target);
        return path is null ? SignInFailure.Answer(options, FailureReason.Failed) : await ChallengeAsync(path, loginHint, options, hub, stop);
    }

    private static async Task<IResult> ChallengeAsync(string path, string? loginHint, CommerceHopOptions options, HubDiscovery hub, CancellationToken stop)
    {
        try
        {
            await hub.GetAsync(stop);
        }
        catch (InvalidOperationException)    // what ConfigurationManager throws while nothing could ever be fetched
        {
            return SignInFailure.Answer(options, FailureReason.Unavailable);
        }
        var properties = new AuthenticationProperties { RedirectUri = path };
        if (!string.IsNullOrEmpty(loginHint)) properties.SetParameter(LoginHint, loginHint);
        return Results.Challenge(properties, [CommerceHop.OidcScheme]);
    }

    public static void Configure(OpenIdConnectOptions oidc, CommerceHopOptions options, HubDiscovery discovery, TokenEndpoint tokens, UserInfo userInfo)
    {
        var idTokens = new IdTokens(options, discovery);
        oidc.Authority = options.Hub;
        oidc.ConfigurationManager = discovery.Manager;
        oidc.RequireHttpsMetadata = !options.AllowHttp;
        oidc.ClientId = options.ClientId;
        oidc.ResponseType = OpenIdConnectResponseType.Code;
        oidc.ResponseMode = OpenIdConnectResponseMode.Query;
        oidc.UsePkce = true;
        // The handler would push the request wherever the hub offers it (RFC 9126), with the secret in the body. PKCE, state and the registered
        // redirect address protect it as it is, and a customer in the middle of a hop waits for one call less.
        oidc.PushedAuthorizationBehavior = PushedAuthorizationBehavior.Disable;
        oidc.SignInScheme = CommerceHop.Scheme;
        oidc.SignOutScheme = CommerceHop.Scheme;
        oidc.CallbackPath = HopPaths.OidcCallback;
        oidc.SignedOutCallbackPath = HopPaths.SignedOut;
        oidc.SignedOutRedirectUri = options.LandingPath;
        oidc.RemoteSignOutPath = default;                  // front-channel logout is not offered by the hub
        oidc.GetClaimsFromUserInfoEndpoint = false;        // the handler would read a signed answer without verifying it: UserInfo does
        oidc.MapInboundClaims = false;
        oidc.UseTokenLifetime = false;
        oidc.DisableTelemetry = true;
        oidc.Scope.Clear();
        foreach (var scope in options.Scopes) oidc.Scope.Add(scope);
        oidc.TokenValidationParameters = StrictTokens.Parameters(options, "JWT");

        // The answer is a top-level GET, so Lax cookies come along, and no third-party page can carry them.
        foreach (var cookie in new[] { oidc.CorrelationCookie, oidc.NonceCookie })
        {
            cookie.SameSite = SameSiteMode.Lax;
            cookie.SecurePolicy = CommerceHop.SecurePolicy(options);
            cookie.HttpOnly = true;
        }

        oidc.Events = new OpenIdConnectEvents
        {
            OnRedirectToIdentityProvider = context =>
            {
                context.ProtocolMessage.RedirectUri = options.BaseUrl + HopPaths.OidcCallback;    // never from the Host header
                context.ProtocolMessage.LoginHint = context.Properties.GetParameter<string>(LoginHint);
                return Task.CompletedTask;
            },
            OnRedirectToIdentityProviderForSignOut = context =>
            {
                context.ProtocolMessage.PostLogoutRedirectUri = options.BaseUrl + HopPaths.SignedOut;
                context.ProtocolMessage.ClientId = options.ClientId;
                if (context.Properties.GetTokenValue("id_token") is { } hint) context.ProtocolMessage.IdTokenHint = hint;
                return Task.CompletedTask;
            },
            OnMessageReceived = context =>
            {
                // RFC 9207 §2.4: every answer, errors too, says who sent it.
                if (!string.Equals(context.ProtocolMessage.Iss, options.Hub, StringComparison.Ordinal)) context.Fail("The answer does not come from the hub.");
                return Task.CompletedTask;
            },
            OnAuthorizationCodeReceived = async context =>
            {
                var asked = context.TokenEndpointRequest!;
                var answer = await tokens.RequestAsync(
                [
                    new("grant_type", "authorization_code"), new("code", asked.Code),
                    new("redirect_uri", options.BaseUrl + HopPaths.OidcCallback), new("code_verifier", asked.GetParameter("code_verifier")),
                ], context.HttpContext.RequestAborted);
                if (answer.Error is { } error) context.Fail($"The hub refused the code: {Printable(error)}");
                else context.HandleCodeRedemption(answer);
            },
            OnTokenValidated = async context =>
            {
                if (!await idTokens.AreInOrderAsync(context))
                {
                    context.Fail("The ID token was refused.");
                    return;
                }
                var subject = context.SecurityToken.Subject;
                var claims = await userInfo.ReadAsync(context.TokenEndpointResponse!.AccessToken, subject, context.HttpContext.RequestAborted);
                if (claims is null)
                {
                    context.Fail("The hub's userinfo answer was refused.");
                    return;
                }
                var properties = context.Properties!;
                properties.SetString(PartnerSessions.HubSession, context.SecurityToken.Claims.FirstOrDefault(c => c.Type == "sid")?.Value);
                properties.IsPersistent = false;
                properties.StoreTokens(
                [
                    new AuthenticationToken { Name = "id_token", Value = context.TokenEndpointResponse.IdToken },
                    new AuthenticationToken { Name = "access_token", Value = context.TokenEndpointResponse.AccessToken },
                ]);
                context.Principal = new System.Security.Claims.ClaimsPrincipal(CommerceCustomer.From(subject, claims).ToIdentity(CommerceHop.Scheme));
            },
            OnAccessDenied = context => Refuse(context, FailureReason.Denied),
            OnRemoteFailure = context =>
            {
                Log(context.HttpContext).LogWarning("Sign-in refused: {Reason}", Printable(context.Failure?.Message));
                var expired = context.Failure?.Message.Contains("Correlation", StringComparison.Ordinal) == true;
                return Refuse(context, expired ? FailureReason.Expired : FailureReason.Failed);
            },
        };

        async Task Refuse(HandleRequestContext<RemoteAuthenticationOptions> context, FailureReason reason)
        {
            context.HandleResponse();
            await SignInFailure.Answer(options, reason).ExecuteAsync(context.HttpContext);
        }
    }

    private static ILogger Log(HttpContext context) => context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Commerce.PartnerKit");

    // Text from outside goes into the log without line breaks and cut short.
    private static string Printable(string? text) => new([.. (text ?? "").Where(c => !char.IsControl(c)).Take(200)]);
}

/// <summary>What every JWT of the hub must meet here (M11, RFC 8725).</summary>
internal static class StrictTokens
{
    private static readonly string[] Algorithms = [SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.RsaSha256];

    /// <param name="types">Accepted values of the typ header.</param>
    public static TokenValidationParameters Parameters(CommerceHopOptions options, params string[] types) => new()
    {
        ValidIssuer = options.Hub,
        ValidAudience = options.ClientId,
        ValidTypes = types,
        ValidAlgorithms = Algorithms,
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        RequireAudience = true,
        ValidateIssuerSigningKey = true,
        TryAllIssuerSigningKeys = false,
        IgnoreTrailingSlashWhenValidatingAudience = false,
        ClockSkew = TimeSpan.FromSeconds(10),
        NameClaimType = "name",
        RoleClaimType = "role",
    };
}
