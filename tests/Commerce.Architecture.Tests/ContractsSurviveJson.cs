using Xunit;
using System.Collections;
using System.Reflection;
using System.Text.Json;
using Commerce.Kernel;
using MediatR;

namespace Commerce.Architecture.Tests;

/// <summary>
/// A module may move into a process of its own, so every record of Contracts must come out of JSON as it went in. Instances are made
/// by reflection from a fixed seed, with and without their optional members.
/// </summary>
public sealed class ContractsSurviveJson
{
    public static TheoryData<string> RealRecords() => Names(Landscape.Real);

    [Theory]
    [MemberData(nameof(RealRecords))]
    public void A_contract_record_survives_json(string type) => Assert.Equal("", Fault(Find(Landscape.Real, type)) ?? "");

    [Theory]
    [InlineData("Planted.Alpha.Contracts.AskAlpha")]
    [InlineData("Planted.Alpha.Contracts.AlphaAnswer")]
    [InlineData("Planted.Alpha.Contracts.AlphaHappened")]
    public void A_planted_record_that_obeys_survives_json(string type) => Assert.Null(Fault(Find(Landscape.Planted, type)));

    [Theory]
    [InlineData("Planted.Beta.Contracts.LosesItsType")]
    [InlineData("Planted.Beta.Contracts.LosesAValue")]
    [InlineData("Planted.Beta.Contracts.CannotBeWritten")]
    public void A_planted_record_that_does_not_survive_json_is_caught(string type) => Assert.NotNull(Fault(Find(Landscape.Planted, type)));

    private static TheoryData<string> Names(Landscape all) =>
        [.. all.Modules.Where(m => m.Contracts is not null).SelectMany(m => m.Contracts!.MainModule.Types).Where(t => t.IsPublic && !t.IsEnum).Select(t => t.FullName)];

    private static Type Find(Landscape all, string type) =>
        all.Modules.Where(m => m.Contracts is not null).Select(m => Assembly.Load(m.Contracts!.Name.Name).GetType(type)).First(t => t is not null)!;

    /// <summary>What goes wrong, or null. A request's answer is held to the same.</summary>
    private static string? Fault(Type type)
    {
        foreach (var held in Answers(type).Prepend(type))
        {
            for (var seed = 0; seed < 25; seed++)
            {
                try
                {
                    var before = new Maker(seed).Make(held, 0);
                    var json = JsonSerializer.Serialize(before, held, HubJson.Options);
                    var after = JsonSerializer.Deserialize(json, held, HubJson.Options);
                    if (Difference(before, after, held.Name) is { } at) return $"{at} changed on the way through {json}";
                }
                catch (Exception error) when (error is NotSupportedException or JsonException or InvalidOperationException)
                {
                    return $"{held}: {error.Message}";
                }
            }
        }
        return null;
    }

