using System.Buffers;
using System.Text.Json;
using Commerce.Kernel;

namespace Commerce.Purchases.Orders;

/// <summary>An order as a shop writes it: <c>POST /api/orders</c>, and one line of an import. Everything may be missing until it is checked.</summary>
internal sealed record PostedOrder
{
    public string? OrderNumber { get; init; }
    public string? Banner { get; init; }
    public PostedCustomer? Customer { get; init; }
    public string? PlacedAt { get; init; }
    public string? Currency { get; init; }
    public IReadOnlyList<PostedLine?>? Lines { get; init; }
    public PostedVehicle? Vehicle { get; init; }
    public PostedFulfilment? Fulfilment { get; init; }

    /// <summary>
    /// The same bytes for the same order, however it was spaced and in whatever order its members came: what tells a repetition from
    /// another order under the same key.
    /// </summary>
    public byte[] Canonical() => JsonSerializer.SerializeToUtf8Bytes(
        this with { Lines = Lines is null ? null : [.. Lines.Select(line => line is { Properties: { } bag } ? line with { Properties = Sorted(bag) } : line)] },
        HubJson.Options);

    private static JsonElement Sorted(JsonElement bag)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var property in bag.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal)) property.WriteTo(json);
            json.WriteEndObject();
        }
        return JsonElement.Parse(buffer.WrittenSpan);
    }
}

internal sealed record PostedCustomer
{
    public string? Email { get; init; }
}

internal sealed record PostedLine
{
    public int? Line { get; init; }
    public string? Gtin { get; init; }
    public string? Sku { get; init; }
    public string? Description { get; init; }
    public string? Category { get; init; }
    public int? Quantity { get; init; }
    public string? UnitPrice { get; init; }
    public JsonElement? Properties { get; init; }
}

internal sealed record PostedVehicle
{
    public string? Registration { get; init; }
    public string? Country { get; init; }
    public string? Make { get; init; }
    public string? Model { get; init; }
    public int? Year { get; init; }
    public string? TireSize { get; init; }
}

internal sealed record PostedFulfilment
{
    public string? Method { get; init; }
    public PostedAddress? Address { get; init; }
}

internal sealed record PostedAddress
{
    public string? StreetAddress { get; init; }
    public string? PostalCode { get; init; }
    public string? Locality { get; init; }
    public string? Region { get; init; }
    public string? Country { get; init; }
}
