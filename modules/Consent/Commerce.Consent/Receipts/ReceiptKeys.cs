using System.Buffers.Text;
using System.Security.Cryptography;
using Commerce.Kernel.Secrets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Consent.Receipts;

/// <summary>The public keys under which receipts verify (RFC 7517): all that ever signed one, since receipts are shown years later.</summary>
internal static class ReceiptKeys
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/consent/jwks", (SigningKeys keys, HttpContext context) =>
    {
        context.Response.Headers.CacheControl = "public, max-age=300";
        return Results.Json(new Answer([.. keys.PublishedOf(ReceiptSigner.Keys).Select(key =>
        {
            var point = ((ECDsa)key.Key).ExportParameters(includePrivateParameters: false).Q;
            return new Jwk("EC", "P-256", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y), key.Kid, "sig", "ES256");
        })]), contentType: "application/jwk-set+json");
    }).Produces<Answer>(contentType: "application/jwk-set+json").WithSummary("Public keys under which consent receipts verify.");

    internal sealed record Answer(IReadOnlyList<Jwk> Keys);

    internal sealed record Jwk(string Kty, string Crv, string X, string Y, string Kid, string Use, string Alg);
}
