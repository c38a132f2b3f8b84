using System.CommandLine;
using System.Text.Json;
using Commerce.Host.CommandLine;
using Commerce.Testing;
using Xunit;

namespace Commerce.Host.Tests;

/// <summary>The command line as design and documentation promise it.</summary>
public sealed class VerbTests : IDisposable
{
    private readonly CommandLineRunner hub = new();

    public void Dispose() => hub.Dispose();

    public static TheoryData<string> Leaves() =>
    [
        "serve", "partner add", "partner list", "partner check", "partner contract", "partner off", "partner on", "partner secret", "partner remove", "partner token", "offer add", "api add", "api list", "policy set", "policy list", "banner add",
        "partner metadata list", "partner metadata refresh", "partner metadata diff", "partner metadata approve", "partner metadata reject", "partner metadata expiring",
        "banner list", "customers import", "orders import", "operator add", "keys list", "keys rotate", "keys adopt", "ledger verify", "refusals list", "refusals show", "events dead", "events retry", "events drop",
    ];

    [Fact]
    public void There_is_no_verb_beside_the_known_ones()
    {
        var leaves = Below(Verbs.Root(), "").Order(StringComparer.Ordinal);
        Assert.Equal(Leaves().Select(row => row.Data).Order(StringComparer.Ordinal), leaves);

        static IEnumerable<string> Below(Command command, string path) => command.Subcommands.Count == 0
            ? [path.Trim()] : command.Subcommands.SelectMany(c => Below(c, $"{path} {c.Name}"));
    }

    [Theory]
    [MemberData(nameof(Leaves))]
    public async Task Every_verb_explains_itself(string verb)
    {
        var said = await hub.RunAsync([.. verb.Split(' '), "--help"]);
        Assert.Equal(0, said.Code);
        Assert.Contains("Usage:", said.Output, StringComparison.Ordinal);
        Assert.Contains("--data", said.Output, StringComparison.Ordinal);
        Assert.Contains("--json", said.Output, StringComparison.Ordinal);
        Assert.Empty(said.Error);
        Assert.False(Directory.Exists(hub.Data));       // asking for help touches nothing
    }

    [Theory]
    [InlineData("partner", "ad")]
    [InlineData("partner", "check")]
    [InlineData("events", "retry", "not-an-id")]
    [InlineData("offer", "add")]
    [InlineData("keys", "list", "--colour")]
    public async Task A_wrong_command_line_fails_and_says_why(params string[] args)
    {
        var said = await hub.RunAsync(args);
        Assert.NotEqual(0, said.Code);
        Assert.NotEmpty(said.Error);
    }

