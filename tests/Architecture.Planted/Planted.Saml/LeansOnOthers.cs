using Microsoft.AspNetCore.Http;
using Planted.Beta.Contracts;

namespace Planted.Saml;

/// <summary>Breaks: a library knows a module's contracts, and the web server.</summary>
public static class LeansOnOthers
{
    public static object Ask(HttpContext context) => new AskBeta(context.Request.Path.HasValue ? Guid.Empty : Guid.AllBitsSet);
}
