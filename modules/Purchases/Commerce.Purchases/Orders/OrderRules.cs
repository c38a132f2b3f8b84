using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Purchases.Api;
using FluentValidation;

namespace Commerce.Purchases.Orders;

/// <summary>What a right order looks like. Each sentence says how to mend what is wrong.</summary>
internal sealed partial class OrderRules : AbstractValidator<PostedOrder>
{
    public const int MostLines = 200;
    private const int MostPropertyBytes = 4096;

    /// <summary>Clocks of shops run ahead of ours by seconds, not by hours.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    public OrderRules(TimeProvider clock)
    {
        RuleFor(o => o.OrderNumber).Must(text => text is not null && Number().IsMatch(text))
            .WithMessage("Give 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit.");
        RuleFor(o => o.Banner).Must(text => text is not null && BannerId().IsMatch(text))
            .WithMessage("Give the banner's id: 1 to 64 lower-case letters, digits and dashes.");
        RuleFor(o => o.Customer).NotNull().WithMessage("Say whose order it is.");
        RuleFor(o => o.Customer!.Email).Must(EmailAddress.IsPlausible).When(o => o.Customer is not null)
            .WithMessage("Give an e-mail address of at most 254 characters.");
        RuleFor(o => o.PlacedAt).Must(text => Check.TryInstant(text, out _))
            .WithMessage("Give date, time and offset, such as 2026-10-05T14:12:33+03:00.");
        RuleFor(o => o.PlacedAt).Must(text => !Check.TryInstant(text, out var at) || at <= clock.GetUtcNow() + ClockSkew)
            .WithMessage("The order was placed in the future; check the shop's clock and the offset.");
        RuleFor(o => o.Currency).Must(code => code is { Length: 3 } && code.All(char.IsAsciiLetterUpper))
            .WithMessage("Give three capital letters (ISO 4217), such as EUR.");
        RuleFor(o => o.Lines).Must(lines => lines is { Count: >= 1 and <= MostLines }).WithMessage($"Give 1 to {MostLines} lines.");
        RuleFor(o => o.Lines).Must(lines => lines!.Where(l => l is not null).Select(l => l!.Line).Distinct().Count() == lines!.Count)
            .When(o => o.Lines is { Count: > 0 and <= MostLines } lines && lines.All(l => l is not null)).WithMessage("Two lines have the same number.");
        RuleForEach(o => o.Lines).NotNull().WithMessage("A line is an object.").SetValidator(new LineRules()!)
            .When(o => o.Lines is { Count: <= MostLines });
        RuleFor(o => o.Vehicle!).SetValidator(new VehicleRules(clock)).When(o => o.Vehicle is not null);
        RuleFor(o => o.Fulfilment).NotNull().WithMessage("Say how the goods reach the customer.");
        RuleFor(o => o.Fulfilment!.Method).Must(method => method is "home_delivery" or "store_pickup").When(o => o.Fulfilment is not null)
            .WithMessage("Give home_delivery or store_pickup.");
        RuleFor(o => o.Fulfilment!.Address!).SetValidator(new AddressRules()).When(o => o.Fulfilment?.Address is not null);
    }

    private sealed class LineRules : AbstractValidator<PostedLine>
    {
        public LineRules()
        {
            RuleFor(l => l.Line).Must(number => number is >= 1 and <= 9999).WithMessage("Give the line number, 1 to 9999.");
            RuleFor(l => l.Gtin).Must(gtin => gtin is null || Gtin.IsRight(gtin))
                .WithMessage("Give a GTIN of 8, 12, 13 or 14 digits with a right check digit, or leave it out.");
            RuleFor(l => l.Sku).Text(64);
            RuleFor(l => l.Description).Text(256);
            RuleFor(l => l.Category).Must(path => path is { Length: <= 128 } && CategoryPath().IsMatch(path))
                .WithMessage("Give a path of lower-case words, such as tires/winter; at most eight words and 128 characters.");
            RuleFor(l => l.Quantity).Must(count => count is >= 1 and <= 9999).WithMessage("Give a whole number, 1 to 9999.");
            RuleFor(l => l.UnitPrice).Money();
            RuleFor(l => l.Properties).Must(bag => bag is not { } value || AreProperties(value))
                .WithMessage("Give an object of texts, numbers and true or false, names of at most 64 characters, together at most 4 KB.");
        }

        private static bool AreProperties(JsonElement bag)
        {
            try
            {
                if (bag.ValueKind != JsonValueKind.Object || bag.GetRawText().Length > MostPropertyBytes) return false;
                foreach (var property in bag.EnumerateObject())
                {
                    if (!Check.IsText(property.Name, 64)) return false;
                    if (property.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)) return false;
                    if (property.Value.ValueKind == JsonValueKind.String && property.Value.GetString() is { Length: > 0 } text && !Check.IsText(text, MostPropertyBytes)) return false;
                }
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;   // an escape that is half a character
            }
        }
    }

    private sealed class VehicleRules : AbstractValidator<PostedVehicle>
    {
        public VehicleRules(TimeProvider clock)
        {
            RuleFor(v => v.Registration).Text(16);
            RuleFor(v => v.Country).Country();
            RuleFor(v => v.Make).OptionalText(64);
            RuleFor(v => v.Model).OptionalText(64);
            RuleFor(v => v.Year).Must(year => year is null || (year >= 1886 && year <= clock.GetUtcNow().Year + 2)).WithMessage("Give the model year, or leave it out.");
            RuleFor(v => v.TireSize).OptionalText(32);
        }
    }

    private sealed class AddressRules : AbstractValidator<PostedAddress>
    {
        public AddressRules()
        {
            RuleFor(a => a.StreetAddress).OptionalText(200);
            RuleFor(a => a.PostalCode).OptionalText(20);
            RuleFor(a => a.Locality).OptionalText(100);
            RuleFor(a => a.Region).OptionalText(100);
            RuleFor(a => a.Country).Country().When(a => a.Country is not null);
        }
    }

    // \z and not $, which would let a line break pass at the end.
    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")] private static partial Regex Number();
    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,63}\z")] private static partial Regex BannerId();
    [GeneratedRegex(@"^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*){0,7}\z")] private static partial Regex CategoryPath();
}

internal static partial class EmailAddress
{
    /// <summary>One @, something on both sides, a dot or a single label after it, and nothing that a mail header could trip over.</summary>
    public static bool IsPlausible(string? text) => text is { Length: <= 254 } && Shape().IsMatch(text) && !text.Any(char.IsControl);

    /// <summary>The form under which addresses are compared.</summary>
    public static string Normalise(string email) => email.Trim().ToLowerInvariant();

    [GeneratedRegex(@"^[^\s@""(),:;<>\[\]\\]{1,64}@[^\s@""(),:;<>\[\]\\]{1,190}\z")] private static partial Regex Shape();
}
