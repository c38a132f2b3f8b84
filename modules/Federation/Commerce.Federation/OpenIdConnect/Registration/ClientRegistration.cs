using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.OpenIdConnect.Registration;

/// <summary>
/// The client registration endpoint (RFC 7591 §3, OpenID Connect Dynamic Client Registration §3). Open to holders of an initial access
/// token alone; the client belongs to that token's partner and stays within its policy and data contract.
/// </summary>
internal static class ClientRegistration
{
    public const string Path = "/connect/register";

    public static string PathOf(string client) => $"{Path}/{client}";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(Path, (HttpContext context, Handler handler, CancellationToken stop) => handler.RegisterAsync(context, stop))
        .DisableAntiforgery().ExcludeFromDescription();

    internal sealed class Handler(
        FederationDb db, PartnerBook book, SectorIdentifier sectors, Connections connections, HubSettings settings, Issuer issuer, TimeProvider clock, ILogger<Handler> log)
    {
        public async Task<IResult> RegisterAsync(HttpContext context, CancellationToken stop)
        {
            var now = clock.GetUtcNow();
            if (BearerToken.Of(context.Request) is not { } token) return new BearerChallenge(BearerToken.Missing(context.Request));
            var hash = Token.Hash(token);
            var initial = await db.Set<InitialToken>().AsNoTracking().SingleOrDefaultAsync(t => t.TokenHash == hash && t.UsesLeft > 0 && t.ExpiresAt > now, stop);
            if (initial is null || await db.Partners.SingleOrDefaultAsync(p => p.Id == initial.Partner && p.IsActive, stop) is not { } partner)
                return new BearerChallenge(OAuth.InvalidToken);

            if (await ClientMetadata.ReadBodyAsync(context.Request, stop) is not { } body) return No(OAuth.InvalidClientMetadata(false, "The body is a JSON object with each member once."));
            var policy = JsonSerializer.Deserialize<RegistrationPolicy>(initial.Policy, HubJson.Options)!;
            if (!(await ClientMetadata.CheckAsync(body, policy, sectors, settings, stop)).TryGet(out var client, out var no)) return No(no);

            await using var transaction = await db.Database.BeginTransactionAsync(stop);
            // One use for one client, whoever else registers at this moment.
            if (await db.Set<InitialToken>().Where(t => t.TokenHash == hash && t.UsesLeft > 0).ExecuteUpdateAsync(row => row.SetProperty(t => t.UsesLeft, t => t.UsesLeft - 1), stop) != 1)
                return new BearerChallenge(OAuth.InvalidToken);
            var (id, registration) = (Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), Token.New());
            var secret = client.UsesSecret ? Token.New() : null;
            book.AddConnection(id, partner, Protocol.Oidc, client.ClientName, client, client.LandingHost, secret);
            db.Add(new SelfRegistration { Connection = id, TokenHash = Token.Hash(registration), Policy = initial.Policy, RegisteredAt = now });
            await db.SaveChangesAsync(stop);
            await transaction.CommitAsync(stop);
            connections.Forget();
            log.LogInformation("{Partner} registered client {Client}.", partner.Id, id);
            return ClientMetadata.Answer(StatusCodes.Status201Created, issuer, id, client, now, registration, secret);
        }
    }

    internal static OAuthErrorAnswer No(Refusal refusal) => new(refusal, "invalid_client_metadata");
}

/// <summary>A bearer token in the Authorization header (RFC 6750 §2.1) that is no JWT of ours: 43 base64url characters.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";

    public static string? Of(HttpRequest request)
    {
        var header = request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return null;
        var token = value[Scheme.Length..].Trim(' ');
        return token.Length == 43 ? token : null;
    }

    public static Refusal Missing(HttpRequest request) => request.Headers.Authorization.Count == 0 ? OAuth.NoToken : OAuth.InvalidToken;
}
