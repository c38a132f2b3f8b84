using System.Globalization;
using System.Security.Cryptography;
using Commerce.Demo.Sites;
using Commerce.PartnerKit;
using Microsoft.AspNetCore.Mvc;

namespace Commerce.Demo.Tires;

/// <summary>A booking as the workshop keeps it.</summary>
/// <param name="Customer">The hub's subject for this customer here.</param>
/// <param name="ToldHub">The hub has it; false where it still has to be told.</param>
internal sealed record Booking(
    string Number, string Customer, string Name, string? Phone, string Registration, DateTimeOffset StartsAt, IReadOnlyList<string> Services,
    string? Hop, string? Receipt, bool ToldHub);

/// <summary>The page on which a hop lands: the customer is known, and what can be filled in is filled in.</summary>
internal static class Book
{
    private static readonly HubShipTo Workshop = new(TireSite.Name, "Kolarintie 7", "01510", "Vantaa", "FI");
    private static readonly TimeSpan[] Hours = [new(9, 0, 0), new(13, 30, 0)];

    /// <summary>The workshop's own customer list. A regular is recognised only by an address that the hub says is verified.</summary>
    private static readonly Dictionary<string, string> Regulars = new(StringComparer.OrdinalIgnoreCase)
    {
        ["aino.virtanen@example.com"] = "Your summer wheels can go back to shelf B-12, as last year.",
        ["johan.lindqvist@example.com"] = "Last time you asked us to mind the locking nuts: the key was in the glove box.",
    };

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/book", (HttpContext context, SiteSettings settings, TimeProvider clock) => Show(context, settings, clock.GetUtcNow(), null)).RequireAuthorization();

        routes.MapPost("/book", async Task<IResult> ([FromForm] BookForm form, HttpContext context, SiteSettings settings, JsonFile<Booking> bookings, HubApi hub,
            TimeProvider clock, CancellationToken stop) =>
        {
            var customer = context.GetCommerceCustomer()!;
            var now = clock.GetUtcNow();
            if (Slots.Find(form.Slot, now, Hours) is not { } start) return Show(context, settings, now, "Please choose a time.");
            if (string.IsNullOrWhiteSpace(form.Name) || string.IsNullOrWhiteSpace(form.Registration)) return Show(context, settings, now, "Please give your name and the car's registration.");
            string[] services = form.Air == "1" ? ["fitting", "air-conditioning"] : ["fitting"];
            var booking = new Booking($"KA-{RandomNumberGenerator.GetInt32(10_000_000):D7}", customer.Subject, form.Name.Trim(), form.Phone?.Trim(),
                form.Registration.Trim(), start, services, context.GetHop()?.Id, customer.ConsentReceipt, false);
            bookings.Put(booking.Number, booking);
            await TellHub(bookings, hub, booking, stop);
            return new Go($"/booked/{booking.Number}");
        }).RequireAuthorization();

