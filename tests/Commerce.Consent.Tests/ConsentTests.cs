using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Consent.Ledger;
using Commerce.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Commerce.Consent.Tests;

public sealed class ConsentTests
{
    private static readonly Guid Aino = Guid.Parse("019a5b4e-0000-7000-8000-000000000001");

    [Fact]
    public async Task A_yes_stands_for_its_partner_and_purpose_and_for_nothing_else()
    {
        await using var hub = await ConsentHub.StartAsync();
        Assert.Null(await hub.Hub.AskAsync(new CurrentConsent(Aino, "kolari-auto", "book-fitting")));
        var given = await hub.GiveAsync(Aino);
        Assert.Equal(["name", "email", "vehicle"], given.Granted);
        Assert.Equal(["phone_number"], given.Declined);
        Same(given, await hub.Hub.AskAsync(new CurrentConsent(Aino, "kolari-auto", "book-fitting")));
        Same(given, await hub.Hub.AskAsync(new ConsentUnderReceipt(given.Receipt)));
        Assert.Null(await hub.Hub.AskAsync(new CurrentConsent(Aino, "kolari-auto", "marketing")));
        Assert.Null(await hub.Hub.AskAsync(new CurrentConsent(Aino, "neste", "book-fitting")));
        Assert.Null(await hub.Hub.AskAsync(new CurrentConsent(Guid.NewGuid(), "kolari-auto", "book-fitting")));
        Assert.Null(await hub.Hub.AskAsync(new ConsentUnderReceipt("none")));
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task A_newer_yes_replaces_the_older_one(string engine)
    {
        await using var hub = await ConsentHub.StartAsync(engine);
        var first = await hub.GiveAsync(Aino);
        var second = await hub.GiveAsync(Aino, version: 2);
        Assert.Null(await hub.Hub.AskAsync(new ConsentUnderReceipt(first.Receipt)));
        Assert.Equal(2, (await hub.Hub.AskAsync(new ConsentUnderReceipt(second.Receipt)))!.ContractVersion);
        Assert.Equal("consent.replaced", (await hub.Hub.AskAsync(new WithdrawConsent(Aino, first.Receipt))).Refusal!.Code);
        Assert.NotNull(await hub.Hub.AskAsync(new CurrentConsent(Aino, "kolari-auto", "book-fitting")));
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task After_a_withdrawal_nothing_stands_and_the_others_are_told_once(string engine)
    {
        await using var hub = await ConsentHub.StartAsync(engine);
        var given = await hub.GiveAsync(Aino);
        Assert.True((await hub.Hub.AskAsync(new WithdrawConsent(Aino, given.Receipt))).IsOk);
        Assert.Null(await hub.Hub.AskAsync(new ConsentUnderReceipt(given.Receipt)));
        Assert.Null(await hub.Hub.AskAsync(new CurrentConsent(Aino, "kolari-auto", "book-fitting")));
        Assert.True((await hub.Hub.AskAsync(new WithdrawConsent(Aino, given.Receipt))).IsOk);

        await Wait.UntilAsync(() => hub.Told.Facts.Count == 2 && !hub.Told.Withdrawals.IsEmpty, "giving and withdrawing are told");
        Assert.Equal(given.Receipt, hub.Told.Withdrawals.Single().Receipt);
        var (yes, no) = (hub.Told.Facts.First(), hub.Told.Facts.Last());
        Assert.Equal(("consent_given", "Kolari Auto", given.Receipt, Aino), (yes.Kind, yes.PartnerName, yes.Receipt, yes.Customer));
        Assert.Equal("Book a fitting and have the right parts ready", yes.Summary);
        Assert.Equal(["name", "email", "vehicle"], yes.Claims);
        Assert.Equal(("consent_withdrawn", given.Receipt), (no.Kind, no.Receipt));
        Assert.Equal([LedgerKind.Grant, LedgerKind.Withdrawal], (await hub.LedgerAsync()).Select(e => e.Kind));
    }

    [Fact]
    public async Task A_yes_of_somebody_else_cannot_be_withdrawn_nor_told_from_none()
    {
        await using var hub = await ConsentHub.StartAsync();
        var given = await hub.GiveAsync(Aino);
        var stranger = Guid.NewGuid();
        Assert.Equal("consent.unknown_receipt", (await hub.Hub.AskAsync(new WithdrawConsent(stranger, given.Receipt))).Refusal!.Code);
        Assert.Equal("consent.unknown_receipt", (await hub.Hub.AskAsync(new WithdrawConsent(stranger, "none"))).Refusal!.Code);
        Assert.NotNull(await hub.Hub.AskAsync(new ConsentUnderReceipt(given.Receipt)));
    }

    [Fact]
    public async Task A_yes_to_nothing_or_without_what_is_required_is_refused_and_writes_nothing()
    {
        await using var hub = await ConsentHub.StartAsync();
        var yes = ConsentHub.Yes(Aino);
        Assert.Equal("consent.nothing_agreed", (await hub.Hub.AskAsync(yes with { Granted = [] })).Refusal!.Code);
        Assert.Equal("consent.required_declined", (await hub.Hub.AskAsync(yes with { Declined = [new("vehicle2", true, "needed")] })).Refusal!.Code);
        Assert.Equal("consent.invalid", (await hub.Hub.AskAsync(yes with { Declined = [new("email", false, "twice")] })).Refusal!.Code);
        Assert.Equal("consent.invalid", (await hub.Hub.AskAsync(yes with { LegalBasis = "because" })).Refusal!.Code);
        Assert.Equal("consent.invalid", (await hub.Hub.AskAsync(yes with { Partner = new string('p', 129) })).Refusal!.Code);
        Assert.Equal(0, await hub.EntriesAsync());
        Assert.Equal(0, await hub.Hub.WithDbAsync<ConsentDb, int>(db => db.Consents.CountAsync()));
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task Thirty_at_once_leave_one_standing_consent_and_a_whole_chain(string engine)
    {
        await using var hub = await ConsentHub.StartAsync(engine);
        var given = await Task.WhenAll(Enumerable.Range(1, 30).Select(i => hub.GiveAsync(Aino, version: i)));
        Assert.Equal(1, await StandingAsync(hub));
        Assert.Equal(30, await hub.EntriesAsync());
        Assert.True((await hub.VerifyAsync()).IsIntact, (await hub.VerifyAsync()).Finding);

        // The one that stands, withdrawn thirty times at once, is withdrawn once.
        var standing = (await hub.Hub.AskAsync(new CurrentConsent(Aino, "kolari-auto", "book-fitting")))!;
        Assert.Contains(standing.Receipt, given.Select(g => g.Receipt));
        var withdrawn = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => hub.Hub.AskAsync(new WithdrawConsent(Aino, standing.Receipt))));
        Assert.All(withdrawn, w => Assert.True(w.IsOk));
        Assert.Equal(0, await StandingAsync(hub));
        Assert.Equal(31, await hub.EntriesAsync());

        // Both at once: at most one stands, and every act that was acknowledged is in the chain.
        var mixed = await Task.WhenAll(Enumerable.Range(0, 30).Select(async i =>
        {
            if (i % 2 == 0) return await hub.GiveAsync(Aino, version: i + 1) is not null ? 1 : 0;
            var current = await hub.Hub.AskAsync(new CurrentConsent(Aino, "kolari-auto", "book-fitting"));
            return current is null ? 0 : (await hub.Hub.AskAsync(new WithdrawConsent(Aino, current.Receipt))).IsOk ? 1 : 0;
        }));
        Assert.InRange(await StandingAsync(hub), 0, 1);
        Assert.InRange(await hub.EntriesAsync(), 31 + 15, 31 + mixed.Sum());
        Assert.True((await hub.VerifyAsync()).IsIntact, (await hub.VerifyAsync()).Finding);
    }

    [Theory, InlineData("sqlite"), InlineData("postgresql")]
    public async Task A_release_is_written_once_however_often_it_is_told(string engine)
    {
        await using var hub = await ConsentHub.StartAsync(engine);
        var given = await hub.GiveAsync(Aino);
        var release = Guid.NewGuid();
        await hub.ReleaseAsync(Aino, given.Receipt, release);
        await hub.ReleaseAsync(Aino, given.Receipt, release);
        await hub.ReleaseAsync(Aino, given.Receipt);
        await Wait.UntilAsync(async () => await hub.EntriesAsync() == 3, "two releases are in the ledger");
        var entry = (await hub.LedgerAsync()).First(e => e.Release == release);
        Assert.Equal((LedgerKind.Release, "saml", "hop-1", "c2VjcmV0", given.Receipt), (entry.Kind, entry.Protocol, entry.Hop, entry.ValuesHash, entry.Receipt));
        Assert.Equal("""["name","email","vehicle"]""", entry.Claims);
        Assert.True((await hub.VerifyAsync()).IsIntact);
    }

    [Fact]
    public async Task The_ledger_names_no_customer()
    {
        await using var hub = await ConsentHub.StartAsync();
        var given = await hub.GiveAsync(Aino);
        var entry = (await hub.LedgerAsync()).Single();
        Assert.NotEqual(Aino.ToByteArray(), entry.Customer[..16]);
        Assert.Equal(32, entry.Customer.Length);
        var other = await hub.GiveAsync(Guid.NewGuid());
        Assert.NotEqual(entry.Customer, (await hub.LedgerAsync())[1].Customer);
        Assert.NotEqual(given.Receipt, other.Receipt);
    }

    private static Task<int> StandingAsync(ConsentHub hub) =>
        hub.Hub.WithDbAsync<ConsentDb, int>(db => db.Consents.CountAsync(c => c.Customer == Aino && c.EndedAt == null));

    private static void Same(ConsentRecord expected, ConsentRecord? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Granted, actual.Granted);
        Assert.Equal(expected.Declined, actual.Declined);
        Assert.Equal(expected with { Granted = [], Declined = [] }, actual with { Granted = [], Declined = [] });
    }
}
