using System.Diagnostics;
using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Federation.Contracts;
using Commerce.Host;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Profiles.Contracts;
using Commerce.Purchases.Contracts;
using MediatR;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Benchmarks;

/// <summary>
/// Fills a new data folder with customers, orders, two partners and standing consents, then lets the load driver make hops against the
/// real server process: one over OIDC (hop, authorize, token, userinfo) and one over SAML (hop, single sign-on).
/// </summary>
internal static class HopBench
{
    /// <summary>Where the hub listens while it is measured.</summary>
    public const string Origin = "http://localhost:5190";
    public const string Callback = "http://127.0.0.1:9900/cb";
    public const string SpEntity = "http://127.0.0.1:9901/saml/metadata";
    public const string SpAcs = "http://127.0.0.1:9901/acs";

    private const string Password = "correct horse battery staple";

    public static async Task<int> RunAsync(string[] options)
    {
        var users = options.SkipWhile(o => o != "--users").Skip(1).Select(int.Parse).FirstOrDefault(8);
        var only = options.SkipWhile(o => o != "--only").Skip(1).FirstOrDefault();
        var folder = Directory.CreateTempSubdirectory("commerce-bench-");
        try
        {
            var (clientId, secret) = await PrepareAsync(folder.FullName, users);
            var code = 0;
            foreach (var (kind, config) in new[] { ("oidc", Oidc(clientId, secret)), ("saml", Saml()), ("oidc-signin", Oidc(clientId, secret, hop: false)), ("saml-signin", Saml(hop: false)) })
            {
                if (only is not null && only != kind) continue;
                var file = Path.Combine(folder.FullName, $"{kind}.json");
                config["server"] = HubProcess(folder.FullName, options);
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(config));
                code |= await DriveAsync([file], users, options);
            }
            return code;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>How the driver starts the hub: as it is delivered, with nothing tuned from outside. <c>--hub</c> names a published one.</summary>
    public static object HubProcess(string data, string[] options) => new
    {
        command = new[]
        {
            Environment.ProcessPath!, Path.GetFullPath(options.SkipWhile(o => o != "--hub").Skip(1).FirstOrDefault(typeof(Hub).Assembly.Location)),
            "serve", "--data", data, "--urls", Origin,
        },
        environment = new Dictionary<string, string> { ["ASPNETCORE_ENVIRONMENT"] = "Development", ["Logging__LogLevel__Default"] = "Warning" },
        readyUrl = $"{Origin}/health/ready",
    };

    public static async Task<int> DriveAsync(string[] configs, int users, string[] options)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath!);
        foreach (var argument in new[] { typeof(HopBench).Assembly.Location, "run" }.Concat(configs).Concat(["--concurrency", $"{users}"])) info.ArgumentList.Add(argument);
        foreach (var option in options) info.ArgumentList.Add(option);
        using var driver = Process.Start(info)!;
        await driver.WaitForExitAsync();
        return driver.ExitCode;
    }

    public static Dictionary<string, object> Oidc(string clientId, string secret, bool hop = true) => new()
    {
        ["name"] = hop ? "hop over OIDC (hop, authorize, token, userinfo)" : "sign-in over OIDC (authorize, token, userinfo)",
        ["kind"] = "oidc", ["issuer"] = Origin, ["clientId"] = clientId, ["clientSecret"] = secret, ["redirectUri"] = Callback,
        ["scope"] = hop ? "openid profile email vehicle purchase" : "openid profile email",
        ["loginFields"] = LoginFields(), ["hopUrl"] = hop ? $"{Origin}/hop/bench-oidc?order=BENCH-{{n}}" : null!,
    };

    public static Dictionary<string, object> Saml(bool hop = true) => new()
    {
        ["name"] = hop ? "hop over SAML (hop, SSO)" : "sign-in over SAML (SSO)",
        ["kind"] = "saml", ["ssoUrl"] = $"{Origin}/saml/sso", ["spEntityId"] = SpEntity, ["acsUrl"] = SpAcs, ["metadataUrl"] = $"{Origin}/saml/metadata",
        ["loginFields"] = LoginFields(), ["hopUrl"] = hop ? $"{Origin}/hop/bench-saml?order=BENCH-{{n}}" : null!,
    };

    private static Dictionary<string, string> LoginFields() => new() { ["email"] = "bench{n}@bench.example", ["password"] = Password };

    public static async Task<(string ClientId, string Secret)> PrepareAsync(string data, int users)
    {
        var settings = new HubSettings { DataDirectory = data, PublicOrigin = Origin, IsDevelopment = true };
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        await using var provider = Hub.AddHub(services, settings, Hub.AllModules).BuildServiceProvider();
        await provider.MigrateModulesAsync();
        await using var scope = provider.CreateAsyncScope();
        var mediator = scope.ServiceProvider.GetRequiredService<IMediator>();

        var banner = new Banner("bench", "Bench", ["bench.example"], ["en"], new BannerLook("#0b5d3b", null), "Bench <hello@bench.example>");
        Need(await mediator.Send(new PutBanner(banner)));
        var oidc = Need(await mediator.Send(new AddOidcPartner(
            $$"""{"client_name":"Bench fuel","redirect_uris":["{{Callback}}"],"initiate_login_uri":"http://127.0.0.1:9900/signin/hop","id_token_signed_response_alg":"ES256","scope":"openid profile email vehicle purchase"}""",
            Contract("bench-fuel"))));
        Need(await mediator.Send(new AddSamlPartner(SpMetadata, null, Contract("bench-tires"))));
        Need(await mediator.Send(new PutOffer(Offer("bench-oidc", "bench-fuel", "http://127.0.0.1:9900/book"))));
        Need(await mediator.Send(new PutOffer(Offer("bench-saml", "bench-tires", "http://127.0.0.1:9901/book"))));

        var now = DateTimeOffset.UtcNow.AddDays(-1);
        var accounts = await mediator.Send(new ImportCustomers([.. Enumerable.Range(0, users + 1).Select(n => new ImportedAccount(
            n + 1, $"B-{n}", "bench", $"bench{n}@bench.example", true, "en-US", now, new ImportedPasswordHash("ssha512", Ssha512(Password))))]));
        var customers = accounts.Select(a => a.Customer ?? throw new InvalidOperationException(a.Reason)).ToList();
        await mediator.Send(new ImportProfiles([.. customers.Select((customer, n) => new ImportedProfile(
            customer, "bench", "Bench", $"Number {n}", "en-US", "+358401234567", false, null, [], null, now))]));
        var orders = await mediator.Send(new ImportOrders([.. customers.Select((_, n) => new ImportedOrder(n + 1, Order(n, now)))]));
        if (orders.FirstOrDefault(o => o.Reason is not null) is { } bad) throw new InvalidOperationException(bad.Reason);
        foreach (var customer in customers)
        {
            foreach (var partner in new[] { "bench-fuel", "bench-tires" })
            {
                Need(await mediator.Send(new GiveConsent(customer, partner, partner, "book", 1, "Book a fitting", "en", "consent", 90, "127.0.0.1",
                    [new("name", true, "to book"), new("email", true, "to confirm"), new("vehicle", true, "to fit"), new("purchase", true, "to know")], [])));
            }
        }
        await DeliverAsync(settings);
        return (oidc.ClientId!, oidc.Secret!);
    }

    /// <summary>What the customers, orders and consents told is delivered first: a hub is not measured while it works off an import.</summary>
    private static async Task DeliverAsync(HubSettings settings)
    {
        await using var hub = Hub.Build(settings, ["http://127.0.0.1:0"], Hub.AllModules, configure: builder => builder.Logging.ClearProviders());
        await hub.StartAsync(migrate: false);
        var given = Stopwatch.StartNew();
        while (Directory.GetFiles(settings.DataDirectory, "*.db").Any(HasUndelivered))
        {
            if (given.Elapsed > TimeSpan.FromMinutes(2)) throw new InvalidOperationException("The hub has not delivered its events in two minutes: see 'events dead' of its data folder.");
            await Task.Delay(100);
        }
        await hub.StopAsync();

        static bool HasUndelivered(string file)
        {
            using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=false");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT EXISTS (SELECT 1 FROM outbox)";
            return command.ExecuteScalar() is 1L;
        }
    }

    private static T Need<T>(Result<T> result) => result.IsOk ? result.Value
        : throw new InvalidOperationException($"{result.Refusal.Code}: {result.Refusal.Message} {string.Join("; ", result.Refusal.Errors?.Select(e => $"{e.Field}: {e.Message}") ?? [])}");

    private static string Ssha512(string password)
    {
        var salt = System.Security.Cryptography.RandomNumberGenerator.GetBytes(16);
        byte[] hash = [.. System.Security.Cryptography.SHA512.HashData([.. System.Text.Encoding.UTF8.GetBytes(password), .. salt]), .. salt];
        return "{SSHA512}" + Convert.ToBase64String(hash);
    }

    private static string Contract(string partner) => $$"""
        {"partner":"{{partner}}","version":1,"purposes":[{"id":"book","retention_days":90,"legal_basis":"consent","texts":{"en":"Book a fitting"},
        "claims":[{"name":"name","required":true,"reason":"to book"},{"name":"email","required":true,"reason":"to confirm"},
        {"name":"vehicle","required":true,"reason":"to fit"},{"name":"purchase","required":true,"reason":"to know"}]}]}
        """;

    private static string Offer(string id, string partner, string target) => $$"""
        {"id":"{{id}}","partner":"{{partner}}","when":{"category":"tires/*","banners":["*"],"countries":["FI"]},"target_url":"{{target}}","purpose":"book",
        "texts":{"en":{"title":"Book a fitting","body":"They fit them."} } }
        """;

    private static string Order(int n, DateTimeOffset placedAt) => $$"""
        {"order_number":"BENCH-{{n}}","banner":"bench","customer":{"email":"bench{{n}}@bench.example"},"placed_at":"{{placedAt:O}}","currency":"EUR",
        "lines":[{"line":1,"gtin":"6410001122337","sku":"NT-WT","description":"Winter tire 205/55 R16","category":"tires/winter","quantity":4,"unit_price":"129.90","properties":{"season":"winter"} },
        {"line":2,"sku":"MAT","description":"Floor mats","category":"accessories/interior","quantity":1,"unit_price":"39.00","properties":{} }],
        "vehicle":{"registration":"ABC-{{100 + n}}","country":"FI","make":"Volvo","model":"V60","year":2019,"tire_size":"205/55R16"},
        "fulfilment":{"method":"home_delivery","address":{"street_address":"Esimerkkikatu 1","postal_code":"00100","locality":"Helsinki","country":"FI"} } }
        """;

    private static string SpMetadata => $$"""
        <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{{SpEntity}}"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
        <md:Extensions><init:RequestInitiator xmlns:init="urn:oasis:names:tc:SAML:profiles:SSO:request-init" Binding="urn:oasis:names:tc:SAML:profiles:SSO:request-init" Location="http://127.0.0.1:9901/signin/hop"/></md:Extensions>
        <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{{SpAcs}}" index="0" isDefault="true"/></md:SPSSODescriptor></md:EntityDescriptor>
        """;
}
