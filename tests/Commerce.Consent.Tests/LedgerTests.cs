using Commerce.Consent.Data;
using Commerce.Consent.Ledger;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Consent.Tests;

public sealed class LedgerTests
{
    private const int Entries = 40;

    [Fact]
    public async Task An_untouched_ledger_is_whole_and_anchored()
    {
        await using var hub = await WithEntriesAsync();
        var verdict = await hub.VerifyAsync();
        Assert.True(verdict.IsIntact, verdict.Finding);
        Assert.Equal((Entries, null), (verdict.Entries, verdict.FirstBroken));
        Assert.Contains($"anchored up to entry {Entries}", verdict.Finding);
    }

    [Fact]
    public async Task An_empty_ledger_is_whole()
    {
        await using var hub = await ConsentHub.StartAsync();
        Assert.True((await hub.VerifyAsync()).IsIntact);
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task A_release_told_twice_within_a_batch_takes_no_place_in_the_chain(string engine)
    {
        await using var hub = await ConsentHub.StartAsync(engine);
        var (customer, twice, other) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await hub.Hub.WithDbAsync<ConsentDb, int>(db =>
        {
            foreach (var release in new[] { twice, twice, other })
            {
                db.Publish(new Contracts.ClaimsReleased(release, customer, "kolari-auto", "https://kolari-auto.example/saml", "saml", "book-fitting", null, null,
                    ["name"], "c2VjcmV0", hub.Hub.Clock.GetUtcNow()));
            }
            return db.SaveChangesAsync();
        });
        await Testing.Wait.UntilAsync(async () => await hub.EntriesAsync() == 2, "both are in the ledger");
        Assert.Equal([(1L, (Guid?)twice), (2L, other)], (await hub.LedgerAsync()).Select(e => (e.Number, e.Release)));
        await hub.AnchoredAsync();
        var verdict = await hub.VerifyAsync();
        Assert.True(verdict.IsIntact, verdict.Finding);
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task The_timeline_is_told_of_the_customers_newest_sign_ins_and_of_no_hop_and_nobody_else(string engine)
    {
        await using var hub = await ConsentHub.StartAsync(engine);
        var (aino, erik) = (Guid.NewGuid(), Guid.NewGuid());
        var given = await hub.GiveAsync(aino);
        Guid[] signIns = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];
        foreach (var release in signIns)
        {
            await hub.ReleaseAsync(aino, given.Receipt, release, hop: null);
            hub.Hub.Clock.Advance(TimeSpan.FromMinutes(1));
        }
        await hub.ReleaseAsync(aino, given.Receipt);
        await hub.ReleaseAsync(erik, null, hop: null);
        await Testing.Wait.UntilAsync(async () => await hub.EntriesAsync() == 6, "all are in the ledger");

        var told = await hub.Hub.AskAsync(new Profiles.Contracts.SignInsAtPartners(aino, 2));
        Assert.Equal([signIns[2], signIns[1]], told.Select(f => f.Fact));
        Assert.Equal(3, (await hub.Hub.AskAsync(new Profiles.Contracts.SignInsAtPartners(aino, 100))).Count);
        var newest = told[0];
        Assert.Equal((aino, "released", "kolari-auto", given.Receipt, hub.Hub.Clock.GetUtcNow().AddMinutes(-1)), (newest.Customer, newest.Kind, newest.Partner, newest.Receipt, newest.At));
        Assert.Equal(["name", "email", "vehicle"], newest.Claims);
    }

    /// <summary>Somebody with write access to the database, 300 times at random: edits, deletions, swaps, cut tails, insertions, chains written anew.</summary>
    [Fact]
    public async Task Every_tampering_is_found_and_its_entry_named()
    {
        await using var hub = await WithEntriesAsync();
        await using var file = new SqliteConnection($"Data Source={hub.Hub.PathOf("consent")}");
        await file.OpenAsync();
        Run(file, "CREATE TEMP TABLE kept AS SELECT * FROM ledger");
        var random = new Random(20261005);
        string[] texts = ["Partner", "Purpose", "Receipt", "Claims", "Connection", "Protocol", "Hop", "ValuesHash"];
        for (var trial = 0; trial < 300; trial++)
        {
            var n = random.Next(1, Entries + 1);
            var m = random.Next(1, Entries + 1);
            var what = trial % 9;
            long? first = n;
            switch (what)
            {
                case 0:
                    var column = texts[random.Next(texts.Length)];
                    Run(file, $"UPDATE ledger SET {column} = coalesce({column}, '') || 'x' WHERE Number = {n}");
                    break;
                case 1:
                    Run(file, random.Next(2) == 0 ? $"UPDATE ledger SET At = At + 1 WHERE Number = {n}" : $"UPDATE ledger SET Kind = Kind % 3 + 1 WHERE Number = {n}");
                    break;
                case 2:
                    var blob = new[] { "Customer", "Previous", "Hash" }[random.Next(3)];
                    Run(file, $"UPDATE ledger SET {blob} = randomblob(32) WHERE Number = {n}");
                    break;
                case 3:
                    Run(file, $"DELETE FROM ledger WHERE Number = {n}");
                    break;
                case 4:
                    if (n == m) m = n % Entries + 1;
                    first = Math.Min(n, m);
                    Run(file, $"UPDATE ledger SET Number = -1 WHERE Number = {n}; UPDATE ledger SET Number = {n} WHERE Number = {m}; UPDATE ledger SET Number = {m} WHERE Number = -1");
                    break;
                case 5:
                    Run(file, $"DELETE FROM ledger WHERE Number >= {n}");
                    break;
                case 6:
                    Run(file, $"DELETE FROM ledger WHERE Number = {n}; UPDATE ledger SET Number = -Number WHERE Number > {n}; UPDATE ledger SET Number = -Number - 1 WHERE Number < 0");
                    if (n == Entries) first = Entries;
                    break;
                case 7:
                    await RewriteAsync(hub, n);
                    first = null;    // anchored entries say that the chain was written anew, not where it began
                    break;
                default:
                    Run(file, $"INSERT INTO ledger SELECT {-n}, Kind, At, Customer, Partner, Purpose, Receipt, Claims, NULL, Connection, Protocol, Hop, ValuesHash, Previous, Hash FROM kept WHERE Number = {n}");
                    first = null;
                    break;
            }
            var verdict = await hub.VerifyAsync();
            Assert.False(verdict.IsIntact, $"Trial {trial}, tampering {what} with entry {n} was not found.");
            if (first is { } expected)
            {
                Assert.Equal(expected, verdict.FirstBroken);
                Assert.Contains($"ntry {expected}", verdict.Finding);
            }
            Run(file, "DELETE FROM ledger; INSERT INTO ledger SELECT * FROM kept");
        }
        Assert.True((await hub.VerifyAsync()).IsIntact);
    }

    [Fact]
    public async Task A_whole_chain_written_anew_from_nothing_is_found()
    {
        await using var hub = await WithEntriesAsync();
        await RewriteAsync(hub, 1);
        var verdict = await hub.VerifyAsync();
        Assert.False(verdict.IsIntact);
        Assert.Contains("written anew", verdict.Finding);
        await hub.Hub.WithDbAsync<ConsentDb, int>(db => db.Ledger.ExecuteDeleteAsync());
        verdict = await hub.VerifyAsync();
        Assert.Equal((false, 1L), (verdict.IsIntact, verdict.FirstBroken));
    }

    [Fact]
    public async Task A_crash_between_the_save_and_the_anchor_is_no_finding()
    {
        await using var hub = await WithEntriesAsync();
        var lines = await File.ReadAllLinesAsync(hub.AnchorPath);
        await File.WriteAllTextAsync(hub.AnchorPath, string.Join('\n', lines[..^1]) + "\n");
        Assert.True((await hub.VerifyAsync()).IsIntact);
        await File.WriteAllTextAsync(hub.AnchorPath, string.Join('\n', lines[..^1]) + "\n" + lines[^1][..20]);   // in the middle of the line
        Assert.True((await hub.VerifyAsync()).IsIntact);
        await hub.GiveAsync(Guid.NewGuid());                                                                   // and the next line stands by itself
        await hub.AnchoredAsync();
        Assert.True((await hub.VerifyAsync()).IsIntact);
    }

    [Fact]
    public async Task An_anchor_that_is_missing_edited_or_begins_late_is_found()
    {
        await using var hub = await WithEntriesAsync();
        var lines = await File.ReadAllLinesAsync(hub.AnchorPath);
        var file = hub.Hub.Services.GetRequiredService<AnchorFile>();
        Assert.True(lines.Length >= 2);

        await File.WriteAllLinesAsync(hub.AnchorPath, lines[1..]);
        Assert.Contains("beginning is missing", (await hub.VerifyAsync()).Finding);
        await File.WriteAllLinesAsync(hub.AnchorPath, [.. lines[..^1], lines[^1].Replace("\"number\":40", "\"number\":39", StringComparison.Ordinal)]);
        Assert.Contains($"Line {lines.Length} of the anchor file was edited", (await hub.VerifyAsync()).Finding);
        await File.WriteAllLinesAsync(hub.AnchorPath, [.. lines, "{}"]);
        Assert.False((await hub.VerifyAsync()).IsIntact);
        File.Delete(hub.AnchorPath);
        Assert.Contains("anchor file is missing", (await hub.VerifyAsync()).Finding);
        await File.WriteAllLinesAsync(hub.AnchorPath, lines);
        Assert.True((await hub.VerifyAsync()).IsIntact);
        Assert.Equal(Entries, file.Read()[^1].Number);
    }

    [Fact]
    public void Entries_that_differ_in_where_one_member_ends_have_different_hashes()
    {
        Assert.NotEqual(Entry("ab", "c").ComputeHash(), Entry("a", "bc").ComputeHash());
        Assert.NotEqual(Entry("a", "b", null).ComputeHash(), Entry("a", "b", "").ComputeHash());
        Assert.Equal(Entry("a", "b").ComputeHash(), Entry("a", "b").ComputeHash());

        static LedgerEntry Entry(string partner, string purpose, string? receipt = "r") => new()
        {
            Number = 1, Kind = LedgerKind.Grant, At = DateTimeOffset.UnixEpoch, Customer = new byte[32], Partner = partner, Purpose = purpose,
            Receipt = receipt, Claims = "[]", Previous = LedgerEntry.Origin,
        };
    }

    /// <summary>Grants, withdrawals and releases by four customers.</summary>
    private static async Task<ConsentHub> WithEntriesAsync()
    {
        var hub = await ConsentHub.StartAsync();
        var customers = Enumerable.Range(0, 4).Select(_ => Guid.NewGuid()).ToList();
        for (var i = 0; i < 12; i++)
        {
            var customer = customers[i % 4];
            var given = await hub.GiveAsync(customer, purpose: $"purpose-{i}");
            await hub.ReleaseAsync(customer, given.Receipt);
            if (i % 3 != 0) await hub.Hub.AskAsync(new Contracts.WithdrawConsent(customer, given.Receipt));
        }
        for (var i = 0; i < 8; i++) await hub.ReleaseAsync(customers[0], null);
        await Commerce.Testing.Wait.UntilAsync(async () => await hub.EntriesAsync() == Entries, "all entries are written");
        await hub.AnchoredAsync();
        return hub;
    }

    /// <summary>What somebody does who knows how the chain is made: changes an entry and computes every hash after it anew.</summary>
    private static Task<int> RewriteAsync(ConsentHub hub, long from) => hub.Hub.WithDbAsync<ConsentDb, int>(async db =>
    {
        var rows = await db.Ledger.AsNoTracking().OrderBy(e => e.Number).ToListAsync();
        await db.Ledger.ExecuteDeleteAsync();
        var previous = LedgerEntry.Origin;
        foreach (var row in rows)
        {
            var changed = new LedgerEntry
            {
                Number = row.Number, Kind = row.Kind, At = row.Number == from ? row.At.AddSeconds(1) : row.At, Customer = row.Customer, Partner = row.Partner,
                Purpose = row.Purpose, Receipt = row.Receipt, Claims = row.Claims, Release = row.Release, Connection = row.Connection, Protocol = row.Protocol,
                Hop = row.Hop, ValuesHash = row.ValuesHash, Previous = previous,
            };
            changed.Hash = previous = changed.ComputeHash();
            db.Ledger.Add(changed);
        }
        return await db.SaveChangesAsync();
    });

    private static void Run(SqliteConnection file, string sql)
    {
        using var command = file.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