    [Theory]
    [InlineData("Give either")]
    [InlineData("Give either", "--oidc", "a.json", "--saml-metadata", "b.xml")]
    [InlineData("go with --saml-metadata", "--oidc", "a.json", "--all")]
    [InlineData("goes with --oidc", "--saml-metadata", "b.xml", "--client-id", "x")]
    [InlineData("--signed-by goes with", "--oidc", "a.json", "--signed-by", "c.pem")]
    [InlineData("--mdq goes with --entity-id", "--mdq", "https://mdq.example")]
    [InlineData("--all for every one", "--saml-metadata", "b.xml", "--entity-id", "x", "--all")]
    public async Task Partner_add_takes_exactly_one_kind_of_partner(string sentence, params string[] options)
    {
        var said = await hub.RunAsync(["partner", "add", .. options]);
        Assert.NotEqual(0, said.Code);
        Assert.Contains(sentence, said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        var said = await hub.RunAsync("offer", "add", hub.Folder.File("nothing.json"));
        Assert.Equal(1, said.Code);
        Assert.Contains("There is no file", said.Error, StringComparison.Ordinal);
        Assert.Contains("nothing.json", said.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://federation.example/metadata.xml", "https addresses only")]
    [InlineData("ftp://federation.example/metadata.xml", "https addresses only")]
    [InlineData("https://127.0.0.1:1/metadata.xml", "does not call")]
    [InlineData("https://169.254.169.254/metadata.xml", "does not call")]
    [InlineData("https://[::ffff:10.0.0.1]/metadata.xml", "does not call")]
    public async Task Metadata_is_fetched_over_https_from_public_addresses_only(string url, string sentence)
    {
        var said = await hub.RunAsync("partner", "add", "--saml-metadata", url);
        Assert.Equal(1, said.Code);
        Assert.Contains(sentence, said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S33_metadata_that_is_not_signed_by_the_given_certificate_is_refused_in_a_sentence()
    {
        using var key = System.Security.Cryptography.RSA.Create(2048);
        using var certificate = Commerce.Saml.SigningKey.SelfSigned(key, "feed", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        var pem = hub.Write("feed.pem", certificate.ExportCertificatePem());
        var metadata = hub.Write("unsigned.xml", "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"x\"><Organization/></EntityDescriptor>");
        var said = await hub.RunAsync("partner", "add", "--saml-metadata", metadata, "--signed-by", pem);
        Assert.Equal(1, said.Code);
        Assert.Contains("signature does not hold", said.Error, StringComparison.Ordinal);
        Assert.Empty((await hub.JsonAsync("partner", "metadata", "list")).EnumerateArray());
        Assert.Empty((await hub.JsonAsync("partner", "metadata", "diff")).EnumerateArray());
        Assert.Equal(1, (await hub.RunAsync("partner", "metadata", "approve", "nobody")).Code);
        Assert.Equal(1, (await hub.RunAsync("partner", "metadata", "refresh", "nothing")).Code);
        Assert.Equal(0, (await hub.RunAsync("partner", "metadata", "expiring")).Code);
    }

    [Fact]
    public async Task A_banner_is_added_listed_and_replaced()
    {
        Assert.Equal("northern-tires", (await hub.JsonAsync("banner", "add", hub.Write("banner.json", Files.Banner))).GetProperty("id").GetString());
        await hub.JsonAsync("banner", "add", hub.Write("again.json", Files.Banner.Replace("\"Northern Tires\"", "\"Northern Wheels\"", StringComparison.Ordinal)));
        var banners = await hub.JsonAsync("banner", "list");
        Assert.Equal("Northern Wheels", Assert.Single(banners.EnumerateArray()).GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("\"id\"", "\"idd\"", "'idd'")]
    [InlineData("\"northern-tires\"", "\"Northern Tires!\"", "id")]
    [InlineData("{", "", "JSON")]
    public async Task A_wrong_banner_is_refused_in_sentences_that_name_the_member(string what, string with, string named)
    {
        var said = await hub.RunAsync("banner", "add", hub.Write("banner.json", Files.Banner.Replace(what, with, StringComparison.Ordinal)));
        Assert.Equal(1, said.Code);
        Assert.Contains(named, said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(" at Commerce.", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_partner_is_added_checked_switched_and_removed()
    {
        var added = await hub.JsonAsync("partner", "add", "--oidc", hub.Write("client.json", Files.Client), "--contract", hub.Write("contract.json", Files.Contract));
        Assert.Equal("kolari-auto", added.GetProperty("partner").GetString());
        Assert.NotEmpty(added.GetProperty("client_id").GetString()!);
        Assert.NotEmpty(added.GetProperty("secret").GetString()!);
        Assert.Equal("tire-fitting", (await hub.JsonAsync("offer", "add", hub.Write("offer.json", Files.Offer))).GetProperty("offer").GetString());

        var listed = Assert.Single((await hub.JsonAsync("partner", "list")).EnumerateArray());
        Assert.Equal(("oidc", 1, "tire-fitting"), (listed.GetProperty("protocol").GetString(), listed.GetProperty("contract_version").GetInt32(), listed.GetProperty("offers")[0].GetString()));
        Assert.True(listed.GetProperty("is_active").GetBoolean());
        var report = await hub.RunAsync("partner", "check", "kolari-auto");
        Assert.Contains("kolari-auto", report.Output, StringComparison.Ordinal);
        Assert.Equal(report.Output.Contains("hops can work", StringComparison.Ordinal), report.Code == 0);

        await hub.JsonAsync("partner", "off", "kolari-auto");
        Assert.False((await hub.JsonAsync("partner", "list"))[0].GetProperty("is_active").GetBoolean());
        await hub.JsonAsync("partner", "on", "kolari-auto");
        Assert.True((await hub.JsonAsync("partner", "list"))[0].GetProperty("is_active").GetBoolean());

        await hub.JsonAsync("partner", "remove", "kolari-auto");
        Assert.Empty((await hub.JsonAsync("partner", "list")).EnumerateArray());
        Assert.Equal(1, (await hub.RunAsync("partner", "check", "kolari-auto")).Code);
        Assert.Equal(1, (await hub.RunAsync("partner", "remove", "kolari-auto")).Code);
    }

    [Fact]
    public async Task A_contract_takes_a_higher_version_and_no_other()
    {
        await hub.JsonAsync("partner", "add", "--oidc", hub.Write("client.json", Files.Client), "--contract", hub.Write("contract.json", Files.Contract));
        var changed = hub.Write("changed.json", Files.Contract.Replace("\"required\": true", "\"required\": false", StringComparison.Ordinal));
        Assert.Equal(1, (await hub.RunAsync("partner", "contract", changed)).Code);
        var second = hub.Write("second.json", Files.Contract.Replace("\"version\": 1", "\"version\": 2", StringComparison.Ordinal));
        Assert.Equal(2, (await hub.JsonAsync("partner", "contract", second)).GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task A_wrong_registration_lists_every_fault_with_its_member()
    {
        var said = await hub.RunAsync("partner", "add", "--oidc", hub.Write("client.json", """{"client_name": "", "redirect_uris": ["http://kolari.example/#x"], "colour": "red"}"""));
        Assert.Equal(1, said.Code);
        Assert.Contains("colour", said.Error, StringComparison.Ordinal);
        Assert.Contains("redirect_uris", said.Error, StringComparison.Ordinal);
        Assert.Empty((await hub.JsonAsync("partner", "list")).EnumerateArray());
    }

    [Fact]
    public async Task An_offer_of_an_unknown_partner_is_refused()
    {
        var said = await hub.RunAsync("offer", "add", hub.Write("offer.json", Files.Offer));
        Assert.Equal(1, said.Code);
        Assert.NotEmpty(said.Error);
    }

    [Fact]
    public async Task An_operator_is_added_once_and_a_wrong_address_is_refused()
    {
        Assert.True((await hub.JsonAsync("operator", "add", "aino@retailer.example")).GetProperty("added").GetBoolean());
        Assert.False((await hub.JsonAsync("operator", "add", "Aino@retailer.example")).GetProperty("added").GetBoolean());
        Assert.Equal(1, (await hub.RunAsync("operator", "add", "aino at retailer")).Code);
    }

    [Fact]
    public async Task Keys_rotate_so_that_the_next_one_signs()
    {
        var before = await hub.JsonAsync("keys", "list");
        var purpose = before[0].GetProperty("purpose").GetString()!;
        var next = before.EnumerateArray().Single(k => k.GetProperty("purpose").GetString() == purpose && k.GetProperty("state").GetString() == "next").GetProperty("kid").GetString();
        var after = await hub.JsonAsync("keys", "rotate", "--purpose", purpose);
        Assert.Equal("active", after.EnumerateArray().Single(k => k.GetProperty("kid").GetString() == next).GetProperty("state").GetString());
        Assert.DoesNotContain(after.EnumerateArray(), k => k.GetProperty("purpose").GetString() != purpose && k.GetProperty("state").GetString() == "retired");
        Assert.Equal(1, (await hub.RunAsync("keys", "rotate", "--purpose", "nobody")).Code);
        var leaked = await hub.JsonAsync("keys", "rotate", "--purpose", purpose, "--now");
        Assert.Equal("revoked", leaked.EnumerateArray().Single(k => k.GetProperty("kid").GetString() == next).GetProperty("state").GetString());
    }

    [Fact]
    public async Task An_untouched_ledger_is_intact()
    {
        Assert.True((await hub.JsonAsync("ledger", "verify")).GetProperty("is_intact").GetBoolean());
        Assert.Contains("Intact", (await hub.RunAsync("ledger", "verify")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_are_listed_retried_and_dropped()
    {
        Assert.Empty((await hub.JsonAsync("events", "dead")).EnumerateArray());
        var id = Guid.CreateVersion7();
        Assert.Equal(1, (await hub.RunAsync("events", "retry", id.ToString())).Code);
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(hub.Data, "identity.db")}"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = """
                INSERT INTO outbox (Id, Aggregate, Type, Body, CreatedAt, Attempts, NextAttemptAt, DeadAt, LastError) VALUES ($id, 'a', 'T', x'00', 1, 12, 1, 1, 'TimeoutException')
                """;
            command.Parameters.AddWithValue("$id", id);
            command.ExecuteNonQuery();
        }
        var dead = Assert.Single((await hub.JsonAsync("events", "dead")).EnumerateArray());
        Assert.Equal((id, "identity", "TimeoutException"), (dead.GetProperty("event").GetGuid(), dead.GetProperty("module").GetString(), dead.GetProperty("last_error").GetString()));
        Assert.Equal(0, (await hub.RunAsync("events", "retry", id.ToString())).Code);
        Assert.Equal(1, hub.Count("identity", "SELECT count(*) FROM outbox WHERE DeadAt IS NULL AND Attempts = 0"));
        Assert.Equal(1, (await hub.RunAsync("events", "drop", id.ToString())).Code);       // it lives again
        hub.Count("identity", "UPDATE outbox SET DeadAt = 1 RETURNING 1");
        Assert.Equal(0, (await hub.RunAsync("events", "drop", id.ToString())).Code);
        Assert.Equal(0, hub.Count("identity", "SELECT count(*) FROM outbox"));
    }

    [Fact]
    public async Task A_folder_whose_keyring_is_lost_is_explained()
    {
        await hub.JsonAsync("keys", "list");
        Directory.Delete(Path.Combine(hub.Data, "keyring"), recursive: true);
        var said = await hub.RunAsync("keys", "list");
        Assert.Equal(1, said.Code);
        Assert.Contains("keyring", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_real_federations_service_providers_are_added_and_the_others_have_reasons()
    {
        var file = Files.Shared("data/saml-metadata/swamid-1.0.xml");
        Assert.SkipWhen(file is null, "../shared/data/saml-metadata/swamid-1.0.xml is not there.");
        var federation = await hub.JsonAsync("partner", "add", "--saml-metadata", file!, "--all");
        Assert.Equal(137, federation.GetProperty("added").GetArrayLength() + federation.GetProperty("skipped").GetArrayLength());
        Assert.True(federation.GetProperty("added").GetArrayLength() > 0);
        Assert.All(federation.GetProperty("skipped").EnumerateArray(), s => Assert.EndsWith(".", s.GetProperty("reason").GetString(), StringComparison.Ordinal));
        Assert.Equal(federation.GetProperty("added").GetArrayLength(), (await hub.JsonAsync("partner", "list")).GetArrayLength());
    }
}
