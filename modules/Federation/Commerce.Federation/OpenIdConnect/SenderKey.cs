using System.Text.Json;

namespace Commerce.Federation.OpenIdConnect;

/// <summary>The key to which a token is bound: whoever uses the token proves that they hold it (RFC 7800 §3.1).</summary>
/// <param name="Method"><see cref="Jkt"/> or <see cref="Certificate"/>, the member of <c>cnf</c>.</param>
/// <param name="Thumbprint">SHA-256, 43 base64url characters.</param>
internal sealed record SenderKey(string Method, string Thumbprint)
{
    /// <summary>Thumbprint of a DPoP key (RFC 9449 §6.1).</summary>
    public const string Jkt = "jkt";

    /// <summary>Thumbprint of a certificate (RFC 8705 §3.1).</summary>
    public const string Certificate = "x5t#S256";

    public bool IsDpop => Method == Jkt;

    /// <summary>As a grant keeps it.</summary>
    public string Text => $"{Method}:{Thumbprint}";

    public static SenderKey? Of(string? text) => text?.Split(':') is [var method, var thumbprint] ? new SenderKey(method, thumbprint) : null;

    public static SenderKey OfDpop(string thumbprint) => new(Jkt, thumbprint);

    public void WriteConfirmation(Utf8JsonWriter json)
    {
        json.WriteStartObject("cnf");
        json.WriteString(Method, Thumbprint);
        json.WriteEndObject();
    }

    /// <summary>The key in a token's <c>cnf</c>. False where there is one that is not understood: such a token opens nothing.</summary>
    public static bool TryRead(JsonElement claims, out SenderKey? key)
    {
        key = null;
        if (!claims.TryGetProperty("cnf", out var confirmation)) return true;
        if (confirmation.ValueKind != JsonValueKind.Object) return false;
        foreach (var member in confirmation.EnumerateObject())
        {
            if (key is not null || member.Name is not (Jkt or Certificate) || member.Value.ValueKind != JsonValueKind.String) return false;
            key = new SenderKey(member.Name, member.Value.GetString()!);
        }
        return key is not null;
    }
}
