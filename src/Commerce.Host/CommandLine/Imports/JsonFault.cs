using System.Text.Json;
using System.Text.RegularExpressions;

namespace Commerce.Host.CommandLine.Imports;

/// <summary>What is wrong with a piece of JSON, in a sentence that names the member.</summary>
internal static partial class JsonFault
{
    public static string Sentence(JsonException error)
    {
        var member = error.Path is { Length: > 1 } path ? path.TrimStart('$').TrimStart('.') : "";
        if (Unknown().Match(error.Message) is { Success: true } unknown) return $"There is no member '{unknown.Groups[1].Value}' here.";
        if (Missing().Match(error.Message) is { Success: true } missing) return $"The member {missing.Groups[1].Value.Replace(";", ",", StringComparison.Ordinal)} is missing.";
        if (Twice().Match(error.Message) is { Success: true } twice) return $"The member '{twice.Groups[1].Value}' stands here twice.";
        if (error.Message.Contains("could not be converted", StringComparison.Ordinal) || error.Message.Contains("doesn't allow", StringComparison.Ordinal))
            return member.Length == 0 ? "A JSON object is expected." : $"The member '{member}' has a value of the wrong kind.";
        return error.BytePositionInLine is { } at ? $"This is not JSON from byte {at + 1}{(error.LineNumber is > 0 and var line ? $" of line {line + 1}" : "")} on." : "This is not JSON.";
    }

    [GeneratedRegex("^The JSON property '([^']*)' could not be mapped")] private static partial Regex Unknown();
    [GeneratedRegex("missing required properties including: (.+?)\\.?$")] private static partial Regex Missing();
    [GeneratedRegex("^Duplicate property '([^']*)'")] private static partial Regex Twice();
}
