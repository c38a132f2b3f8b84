using Commerce.Purchases.Api;
using FluentValidation;

namespace Commerce.Purchases.Bookings;

/// <summary>A booking as a partner writes it.</summary>
internal sealed record PostedBooking
{
    /// <summary>The hop that brought the customer, from the <c>hop</c> claim.</summary>
    public string? Hop { get; init; }
    public string? StartsAt { get; init; }
    public IReadOnlyList<PostedService?>? Services { get; init; }

    /// <summary>Where the order should be sent instead, or absent where it stays as it was.</summary>
    public PostedShipTo? ShipTo { get; init; }

    /// <summary>The partner's own number of the booking.</summary>
    public string? Reference { get; init; }
}

internal sealed record PostedService
{
    public string? Code { get; init; }
    public string? Title { get; init; }
    public int? Quantity { get; init; }
    public string? Price { get; init; }
}

internal sealed record PostedShipTo
{
    public string? Name { get; init; }
    public string? StreetAddress { get; init; }
    public string? PostalCode { get; init; }
    public string? Locality { get; init; }
    public string? Country { get; init; }
}

internal sealed class BookingRules : AbstractValidator<PostedBooking>
{
    private const int MostServices = 50;

    public BookingRules(TimeProvider clock)
    {
        RuleFor(b => b.Hop).Must(hop => hop is { Length: > 0 and <= 128 } && hop.All(c => c is > ' ' and <= '~')).WithMessage("Give the hop's id as you received it.");
        RuleFor(b => b.StartsAt).Must(text => Check.TryInstant(text, out _)).WithMessage("Give date, time and offset, such as 2026-10-12T09:30:00+03:00.");
        RuleFor(b => b.StartsAt).Must(text => !Check.TryInstant(text, out var at) || (at > clock.GetUtcNow().AddDays(-1) && at < clock.GetUtcNow().AddYears(3)))
            .WithMessage("Give a time from yesterday on, within three years.");
        RuleFor(b => b.Services).Must(services => services is { Count: >= 1 and <= MostServices }).WithMessage($"Give 1 to {MostServices} services.");
        RuleForEach(b => b.Services).NotNull().WithMessage("A service is an object.").SetValidator(new ServiceRules()!).When(b => b.Services is { Count: <= MostServices });
        RuleFor(b => b.ShipTo!).SetValidator(new ShipToRules()).When(b => b.ShipTo is not null);
        RuleFor(b => b.Reference).Text(64);
    }

    private sealed class ServiceRules : AbstractValidator<PostedService>
    {
        public ServiceRules()
        {
            RuleFor(s => s.Code).Text(64);
            RuleFor(s => s.Title).Text(200);
            RuleFor(s => s.Quantity).Must(count => count is null or (>= 1 and <= 9999)).WithMessage("Give a whole number, 1 to 9999, or leave it out.");
            RuleFor(s => s.Price).Money().When(s => s.Price is not null);
        }
    }

    private sealed class ShipToRules : AbstractValidator<PostedShipTo>
    {
        public ShipToRules()
        {
            RuleFor(a => a.Name).Text(100);
            RuleFor(a => a.StreetAddress).Text(200);
            RuleFor(a => a.PostalCode).Text(20);
            RuleFor(a => a.Locality).Text(100);
            RuleFor(a => a.Country).Country();
        }
    }
}
