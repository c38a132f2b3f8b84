using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using Commerce.Kernel;
using Microsoft.AspNetCore.Http;

namespace Commerce.Purchases.Api;

/// <summary>A posted body as read: the value, who sent it, and the key under which the sender may repeat it.</summary>
/// <param name="Client">The API client of the access token.</param>
/// <param name="Key">SHA-256 of the Idempotency-Key header: keys are unique per client, and their text is of no use here.</param>
internal sealed record ApiBody<T>(T Value, string Client, byte[] Key);

internal static partial class ApiBody
{
    /// <summary>Reads header and body strictly. Unknown and repeated members are refused by name.</summary>
    public static async Task<Result<ApiBody<T>>> ReadAsync<T>(HttpContext context) where T : class
    {
        if (context.User.ApiClientId() is not { Length: > 0 and <= 128 } client) return Refusals.NoClient;
        if (context.Request.Headers["Idempotency-Key"] is not [{ Length: > 0 and <= 128 } key] || key.Any(c => c is < '!' or > '~')) return Refusals.KeyMissing;
        if (!context.Request.HasJsonContentType()) return Refusals.NotJson;

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var read = Read<T>(body.GetBuffer().AsSpan(0, (int)body.Length));
        return read.TryGet(out var value, out var refusal) ? new ApiBody<T>(value, client, SHA256.HashData(Encoding.ASCII.GetBytes(key))) : refusal;
    }

    public static Result<T> Read<T>(ReadOnlySpan<byte> json) where T : class
    {
        if (!Utf8.IsValid(json)) return Refusals.Malformed.With(new FieldError("", "This is not UTF-8."));
        try
        {
            return JsonSerializer.Deserialize<T>(json, HubJson.Options) is { } value ? value : Refusals.Malformed.With(new FieldError("", "Send a JSON object."));
        }
        catch (JsonException error)
        {
            return Refusals.Malformed.With(Explain(error));
        }
    }

    private static FieldError Explain(JsonException error)
    {
        var field = error.Path is { Length: > 0 } path ? path.TrimStart('$').TrimStart('.') : "";
        if (field.Length > 200) field = field[..200];
        if (error.Message.Contains("could not be mapped", StringComparison.Ordinal)) return new FieldError(field, "There is no such member.");
        if (error.Message.StartsWith("Duplicate property", StringComparison.Ordinal)) return new FieldError(field, "A member stands here twice.");
        if (Converted().IsMatch(error.Message)) return new FieldError(field, field.Length == 0 ? "Send a JSON object." : "The value has the wrong JSON type.");
        return new FieldError(field, $"This is not JSON: line {(error.LineNumber ?? 0) + 1}, byte {(error.BytePositionInLine ?? 0) + 1}.");
    }

    [GeneratedRegex("could not be converted")] private static partial Regex Converted();
}
