using System.Text.Json;

namespace Commerce.Demo.Sites;

/// <summary>A small store for a demo site: everything in memory, and one file that is replaced whole.</summary>
internal sealed class JsonFile<T> where T : class
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };
    private readonly string path;
    private readonly Lock gate = new();
    private Dictionary<string, T> all;

    public JsonFile(DirectoryInfo folder, string name)
    {
        path = Path.Combine(folder.FullName, name);
        all = File.Exists(path) ? JsonSerializer.Deserialize<Dictionary<string, T>>(File.ReadAllBytes(path)) ?? [] : [];
    }

    public T? Find(string key)
    {
        lock (gate) return all.GetValueOrDefault(key);
    }

    public IReadOnlyList<T> All()
    {
        lock (gate) return [.. all.Values];
    }

    public void Put(string key, T value)
    {
        lock (gate)
        {
            all = new Dictionary<string, T>(all) { [key] = value };
            AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(all, Json));
        }
    }
}

internal static class AtomicFile
{
    /// <summary>Whoever reads the file sees the old content or the new, never a part.</summary>
    public static void Write(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllBytes(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }
}
