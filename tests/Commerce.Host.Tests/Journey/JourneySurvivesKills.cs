using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Commerce.Saml;
using Commerce.Testing;
using Xunit;

namespace Commerce.Host.Tests.Journey;

/// <summary>
/// The whole journey (order, sign-in, consent, hop, code, token, booking, and the same over SAML) against a hub that is killed again and
/// again. Nothing that was acknowledged is lost, and nothing that may happen once happens twice.
/// </summary>
public sealed class JourneySurvivesKills(ITestOutputHelper output)
{
    private const int Kills = 50;
    private static readonly string[] Modules = ["kernel", "identity", "profiles", "purchases", "consent", "federation"];

    [Fact]
    public async Task Fifty_kills_lose_nothing_acknowledged_and_use_no_one_time_thing_twice()
    {
        using var hub = new CommandLineRunner();
        var origin = $"http://localhost:{TestHub.FreePort()}";
        using var key = RSA.Create(2048);
        var fitterSide = Registrations.FitterSide(key);
        var (shop, fuel, fitter) = await RegisterAsync(hub, fitterSide);

        var watch = Stopwatch.StartNew();
        var random = new Random(20261122);
        var once = new OneTimeThings();
        var travellers = new List<Traveller>();
        Traveller Next() => travellers is [.., { IsDone: false } last] ? last : Add();
        Traveller Add()
        {
            travellers.Add(new Traveller(travellers.Count, origin, shop, fuel, fitter, fitterSide, once));
            return travellers[^1];
        }

        for (var kill = 0; kill < Kills; kill++)
        {
            using var process = await HubProcess.StartAsync(hub.Data, origin);
            for (var calm = random.Next(0, 4); calm > 0; calm--) await Next().StepAsync();
            var life = TimeSpan.FromMilliseconds(random.Next(0, 250));
            var killing = Task.Run(async () =>
            {
                await Task.Delay(life);
                await process.KillAsync();
            });
            try
            {
                while (true)
                {
                    await Next().StepAsync();
                    if (travellers is [.., { IsDone: true } done]) await done.RepeatAsync();
                }
            }
            catch (HubGoneException)
            {
                await killing;
            }
        }

        using (var last = await HubProcess.StartAsync(hub.Data, origin))
        {
            while (!Next().IsDone)
            {
                await Next().StepAsync();
                if (travellers[^1].IsDone) break;
            }
            foreach (var traveller in travellers) await traveller.RepeatAsync();
            await Wait.UntilAsync(() => Modules.All(m => hub.Count(m, "SELECT count(*) FROM outbox") == 0), "every event is delivered");
        }

        var (landed, booked) = (travellers.SelectMany(t => t.Landed).ToList(), travellers.SelectMany(t => t.Booked).ToList());
        output.WriteLine($"{Kills} kills, {travellers.Count} journeys, {once.Count} one-time things, {landed.Count} landings, {booked.Count} bookings, {watch.Elapsed.TotalSeconds:0} s");
        Assert.Equal(travellers.Count, hub.Count("purchases", "SELECT count(*) FROM orders"));
        Assert.Equal(booked.Count, hub.Count("purchases", "SELECT count(*) FROM bookings"));
        Assert.All(landed, l => Assert.Equal(1, hub.Count("consent", $"SELECT count(DISTINCT Release) FROM ledger WHERE Release IS NOT NULL AND replace(lower(Hop), '-', '') = '{l.Hop.Replace("-", "", StringComparison.Ordinal)}'")));
        Assert.All(landed.Where(l => l.Receipt.Length > 0), l => Assert.Equal(1, hub.Count("consent", $"SELECT count(*) FROM receipts WHERE Receipt = '{l.Receipt}'")));
        Assert.Equal(0, hub.Count("consent", "SELECT count(*) - count(DISTINCT Release) FROM ledger WHERE Release IS NOT NULL"));
        Assert.Empty((await hub.JsonAsync("events", "dead")).EnumerateArray());
        var verdict = await hub.JsonAsync("ledger", "verify");
        Assert.True(verdict.GetProperty("is_intact").GetBoolean(), verdict.ToString());
        Assert.True(travellers.Count >= 2 && once.Count > 6, "The journeys hardly moved.");
        foreach (var traveller in travellers) traveller.Dispose();
    }

    private static async Task<(Credentials Shop, Credentials Fuel, Credentials Fitter)> RegisterAsync(CommandLineRunner hub, ServiceProviderSide fitterSide)
    {
        await hub.JsonAsync("banner", "add", hub.Write("banner.json", Files.Banner));
        var customers = await hub.JsonAsync("customers", "import", hub.Write("customers.jsonl", Registrations.Customers(100)));
        Assert.Equal(100, customers.GetProperty("added").GetInt32());
        var shop = await hub.JsonAsync("partner", "add", "--oidc", hub.Write("shop.json", Registrations.Shop));
        var fuel = await hub.JsonAsync("partner", "add", "--oidc", hub.Write("fuel.json", Registrations.Fuel), "--contract", hub.Write("fuel-contract.json", Registrations.Contract("polar-fuel")));
        var fitter = await hub.JsonAsync("partner", "add", "--saml-metadata", hub.Write("fitter.xml", Encoding.UTF8.GetString(fitterSide.WriteMetadata())),
            "--contract", hub.Write("fitter-contract.json", Registrations.Contract("kolari-auto")));
        await hub.JsonAsync("offer", "add", hub.Write("fuel-offer.json", Registrations.Offer("new-tire-fuel", "polar-fuel")));
        await hub.JsonAsync("offer", "add", hub.Write("fitter-offer.json", Registrations.Offer("tire-fitting", "kolari-auto")));
        return (new(shop.GetProperty("client_id").GetString()!, shop.GetProperty("secret").GetString()!), new(fuel.GetProperty("client_id").GetString()!, fuel.GetProperty("secret").GetString()!),
            new(fitter.GetProperty("api_client_id").GetString()!, fitter.GetProperty("api_client_secret").GetString()!));
    }
}