    private static IEnumerable<Type> Answers(Type request) =>
        request.GetInterfaces().Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRequest<>)).Select(i => i.GetGenericArguments()[0]);

    private static string? Difference(object? a, object? b, string path)
    {
        if (a is null || b is null) return a is null && b is null ? null : path;
        if (a is JsonElement left) return b is JsonElement right && JsonElement.DeepEquals(left, right) ? null : path;
        if (a is string or Guid or DateTimeOffset or TimeSpan or Enum || a.GetType().IsPrimitive || a is decimal) return a.Equals(b) ? null : path;
        if (a is IDictionary map)
        {
            if (b is not IDictionary other || other.Count != map.Count) return path;
            foreach (DictionaryEntry entry in map)
            {
                if (!other.Contains(entry.Key) || Difference(entry.Value, other[entry.Key], $"{path}[{entry.Key}]") is not null) return $"{path}[{entry.Key}]";
            }
            return null;
        }
        if (a is IEnumerable list)
        {
            if (b is not IEnumerable others) return path;
            var (one, two) = (list.Cast<object?>().ToList(), others.Cast<object?>().ToList());
            if (one.Count != two.Count) return path;
            return one.Zip(two).Select((pair, i) => Difference(pair.First, pair.Second, $"{path}[{i}]")).FirstOrDefault(d => d is not null);
        }
        if (a.GetType() != b.GetType()) return path;
        // A result throws on asking for the value of a refusal: look at what it holds.
        const BindingFlags members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (var field in a.GetType().GetFields(members))
        {
            if (Difference(field.GetValue(a), field.GetValue(b), $"{path}.{field.Name}") is { } found) return found;
        }
        return null;
    }

    /// <summary>Makes instances of any record, deep enough to fill what it holds.</summary>
    private sealed class Maker(int seed)
    {
        private static readonly NullabilityInfoContext Nullability = new();
        private readonly Random random = new(seed);

        public object? Make(Type type, int depth)
        {
            if (Nullable.GetUnderlyingType(type) is { } inner) return random.Next(3) == 0 ? null : Make(inner, depth);
            if (type == typeof(string)) return $"é민\"\\{random.Next(1000)}";
            if (type == typeof(Guid)) return Guid.NewGuid();
            if (type == typeof(bool)) return random.Next(2) == 0;
            if (type == typeof(int)) return random.Next(int.MinValue, int.MaxValue);
            if (type == typeof(long)) return random.NextInt64(long.MinValue, long.MaxValue);
            if (type == typeof(double)) return random.NextDouble();
            if (type == typeof(decimal)) return random.Next(1_000_000) / 100m;
            if (type == typeof(DateTimeOffset)) return new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(random.Next(-12, 13))).AddTicks(random.NextInt64(1L << 50));
            if (type == typeof(DateOnly)) return new DateOnly(2026, 1, 1).AddDays(random.Next(1000));
            if (type == typeof(TimeSpan)) return TimeSpan.FromTicks(random.NextInt64(1L << 50));
            if (type == typeof(byte[])) return Enumerable.Range(0, random.Next(40)).Select(_ => (byte)random.Next(256)).ToArray();
            if (type == typeof(Uri)) return new Uri($"https://example.com/{random.Next(1000)}");
            if (type == typeof(JsonElement)) return JsonSerializer.SerializeToElement(new { text = $"é{random.Next(10)}", number = random.Next(10), list = new[] { 1, 2 } });
            if (type == typeof(object)) return random.Next();
            if (type == typeof(Unit)) return Unit.Value;
            if (type.IsEnum) return random.GetItems(Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(v => Enum.ToObject(type, v)).ToArray(), 1)[0];
            if (type == typeof(Type)) return typeof(string);
            if (type.IsArray) return Fill(type.GetElementType()!, depth);
            if (type.IsGenericType)
            {
                var (shape, of) = (type.GetGenericTypeDefinition(), type.GetGenericArguments());
                if (shape == typeof(Result<>)) return random.Next(2) == 0 ? Implicit(type, new Refusal("planted.no", 409, "No.") { Errors = [new FieldError("a", "b")] }) : Implicit(type, Make(of[0], depth));
                if (shape == typeof(IReadOnlyDictionary<,>) || shape == typeof(Dictionary<,>)) return Map(of[0], of[1], depth);
                if (of.Length == 1 && typeof(IEnumerable).IsAssignableFrom(type)) return Fill(of[0], depth);
            }
            return Record(type, depth);
        }

        private object Record(Type type, int depth)
        {
            var constructor = type.GetConstructors().MinBy(c => c.GetParameters() is [{ } one] && one.ParameterType == type ? 1 : 0)
                ?? throw new InvalidOperationException($"{type} has no public constructor.");
            var made = constructor.Invoke([.. constructor.GetParameters().Select(p => Member(p.ParameterType, Nullability.Create(p), depth))]);
            foreach (var property in type.GetProperties().Where(p => p.SetMethod is not null && constructor.GetParameters().All(c => c.Name != p.Name)))
                property.SetValue(made, Member(property.PropertyType, Nullability.Create(property), depth));
            return made;
        }

        private object? Member(Type type, NullabilityInfo info, int depth) =>
            info.ReadState == NullabilityState.Nullable && (depth > 2 || random.Next(3) == 0) ? null : Make(type, depth + 1);

        private Array Fill(Type element, int depth)
        {
            var array = Array.CreateInstance(element, random.Next(depth > 3 ? 1 : 4));
            for (var i = 0; i < array.Length; i++) array.SetValue(Make(element, depth + 1), i);
            return array;
        }

        private object Map(Type key, Type value, int depth)
        {
            var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(key, value))!;
            for (var i = random.Next(4); i > 0; i--) map[Make(key, depth + 1)!] = Make(value, depth + 1);
            return map;
        }

        private static object Implicit(Type result, object? value) =>
            result.GetMethods().Single(m => m.Name == "op_Implicit" && m.GetParameters()[0].ParameterType.IsAssignableFrom(value?.GetType() ?? typeof(void))).Invoke(null, [value])!;
    }
}
