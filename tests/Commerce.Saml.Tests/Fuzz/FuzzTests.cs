namespace Commerce.Saml.Tests.Fuzz;

/// <summary>A short run of the fuzzer. The long one: <c>dotnet run -c Release --project tests/Commerce.Saml.Tests -- fuzz</c>.</summary>
public sealed class FuzzTests
{
    public static TheoryData<string> Entries => [.. FuzzEntries.Names];

    [Theory, MemberData(nameof(Entries))]
    public void M01_X01_no_changed_message_is_taken_for_what_it_is_not_nor_crashes_nor_hangs(string entry)
    {
        var report = FuzzRun.Run(entry, seed: 20260302, first: 0, count: 3_000);
        Assert.True(report.Failures.Count == 0, report + "\n" + string.Join('\n', report.Failures));
        Assert.Equal(3_000, report.Count);

        // An engine that breaks everything at once, or nothing at all, attacks nothing.
        Assert.NotEmpty(report.Refused);
        Assert.True(report.Refused.Values.Sum() > 300, report.ToString());
    }

    [Fact]
    public void The_same_seed_makes_the_same_changes()
    {
        var entry = FuzzEntries.Open("metadata-sp");
        Assert.Equal(entry.Make(new Random(5)), entry.Make(new Random(5)));
        Assert.NotEqual(entry.Make(new Random(5)), entry.Make(new Random(6)));
    }
}
