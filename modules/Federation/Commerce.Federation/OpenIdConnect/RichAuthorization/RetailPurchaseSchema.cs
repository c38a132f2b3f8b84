using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.Federation.OpenIdConnect.RichAuthorization;

/// <summary>The published schema of the detail: what <see cref="RetailPurchase.Read(string)"/> takes, in the words of JSON Schema 2020-12.</summary>
internal static class RetailPurchaseSchema
{
    public const string Path = "/schemas/retail_purchase-1.json";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet(Path, (HttpContext context, Issuer issuer) =>
    {
        context.Response.Headers.CacheControl = "public, max-age=3600";
        return Results.Text(Text.Replace("{id}", issuer.Url(Path), StringComparison.Ordinal), "application/schema+json");
    }).ExcludeFromDescription();

    private const string Text = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "{id}",
          "title": "retail_purchase",
          "description": "RFC 9396 authorization detail: one purchase of the customer, those of its lines that are in the categories, for one purpose of the partner's data contract.",
          "type": "object",
          "additionalProperties": false,
          "required": ["type", "order_number", "line_categories", "purpose"],
          "properties": {
            "type": { "const": "retail_purchase" },
            "order_number": { "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$" },
            "line_categories": {
              "type": "array", "minItems": 1, "maxItems": 20, "uniqueItems": true,
              "items": { "type": "string", "maxLength": 128, "pattern": "^(\\*|[a-z0-9_-]([a-z0-9_/-]*[a-z0-9_-])?(/\\*)?)$" }
            },
            "purpose": { "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" }
          }
        }
        """;
}
