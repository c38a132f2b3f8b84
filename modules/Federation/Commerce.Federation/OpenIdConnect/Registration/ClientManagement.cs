using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Federation.OpenIdConnect.Jose;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.Registration;

/// <summary>
/// The client configuration endpoint (RFC 7592): a client reads, replaces and deletes its own registration. Its registration access token
/// is good once: each answer brings the next (§2.1, §2.2), so that a copy is found out.
/// </summary>
internal static class ClientManagement
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(ClientRegistration.Path + "/{client}", (HttpContext context, string client, Handler handler, CancellationToken stop) => handler.ReadAsync(context, client, stop))
            .ExcludeFromDescription();
        routes.MapPut(ClientRegistration.Path + "/{client}", (HttpContext context, string client, Handler handler, CancellationToken stop) => handler.UpdateAsync(context, client, stop))
            .DisableAntiforgery().ExcludeFromDescription();
        routes.MapDelete(ClientRegistration.Path + "/{client}", (HttpContext context, string client, Handler handler, CancellationToken stop) => handler.DeleteAsync(context, client, stop))
            .DisableAntiforgery().ExcludeFromDescription();
    }

    internal sealed class Handler(
        FederationDb db, SectorIdentifier sectors, Connections connections, LookupHash hash, HubSettings settings, Issuer issuer)
    {
        private static readonly string[] NotToBeSent = ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

        public async Task<IResult> ReadAsync(HttpContext context, string client, CancellationToken stop)
        {
            if (await OpenAsync(context, client, stop) is not { } open) return Refused(context);
            var next = Token.New();
            return await RotateAsync(open.Registration, next, stop)
                ? ClientMetadata.Answer(StatusCodes.Status200OK, issuer, client, open.Connection.Oidc!, open.Registration.RegisteredAt, next, null) : Refused(context);
        }

        public async Task<IResult> UpdateAsync(HttpContext context, string client, CancellationToken stop)
        {
            if (await OpenAsync(context, client, stop) is not { } open) return Refused(context);
            if (await ClientMetadata.ReadBodyAsync(context.Request, stop) is not { } body) return No("The body is a JSON object with each member once.");
            // §2.2: the client names itself, and sends nothing of what the hub alone decides.
            if (body.Text("client_id") != client) return No("client_id is missing or another client's.");
            if (NotToBeSent.FirstOrDefault(name => body.TryGetProperty(name, out _)) is { } decided) return No($"{decided} is not the client's to send.");
            if (body.TryGetProperty("client_secret", out _) && (body.Text("client_secret") is not { } own || !open.Connection.SecretIs(hash, own))) return No("client_secret is not the current one.");
            var policy = JsonSerializer.Deserialize<RegistrationPolicy>(open.Registration.Policy, HubJson.Options)!;
            if (!(await ClientMetadata.CheckAsync(body, policy, sectors, settings, stop)).TryGet(out var changed, out var no)) return ClientRegistration.No(no);
            // Another sector would give every customer another name at this client.
            if (changed.Sector != open.Connection.Oidc!.Sector) return No("The sector identifier, by which customers are known, cannot change. Register a new client.");

            var next = Token.New();
            var secret = changed.UsesSecret && open.Connection.SecretHash is null ? Token.New() : null;
            await using var transaction = await db.Database.BeginTransactionAsync(stop);
            if (!await RotateAsync(open.Registration, next, stop)) return Refused(context);
            var row = await db.Connections.SingleAsync(c => c.Id == client, stop);
            (row.Name, row.Metadata, row.LandingHost) = (changed.ClientName, JsonSerializer.Serialize(changed, HubJson.Options), changed.LandingHost);
            row.SecretHash = !changed.UsesSecret ? null : secret is not null ? ClientSecret.Hash(hash, secret) : row.SecretHash;
            if (!changed.UsesSecret) row.NextSecretHash = null;
            await db.SaveChangesAsync(stop);
            await transaction.CommitAsync(stop);
            connections.Forget();
            return ClientMetadata.Answer(StatusCodes.Status200OK, issuer, client, changed, open.Registration.RegisteredAt, next, secret);
        }

        public async Task<IResult> DeleteAsync(HttpContext context, string client, CancellationToken stop)
        {
            if (await OpenAsync(context, client, stop) is not { } open) return Refused(context);
            await using var transaction = await db.Database.BeginTransactionAsync(stop);
            if (await db.Set<SelfRegistration>().Where(r => r.Connection == client && r.TokenHash == open.Registration.TokenHash).ExecuteDeleteAsync(stop) != 1) return Refused(context);
            // Its grants, codes and tokens are refused from here on: each asks for the connection at every use (§2.3).
            await db.Connections.Where(c => c.Id == client).ExecuteDeleteAsync(stop);
            await transaction.CommitAsync(stop);
            connections.Forget();
            context.Response.Headers.CacheControl = "no-store";
            return Results.NoContent();
        }

        /// <summary>A client that is not there, one that did not register itself and a wrong token all get the same answer (§2.1).</summary>
        private async Task<(SelfRegistration Registration, Connection Connection)?> OpenAsync(HttpContext context, string client, CancellationToken stop)
        {
            if (BearerToken.Of(context.Request) is not { } token || client.Length > Lengths.Connection) return null;
            var registration = await db.Set<SelfRegistration>().AsNoTracking().SingleOrDefaultAsync(r => r.Connection == client, stop);
            if (registration is null || !CryptographicOperations.FixedTimeEquals(registration.TokenHash, Token.Hash(token))) return null;
            return await connections.FindAsync(client, stop) is { IsActive: true, Oidc: not null } connection ? (registration, connection) : null;
        }

        private async Task<bool> RotateAsync(SelfRegistration registration, string next, CancellationToken stop)
        {
            var hashed = Token.Hash(next);
            return await db.Set<SelfRegistration>().Where(r => r.Connection == registration.Connection && r.TokenHash == registration.TokenHash)
                .ExecuteUpdateAsync(row => row.SetProperty(r => r.TokenHash, hashed), stop) == 1;
        }

        private static BearerChallenge Refused(HttpContext context) => new(BearerToken.Missing(context.Request));

        private static OAuthErrorAnswer No(string description) => ClientRegistration.No(OAuth.InvalidClientMetadata(false, description));
    }
}
