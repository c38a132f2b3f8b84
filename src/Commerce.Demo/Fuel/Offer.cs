using System.Security.Cryptography;
using Commerce.Demo.Sites;
using Commerce.PartnerKit;
using Microsoft.AspNetCore.Mvc;

namespace Commerce.Demo.Fuel;

/// <summary>A wash that was booked at a station.</summary>
/// <param name="Customer">The hub's subject for this customer here.</param>
internal sealed record Visit(string Number, string Customer, string Registration, string Station, DateTimeOffset StartsAt, string? Hop, bool ToldHub);

/// <summary>The page on which a hop lands: what this purchase brings here, and a wash to book with it.</summary>
internal static class Offer
{
    private static readonly TimeSpan[] Hours = [new(8, 0, 0), new(17, 15, 0)];
    private static readonly string[] Stations = ["Helsinki Pasila", "Vantaa Tikkurila", "Tampere Lielahti"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/offer", (HttpContext context, SiteSettings settings, TimeProvider clock) => Show(context, settings, clock.GetUtcNow(), null)).RequireAuthorization();

        routes.MapPost("/offer", async Task<IResult> ([FromForm] OfferForm form, HttpContext context, SiteSettings settings, JsonFile<Visit> visits, HubApi hub,
            TimeProvider clock, CancellationToken stop) =>
        {
            var now = clock.GetUtcNow();
            if (Slots.Find(form.Slot, now, Hours) is not { } start || !Stations.Contains(form.Station)) return Show(context, settings, now, "Please choose a station and a time.");
            if (string.IsNullOrWhiteSpace(form.Registration) || form.Registration.Length > 16) return Show(context, settings, now, "Please give the car's registration.");
            var visit = new Visit($"PF-{RandomNumberGenerator.GetInt32(10_000_000):D7}", context.GetCommerceCustomer()!.Subject, form.Registration.Trim(),
                form.Station!, start, context.GetHop()?.Id, false);
            visits.Put(visit.Number, visit);
            await TellHub(visits, hub, visit, stop);
            return new Go($"/booked/{visit.Number}");
        }).RequireAuthorization();

        routes.MapGet("/booked/{number}", async (string number, HttpContext context, SiteSettings settings, JsonFile<Visit> visits, HubApi hub, CancellationToken stop) =>
        {
            var frame = FuelSite.Frame(settings);
            if (visits.Find(number) is not { } visit || visit.Customer != context.GetCommerceCustomer()!.Subject)
                return frame.Page("Booking", Html.Of($"<h1>There is no such booking of yours</h1>"), 404);
            if (!visit.ToldHub) visit = await TellHub(visits, hub, visit, stop);
            return frame.Page("Booked", Html.Of($"""
                <div class="note good" role="status"><p><strong>Booked.</strong> Drive in and give your registration at the gate.</p></div>
                <h1>{Slots.Words(visit.StartsAt)}</h1>
                <div class="card"><dl>
                  <dt>Booking</dt><dd>{visit.Number}</dd><dt>Station</dt><dd>{visit.Station}</dd><dt>Car</dt><dd>{visit.Registration}</dd>
                  <dt>What we do</dt><dd>Wash with wheel rinse, and a tire pressure check</dd>
                  <dt>Price</dt><dd>{(visit.Hop is null ? "14.90 €" : "Free with your new tires")}</dd>
                </dl></div>
                <p><a href="/offer">Back to your offer</a></p>
                """));
        }).RequireAuthorization();
    }

    private static async Task<Visit> TellHub(JsonFile<Visit> visits, HubApi hub, Visit visit, CancellationToken stop)
    {
        if (visit.Hop is null) return visit;
        try
        {
            var answer = await hub.PostBookingAsync(new HubBooking(visit.Hop, visit.StartsAt,
                [new HubBookedService("wash", "Car wash", Price: "0.00"), new HubBookedService("tire-pressure", "Tire pressure check", Price: "0.00")],
                visit.Number), visit.Number, stop);
            if (answer.IsSuccess) visits.Put(visit.Number, visit = visit with { ToldHub = true });
        }
        catch (HttpRequestException)
        {
            // The hub is away. The page of the booking tries again.
        }
        return visit;
    }

    private static SitePage Show(HttpContext context, SiteSettings settings, DateTimeOffset now, string? wrong)
    {
        var customer = context.GetCommerceCustomer()!;
        var hop = context.GetHop();
        var bought = hop?.Purchase is { Lines.Count: > 0 } p ? string.Join(" and ", p.Lines.Select(l => $"{l.Quantity} × {l.Description}")) : null;
        var greeting = customer.GivenName ?? customer.Name;
        return FuelSite.Frame(settings).Page("Your offer", Html.Of($"""
            <h1>Hello{(greeting is null ? "" : $", {greeting}")}</h1>
            {Html.When(wrong is not null, $"""<div class="note bad" role="alert"><p>{wrong}</p></div>""")}
            {(bought is null
                ? Html.Of($"""<div class="card"><h2>No purchase with you today</h2><p>You signed in without an offer. You can still book a wash for 14.90 €.</p></div>""")
                : Html.Of($"""<div class="card deal"><p class="big">10 cents off a litre</p><p>For 30 days at every station, and a free wash, because you bought {bought}.</p></div>"""))}
            <form method="post" action="/offer">
              {context.FormToken()}
              <div class="card"><h2>Wash and tire pressure check</h2>
                <div class="two">
                  <div class="field"><label for="station">Station</label><select id="station" name="station">{Html.Join(Stations.Select(s => Html.Of($"<option>{s}</option>")))}</select></div>
                  <div class="field"><label for="registration">Registration</label><input id="registration" name="registration" type="text" required maxlength="16" value="{hop?.Vehicle?.Registration}"></div>
                </div>
                {Slots.Choice(now, Hours)}
              </div>
              <div class="actions"><button class="main">Book the wash</button></div>
            </form>
            {Received.Show(customer, settings)}
            """), wrong is null ? 200 : 422);
    }
}

internal sealed record OfferForm(string? Slot, string? Station, string? Registration);
