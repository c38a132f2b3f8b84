using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Commerce.Kernel;

/// <summary>Either a value or the reason why not.</summary>
[JsonConverter(typeof(ResultJson))]
public readonly struct Result<T>
{
    private readonly T? value;

    private Result(T? value, Refusal? refusal) => (this.value, Refusal) = (value, refusal);

    /// <summary>Why not, or null where there is a value.</summary>
    public Refusal? Refusal { get; }

    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool IsOk => Refusal is null;

    /// <exception cref="InvalidOperationException">There is no value: the result is a refusal.</exception>
    public T Value => IsOk ? value! : throw new InvalidOperationException($"Refused: {Refusal.Code}");

    public bool TryGet([MaybeNullWhen(false)] out T got, [NotNullWhen(false)] out Refusal? refusal)
    {
        (got, refusal) = (value, Refusal);
        return refusal is null;
    }

    public TOut Match<TOut>(Func<T, TOut> ok, Func<Refusal, TOut> no) => IsOk ? ok(value!) : no(Refusal);

    internal static Result<T> From(T value) => new(value, null);

    public static implicit operator Result<T>(T value) => new(value, null);
    public static implicit operator Result<T>(Refusal refusal) => new(default, refusal);

    public override string ToString() => IsOk ? $"ok: {typeof(T).Name}" : $"refused: {Refusal.Code}";
}

public static class Result
{
    /// <summary>The value as a result. Needed where its type is an interface, which converts to nothing by itself.</summary>
    public static Result<T> Of<T>(T value) => Result<T>.From(value);
}

/// <summary>Lets a result cross a process boundary: <c>{"value":…}</c> or <c>{"refusal":…}</c>.</summary>
internal sealed class ResultJson : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Result<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Converter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed record Wire<T>(T? Value, Refusal? Refusal);

    private sealed class Converter<T> : JsonConverter<Result<T>>
    {
        public override Result<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var wire = JsonSerializer.Deserialize<Wire<T>>(ref reader, options) ?? throw new JsonException("A result is an object.");
            return wire.Refusal is { } no ? no : wire.Value!;
        }

        public override void Write(Utf8JsonWriter writer, Result<T> value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new Wire<T>(value.IsOk ? value.Value : default, value.Refusal), options);
    }
}
