using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>
/// To which key a token is bound when it is given out, and whether the key is there when it is used. The endpoints that give tokens out
/// ask <see cref="OfRequestAsync"/>; userinfo reads its access token by <see cref="AccessTokens.ReadAsync"/>, which asks
/// <see cref="ProvesAsync"/> (O15). At <c>/api</c> PartnerKit's middleware asks the same.
/// </summary>
internal sealed class SenderConstraint(DpopProofs proofs)
{
    /// <summary>The key that the tokens of this request are bound to; null for a plain bearer token.</summary>
    public async ValueTask<Result<SenderKey?>> OfRequestAsync(HttpContext context, Connection client, CancellationToken stop)
    {
        if (client.Oidc is { TlsClientCertificateBoundAccessTokens: true })
        {
            if (context.Connection.ClientCertificate is not { } certificate) return OAuth.InvalidRequest("This client's tokens are bound to its certificate: use mutual TLS.");
            return new SenderKey(SenderKey.Certificate, ClientCertificate.ThumbprintOf(certificate));
        }
        if (DpopProofs.IsThere(context.Request))
            return (await proofs.CheckAsync(context, null, stop)).TryGet(out var key, out var no) ? key : no;
        if (client.Oidc is not { NeedsBoundTokens: true }) return (SenderKey?)null;
        return OAuth.InvalidRequest("This client's tokens are bound to a key: send a DPoP proof.");
    }

    /// <summary>Whether the caller holds the key of the token.</summary>
    public async ValueTask<Refusal?> ProvesAsync(HttpContext context, SenderKey key, string accessToken, CancellationToken stop)
    {
        if (!key.IsDpop)
        {
            // RFC 8705 §3: the certificate of this connection is the one in the token.
            return context.Connection.ClientCertificate is { } certificate && ClientCertificate.ThumbprintOf(certificate) == key.Thumbprint ? null : OAuth.InvalidToken;
        }
        if (!(await proofs.CheckAsync(context, accessToken, stop)).TryGet(out var proven, out var no)) return no;
        return proven == key ? null : OAuth.InvalidToken;
    }
}
