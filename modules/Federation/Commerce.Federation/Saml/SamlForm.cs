using Commerce.Saml;
using Microsoft.AspNetCore.Http;

namespace Commerce.Federation.Saml;

/// <summary>A message by HTTP-POST.</summary>
internal static class SamlForm
{
    public static async Task<SamlResult<ReceivedMessage>> ReadAsync(HttpContext context, CancellationToken stop)
    {
        // A message in the address beside the one in the body: two parsers would see two messages.
        if (context.Request.Query.Keys.Any(key => key.StartsWith("SAML", StringComparison.OrdinalIgnoreCase)))
            return new SamlFault(FaultCodes.BindingInvalid, "SAML parameters in the query of a POST.");
        if (!context.Request.HasFormContentType) return new SamlFault(FaultCodes.BindingInvalid, "The body is not a form.");
        try
        {
            return PostBinding.Read(await context.Request.ReadFormAsync(stop));
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or BadHttpRequestException or IOException)
        {
            return new SamlFault(FaultCodes.BindingInvalid, "The form cannot be read.");
        }
    }
}
