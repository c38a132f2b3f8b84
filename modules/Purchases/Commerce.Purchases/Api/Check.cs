using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Kernel;
using FluentValidation;
using FluentValidation.Results;

namespace Commerce.Purchases.Api;

/// <summary>Rules that orders and bookings share, each with the sentence that says how to mend it.</summary>
internal static partial class Check
{
    /// <summary>Text of 1 to <paramref name="most"/> characters without control characters.</summary>
    public static IRuleBuilderOptions<T, string?> Text<T>(this IRuleBuilder<T, string?> rule, int most) => rule
        .Must(text => IsText(text, most)).WithMessage($"Give 1 to {most} characters, no control characters.");

    /// <summary>The same, where it may be left out.</summary>
    public static IRuleBuilderOptions<T, string?> OptionalText<T>(this IRuleBuilder<T, string?> rule, int most) => rule
        .Must(text => text is null || IsText(text, most)).WithMessage($"Give 1 to {most} characters, no control characters, or leave it out.");

    /// <summary>ISO 3166-1 alpha-2 in shape; the list itself changes too often to be kept here.</summary>
    public static IRuleBuilderOptions<T, string?> Country<T>(this IRuleBuilder<T, string?> rule) => rule
        .Must(code => code is { Length: 2 } && code.All(char.IsAsciiLetterUpper)).WithMessage("Give two capital letters (ISO 3166-1), such as FI.");

    /// <summary>A decimal of at most four places, as text: binary floating point cannot hold 129.90.</summary>
    public static IRuleBuilderOptions<T, string?> Money<T>(this IRuleBuilder<T, string?> rule) => rule
        .Must(text => text is not null && Decimal().IsMatch(text)).WithMessage("Give a decimal of 0 or more as text with a point and at most four places, such as \"129.90\".");

    /// <summary>An RFC 3339 instant with its offset.</summary>
    public static bool TryInstant(string? text, out DateTimeOffset at)
    {
        at = default;
        return text is not null && Instant().IsMatch(text)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out at) && at.Year is > 1970 and < 9999;
    }

    public static bool IsText(string? text, int most) => text is { Length: > 0 } && text.Length <= most && !text.Any(char.IsControl) && !HasLoneSurrogate(text);

    /// <summary>The failures under the names that the caller used.</summary>
    public static IReadOnlyList<FieldError> Errors(this ValidationResult result) =>
        [.. result.Errors.Take(50).Select(failure => new FieldError(
            string.Join('.', failure.PropertyName.Split('.').Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)), failure.ErrorMessage))];

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }
        return false;
    }

    [GeneratedRegex(@"^[0-9]{1,9}(\.[0-9]{1,4})?\z")] private static partial Regex Decimal();
    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?(Z|[+-][0-9]{2}:[0-9]{2})\z")] private static partial Regex Instant();
}
