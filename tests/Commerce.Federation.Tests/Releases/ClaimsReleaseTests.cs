using Commerce.Consent.Contracts;
using Commerce.Federation.Hops;
using Commerce.Federation.Partners;
using Commerce.Federation.Releases;
using Commerce.Kernel.Secrets;
using FsCheck;
using FsCheck.Fluent;

namespace Commerce.Federation.Tests.Releases;

/// <summary>The one function that decides what leaves.</summary>
public sealed class ClaimsReleaseTests
{
    // The same cases in every run; a failing one is named by its seed.
    private static readonly Config TenThousand = Config.QuickThrowOnFailure.WithMaxTest(10_000).WithReplay(20261122, 7);
    private static readonly Arbitrary<Random> Cases = Gen.Choose(0, int.MaxValue - 1).Select(seed => new Random(seed)).ToArbitrary();
    private static readonly Dictionary<string, string> Words = new() { ["en"] = "words" };

    [Fact]
    public void Nothing_leaves_that_contract_consent_hop_and_asking_do_not_all_name()
    {
        var released = 0;
        Check.One(TenThousand, Prop.ForAll(Cases, random =>
        {
            var contract = SomeContract(random);
            var purpose = random.Next(5) == 0 ? "another" : contract.Purposes[random.Next(contract.Purposes.Count)].Id;
            var consent = SomeConsent(random, contract, purpose);
            var hop = random.Next(3) == 0 ? null : new HopScope("A-1", [.. Enumerable.Range(1, 5).Where(_ => random.Next(2) == 0)]);
            var asked = random.Next(3) == 0 ? null : Some(random, [.. ClaimCatalogue.Names, "sub", "admin"]);

            var decision = ClaimsRelease.Decide(contract, purpose, consent, hop, asked);
            released += decision.Names.Count;

            // The oracle is written the other way round: each released name has to find its grounds in each of the four.
            var stated = contract.Purpose(purpose);
            Assert.All(decision.Names, name =>
            {
                var grounds = stated!.Claims.Where(c => ClaimCatalogue.With(c.Name).Contains(name)).Select(c => c.Name).ToList();
                Assert.NotEmpty(grounds);
                if (stated.NeedsConsent) Assert.Contains(grounds, g => consent!.Granted.Contains(g));
                if (name is "vehicle" or "purchase") Assert.NotNull(hop);
                if (asked is not null) Assert.Contains(name, asked);
            });
            if (stated is { NeedsConsent: true } && (consent is null || consent.Purpose != purpose || consent.Partner != contract.Partner || consent.ContractVersion != contract.Version))
                Assert.Empty(decision.Names);
            Assert.All(decision.Lines, line => Assert.Contains(line, hop!.Lines));
            if (!decision.Names.Contains("purchase")) Assert.Empty(decision.Lines);
            Assert.Equal(decision.Names.Count, decision.Names.Distinct().Count());
        }));
        Assert.True(released > 10_000, "The cases must be such that much is released: a function that says no to all would pass.");
    }

    [Fact]
    public void Everything_leaves_that_all_four_name() => Check.One(TenThousand, Prop.ForAll(Cases, random =>
    {
        var contract = SomeContract(random);
        var purpose = contract.Purposes[random.Next(contract.Purposes.Count)];
        var granted = Some(random, [.. purpose.Claims.Select(c => c.Name)]);
        var consent = Consent(contract, purpose.Id, granted);
        var decision = ClaimsRelease.Decide(contract, purpose.Id, consent, new HopScope("A-1", [2]), null);
        var expected = purpose.Claims.Where(c => !purpose.NeedsConsent || granted.Contains(c.Name)).SelectMany(c => ClaimCatalogue.With(c.Name)).Distinct();
        Assert.Equal(expected.Order(), decision.Names.Order());
    }));

    [Fact]
    public void A_consent_covers_only_its_own_version_and_only_with_all_that_is_required()
    {
        var purpose = new ContractPurpose("p", 90, "consent", Words, [Claim("name", true), Claim("phone_number", false)]);
        var contract = new DataContract("partner", 2, [purpose]);
        Assert.True(Covers(Consent(contract, "p", ["name"], declined: ["phone_number"])));
        Assert.True(Covers(Consent(contract, "p", ["name", "phone_number"])));
        Assert.False(Covers(Consent(contract, "p", ["name"])));                                        // the optional claim was never asked
        Assert.False(Covers(Consent(contract, "p", ["phone_number"])));
        Assert.False(Covers(Consent(contract, "p", ["name"], declined: ["phone_number"]) with { ContractVersion = 1 }));
        Assert.False(Covers(Consent(contract, "other", ["name"], declined: ["phone_number"])));
        Assert.False(Covers(Consent(contract, "p", ["name"], declined: ["phone_number"]) with { Partner = "somebody" }));
        Assert.False(Covers(null));

        bool Covers(ConsentRecord? consent) => ClaimsRelease.Covers(consent, contract, purpose, purpose.Claims);
    }

    [Fact]
    public void One_sector_knows_a_customer_under_one_name_and_another_sector_under_another()
    {
        var (customer, salted) = (Guid.CreateVersion7(), new KeyedHash(new byte[32]));
        var name = PairwiseSubject.For("fitter.example", customer, salted);
        Assert.Equal(name, PairwiseSubject.For("fitter.example", customer, salted));
        Assert.NotEqual(name, PairwiseSubject.For("fuel.example", customer, salted));
        Assert.NotEqual(name, PairwiseSubject.For("fitter.example", Guid.CreateVersion7(), salted));
        Assert.Matches("^[0-9a-f]{64}$", name);
    }

    private static DataContract SomeContract(Random random) => new("partner", random.Next(1, 4),
        [.. Enumerable.Range(1, random.Next(1, 4)).Select(n => new ContractPurpose($"purpose-{n}", 90, random.Next(3) == 0 ? "contract" : "consent", Words,
            [.. Some(random, ClaimCatalogue.Names).Select(name => Claim(name, random.Next(2) == 0))]))]);

    private static ConsentRecord? SomeConsent(Random random, DataContract contract, string purpose) => random.Next(6) == 0 ? null
        : Consent(contract, random.Next(8) == 0 ? "elsewhere" : purpose, Some(random, [.. ClaimCatalogue.Names, "admin"])) with
        {
            Partner = random.Next(8) == 0 ? "somebody" : contract.Partner,
            ContractVersion = random.Next(6) == 0 ? random.Next(0, 5) : contract.Version,
        };

    private static ConsentRecord Consent(DataContract contract, string purpose, IReadOnlyList<string> granted, IReadOnlyList<string>? declined = null) => new(
        Guid.Empty, "r", Guid.Empty, contract.Partner, purpose, contract.Version, granted, declined ?? [], DateTimeOffset.UnixEpoch);

    private static ContractClaim Claim(string name, bool required) => new(name, required, Words);

    private static List<string> Some(Random random, IReadOnlyList<string> of) => [.. of.Where(_ => random.Next(2) == 0)];
}
