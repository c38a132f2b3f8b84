using Commerce.Demo.Sites;
using Commerce.PartnerKit;

namespace Commerce.Demo.Fuel;

/// <summary>Asks the hub again what it would release now: after a withdrawal the answer is no.</summary>
internal static class MyData
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/my-data", async (HttpContext context, SiteSettings settings) =>
    {
        CommerceCustomer? now;
        try
        {
            now = await context.AskHubAgainAsync();
        }
        catch (HttpRequestException)
        {
            return FuelSite.Frame(settings).Page("My data", Html.Of($"<h1>Your data</h1><p>We cannot ask {settings.Retailer} at the moment. Please try again.</p>"), 503);
        }
        return FuelSite.Frame(settings).Page("My data", now is null
            ? Html.Of($"""
                <h1>Your data</h1>
                <div class="note" role="status"><p><strong>No longer shared.</strong> {settings.Retailer} does not release your details to us any more. We delete our copy.</p></div>
                """)
            : Html.Of($"""
                <h1>Your data</h1>
                <div class="note good" role="status"><p><strong>Shared with your consent.</strong> {settings.Retailer} confirmed it just now.</p></div>
                {Received.Show(now, settings)}
                """));
    }).RequireAuthorization();
}