        routes.MapGet("/booked/{number}", async (string number, HttpContext context, SiteSettings settings, JsonFile<Booking> bookings, HubApi hub, CancellationToken stop) =>
        {
            var frame = TireSite.Frame(settings);
            if (bookings.Find(number) is not { } booking || booking.Customer != context.GetCommerceCustomer()!.Subject)
                return frame.Page("Booking", Html.Of($"<h1>There is no such booking of yours</h1>"), 404);
            if (!booking.ToldHub) booking = await TellHub(bookings, hub, booking, stop);
            return frame.Page("Booked", Html.Of($"""
                <div class="note good" role="status"><p><strong>Booked.</strong> We look forward to seeing you, {booking.Name}.</p></div>
                <h1>{Slots.Words(booking.StartsAt)}</h1>
                <div class="card"><dl>
                  <dt>Booking</dt><dd>{booking.Number}</dd>
                  <dt>Car</dt><dd>{booking.Registration}</dd>
                  <dt>What we do</dt><dd>{string.Join(" and ", booking.Services.Select(s => s == "fitting" ? "tire fitting" : "air-conditioning service"))}</dd>
                  <dt>Where</dt><dd>Kolarintie 7, Vantaa</dd>
                  <dt>Your tires</dt><dd>{(booking.ToldHub ? $"{settings.Retailer} knows about the booking and sends them to us." : booking.Hop is null ? "Bring them with you." : "We are telling the shop to send them to us.")}</dd>
                </dl></div>
                <p><a href="/">Back to {TireSite.Name}</a></p>
                """));
        }).RequireAuthorization();
    }

    /// <summary>Only a booking that came by a hop concerns the hub. The booking number is the idempotency key.</summary>
    private static async Task<Booking> TellHub(JsonFile<Booking> bookings, HubApi hub, Booking booking, CancellationToken stop)
    {
        if (booking.Hop is null) return booking;
        try
        {
            var services = booking.Services.Select(s => s == "fitting"
                ? new HubBookedService(s, "Tire fitting", Price: "79.00") : new HubBookedService(s, "Air-conditioning service", Price: "59.00"));
            var answer = await hub.PostBookingAsync(
                new HubBooking(booking.Hop, booking.StartsAt, [.. services], booking.Number, Workshop), booking.Number, stop);
            if (answer.IsSuccess) bookings.Put(booking.Number, booking = booking with { ToldHub = true });
        }
        catch (HttpRequestException)
        {
            // The hub is away. The page of the booking tries again.
        }
        return booking;
    }

    private static SitePage Show(HttpContext context, SiteSettings settings, DateTimeOffset now, string? wrong)
    {
        var customer = context.GetCommerceCustomer()!;
        var hop = context.GetHop();
        var regular = customer is { EmailVerified: true, Email: { } email } ? Regulars.GetValueOrDefault(email) : null;
        var greeting = customer.GivenName ?? customer.Name;
        return TireSite.Frame(settings).Page("Book a fitting", Html.Of($"""
            <h1>{(regular is null ? "Welcome" : "Welcome back")}{(greeting is null ? "" : $", {greeting}")}</h1>
            {Html.When(regular is not null, $"""<p class="lead">{regular}</p>""")}
            {Html.When(wrong is not null, $"""<div class="note bad" role="alert"><p>{wrong}</p></div>""")}
            {Arrives(hop)}
            <form method="post" action="/book">
              {context.FormToken()}
              <div class="card"><h2>When</h2>{Slots.Choice(now, Hours)}</div>
              <div class="card"><h2>You and your car</h2>
                <div class="two">
                  <div class="field"><label for="name">Name</label><input id="name" name="name" type="text" autocomplete="name" required maxlength="100" value="{customer.Name}"></div>
                  <div class="field"><label for="phone">Phone <small>if something changes</small></label><input id="phone" name="phone" type="tel" autocomplete="tel" maxlength="20" value="{customer.PhoneNumber}"></div>
                  <div class="field"><label for="registration">Registration</label><input id="registration" name="registration" type="text" required maxlength="16" value="{hop?.Vehicle?.Registration}"></div>
                  <div class="field"><label for="size">Tire size</label><input id="size" name="size" type="text" maxlength="16" value="{hop?.Vehicle?.TireSize}"></div>
                </div>
                {Html.When(customer.Email is not null, $"""<p class="quiet">We confirm to {customer.Email}.</p>""")}
              </div>
              <div class="card"><h2>While the car is here</h2>
                <label class="pick"><input type="checkbox" name="air" value="1"><span>Air-conditioning service<small>Check, refill and a new cabin filter · 59.00 €</small></span></label></div>
              <div class="actions"><button class="main">Book</button></div>
            </form>
            {Received.Show(customer, settings)}
            """), wrong is null ? 200 : 422);
    }

    private static Html Arrives(HopArrival? hop) => hop?.Purchase is not { } purchase ? Html.None : Html.Of($"""
        <div class="card"><h2>What we will fit{(hop.Vehicle is { } v ? $" to your {v.Make} {v.Model}".TrimEnd() : "")}</h2>
          <ul class="arrives">{Html.Join(purchase.Lines.Select(l => Html.Of($"<li>{l.Quantity} × {l.Description}</li>")))}</ul>
          <p class="quiet">From your order {purchase.OrderNumber}. Book a time and the tires come straight to us.</p></div>
        """);
}

internal sealed record BookForm(string? Slot, string? Name, string? Phone, string? Registration, string? Size, string? Air);
