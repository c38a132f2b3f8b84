using System.Text.Json;
using Commerce.Kernel;

namespace Commerce.Federation.Partners;

/// <summary>
/// Reads one JSON object member by member and gathers what is wrong with it, each with its path, so that an operator mends a file
/// in one go. A member that nobody asked for is an error: a typing error is found at once.
/// </summary>
internal sealed class JsonReader
{
    private readonly JsonElement json;
    private readonly string path;
    private readonly List<FieldError> errors;
    private readonly HashSet<string> known = new(StringComparer.Ordinal);

    private JsonReader(JsonElement json, string path, List<FieldError> errors) => (this.json, this.path, this.errors) = (json, path, errors);

    /// <summary>The object in the text; null, with an error noted, where there is none.</summary>
    public static JsonReader? Open(string text, List<FieldError> errors)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 16 });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return new JsonReader(document.RootElement.Clone(), "", errors);
            errors.Add(new FieldError("", "A JSON object is expected."));
        }
        catch (JsonException error)
        {
            errors.Add(new FieldError("", $"Not JSON: line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}. Members may not be repeated."));
        }
        return null;
    }

    public IEnumerable<string> Names => json.EnumerateObject().Select(member => member.Name);

    public string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    public void No(string name, string message) => errors.Add(new FieldError(PathOf(name), message));

    public bool Has(string name) => Member(name) is not null;

    /// <summary>The member as it is, or null where it is missing or null.</summary>
    public JsonElement? Member(string name)
    {
        known.Add(name);
        return json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public string? Text(string name, int longest, bool required = false)
    {
        if (Member(name) is not { } value)
        {
            if (required) No(name, "Is needed.");
            return null;
        }
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Trim().Length > 0 && text.Length <= longest && !text.Any(char.IsControl))
            return text;
        No(name, $"A text of 1 to {longest} characters is expected.");
        return null;
    }

    public int? Number(string name, int smallest, int largest)
    {
        if (Member(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) && number >= smallest && number <= largest) return number;
        No(name, $"A whole number from {smallest} to {largest} is expected.");
        return null;
    }

    public bool Flag(string name)
    {
        if (Member(name) is not { } value) return false;
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) No(name, "true or false is expected.");
        return value.ValueKind == JsonValueKind.True;
    }

    /// <summary>A list of texts; empty where it is missing.</summary>
    public IReadOnlyList<string> Texts(string name, int most, int longest)
    {
        if (Member(name) is not { } value) return [];
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= most
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String && item.GetString() is { Length: > 0 } text && text.Length <= longest))
        {
            var texts = value.EnumerateArray().Select(item => item.GetString()!).ToList();
            if (texts.Distinct(StringComparer.Ordinal).Count() == texts.Count) return texts;
        }
        No(name, $"A list of at most {most} different texts is expected, each of 1 to {longest} characters.");
        return [];
    }

    /// <summary>A list of objects, at least one.</summary>
    public IReadOnlyList<JsonReader> Objects(string name, int most)
    {
        if (Member(name) is { ValueKind: JsonValueKind.Array } value && value.GetArrayLength() is > 0 and var count && count <= most
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object))
        {
            return [.. value.EnumerateArray().Select((item, i) => new JsonReader(item, $"{PathOf(name)}[{i}]", errors))];
        }
        No(name, $"A list of 1 to {most} objects is expected.");
        return [];
    }

    public JsonReader? Object(string name, bool required = true)
    {
        if (Member(name) is { ValueKind: JsonValueKind.Object } value) return new JsonReader(value, PathOf(name), errors);
        if (required || Has(name)) No(name, "An object is expected.");
        return null;
    }

    /// <summary>Texts by two-letter language; <c>en</c> has to be there, for it stands in for those that are not.</summary>
    public IReadOnlyDictionary<string, string> Languages(string name, int longest)
    {
        var texts = new Dictionary<string, string>();
        if (Object(name) is not { } languages) return texts;
        foreach (var language in languages.Names)
        {
            if (language.Length != 2 || !language.All(char.IsAsciiLetterLower)) languages.No(language, "A two-letter language code in lower case is expected.");
            else if (languages.Text(language, longest) is { } text) texts[language] = text;
        }
        if (!languages.Has("en")) languages.No("en", "Is needed: it stands in for languages without a text.");
        return texts;
    }

    /// <summary>Call last: names every member that was not asked for.</summary>
    public void Close()
    {
        foreach (var name in Names.Where(name => !known.Contains(name)))
            No(name.Length <= 64 ? name : name[..64], "There is no such member.");
    }
}
