using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Federation.OpenIdConnect.TokenStatus;

/// <summary>A form that a client sends in its own name to one of the provider's back-channel endpoints, with the client proven.</summary>
internal sealed class ClientRequest(ClientAuthentication authentication, ApiAccess.ClientRates rates)
{
    /// <summary>Reads the form and proves the client as the token endpoint does (RFC 7009 §2.1, RFC 7662 §2.1, RFC 8628 §3.1).</summary>
    public async Task<Result<(Connection Client, Parameters Form)>> ReadAsync(HttpRequest request, CancellationToken stop)
    {
        if (request.QueryString.HasValue) return OAuth.InvalidRequest("Parameters belong into the body.");
        if (await Parameters.ReadFormAsync(request, stop) is not { } form) return OAuth.InvalidRequest("The body is a form with each parameter once.");
        if (!(await authentication.AuthenticateAsync(request, form, stop)).TryGet(out var client, out var no)) return no;
        return rates.TryTake(client) ? (client, form) : OAuth.TooManyRequests;
    }
}
