namespace Commerce.Testing;

/// <summary>A folder of the test's own, gone when the test ends.</summary>
public sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("commerce-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // a process that was just killed may still be letting go of a file; the system clears its temporary folder
        }
    }
}
