using System.Diagnostics;

namespace Commerce.Testing;

/// <summary>Waits for a condition, and says which one did not come true.</summary>
public static class Wait
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <param name="patience">Null for half a minute.</param>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan? patience = null)
    {
        var longest = patience ?? Patience;
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > longest) throw new TimeoutException($"Waited {longest.TotalSeconds:0} s in vain until {what}.");
            await Task.Delay(20);
        }
    }

    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    /// <summary>Waits until the question has an answer, and returns it.</summary>
    public static async Task<T> ForAsync<T>(Func<Task<T?>> question, string what) where T : class
    {
        T? answer = null;
        await UntilAsync(async () => (answer = await question()) is not null, what);
        return answer!;
    }
}
