using System.Data.Common;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Testing;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Identity.Tests;

public sealed class ImportTests
{
    [Fact]
    public async Task A_batch_taken_twice_makes_no_doubles()
    {
        await using var hub = await Customers.StartAsync();
        var batch = new ImportCustomers([.. Enumerable.Range(1, 50).Select(i => Customers.Imported($"NT-{i}", $"customer{i}@example.com", line: i))]);

        var first = await hub.AskAsync(batch);
        var second = await hub.AskAsync(batch);

        Assert.All(first, o => Assert.True(o.IsNew));
        Assert.All(second, o => Assert.False(o.IsNew));
        Assert.Equal(first.Select(o => (o.Line, o.Customer)), second.Select(o => (o.Line, o.Customer)));
        Assert.Equal(50, await hub.WithDbAsync<IdentityDb, int>(db => db.Accounts.CountAsync()));
    }

    [Fact]
    public async Task Four_runs_of_one_batch_at_once_make_no_doubles()
    {
        await using var hub = await Customers.StartAsync();
        var batch = new ImportCustomers([.. Enumerable.Range(1, 20).Select(i => Customers.Imported($"NT-{i}", $"customer{i}@example.com", line: i))]);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => hub.AskAsync(batch))));

        Assert.Equal(20, outcomes.SelectMany(o => o).Count(o => o.IsNew));
        Assert.Equal(20, outcomes.SelectMany(o => o).Select(o => o.Customer).Distinct().Count());
        Assert.Equal(20, await hub.WithDbAsync<IdentityDb, int>(db => db.Accounts.CountAsync()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_run_that_commits_while_another_looks_around_is_seen_by_it_as_an_earlier_run(int read)
    {
        var batch = new ImportCustomers([.. Enumerable.Range(1, 20).Select(i => Customers.Imported($"NT-{i}", $"customer{i}@example.com", line: i))]);
        IReadOnlyList<ImportOutcome>? between = null;
        await using var hub = await TestHub.StartAsync([new IdentityModule()], configure: services => services.ConfigureDbContext<IdentityDb>((provider, options) =>
            options.AddInterceptors(new BeforeRead(read, async () =>
            {
                await using var scope = provider.GetRequiredService<IServiceScopeFactory>().CreateAsyncScope();
                between = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(batch);
            }))));

        var outcomes = await hub.AskAsync(batch);

        Assert.All(between!, o => Assert.True(o.IsNew));
        Assert.Equal(between!.Select(o => new ImportOutcome(o.Line, o.Customer, false, null)), outcomes);
    }

    [Fact]
    public async Task A_taken_address_is_refused_with_a_reason_and_the_rest_of_the_batch_stands()
    {
        await using var hub = await Customers.StartAsync();
        using var owner = await hub.JoinedAsync("aino@example.com");

        var outcomes = await hub.AskAsync(new ImportCustomers(
        [
            Customers.Imported("NT-1", "Aino@EXAMPLE.com", line: 1),
            Customers.Imported("NT-2", "erik@example.com", line: 2),
            Customers.Imported("NT-3", "ERIK@example.com", line: 3),
            Customers.Imported("NT-2", "other@example.com", line: 4),
        ]));

        Assert.Contains("address already", outcomes[0].Reason, StringComparison.Ordinal);
        Assert.True(outcomes[1].IsNew);
        Assert.Contains("address already", outcomes[2].Reason, StringComparison.Ordinal);
        Assert.Equal((outcomes[1].Customer, false), (outcomes[3].Customer, outcomes[3].IsNew));
    }

    [Theory]
    [InlineData("external_id", "")]
    [InlineData("external_id", "a\nb")]
    [InlineData("banner", "Northern Tires")]
    [InlineData("banner", "")]
    [InlineData("email", "not an address")]
    [InlineData("email", "")]
    [InlineData("locale", "finnish")]
    [InlineData("locale", "")]
    [InlineData("created_at", "1950-01-01")]
    [InlineData("created_at", "2030-01-01")]
    [InlineData("password_hash", "ssha512:{SSHA512}replace-with-a-real-one")]
    [InlineData("password_hash", "ssha512:{SSHA512}AAAA")]
    [InlineData("password_hash", "md5:abc")]
    [InlineData("password_hash", "pbkdf2-sha256:$pbkdf2-sha256$1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA")]
    [InlineData("password_hash", "pbkdf2-sha256:$pbkdf2-sha256$999999999$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA")]
    [InlineData("password_hash", "pbkdf2-sha256:$pbkdf2-sha256$1000$c2FsdHNhbHQ")]
    public async Task A_bad_line_is_refused_by_the_name_of_its_member(string member, string value)
    {
        await using var hub = await Customers.StartAsync();
        var line = Customers.Imported("NT-1", "aino@example.com");
        line = member switch
        {
            "external_id" => line with { ExternalId = value },
            "banner" => line with { Banner = value },
            "email" => line with { Email = value },
            "locale" => line with { Locale = value },
            "created_at" => line with { CreatedAt = DateTimeOffset.Parse(value + "T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture) },
            _ => line with { PasswordHash = new ImportedPasswordHash(value.Split(':', 2)[0], value.Split(':', 2)[1]) },
        };

        var outcome = Assert.Single(await hub.AskAsync(new ImportCustomers([line])));

        Assert.Null(outcome.Customer);
        Assert.StartsWith(member, outcome.Reason, StringComparison.Ordinal);
        Assert.Equal(0, await hub.WithDbAsync<IdentityDb, int>(db => db.Accounts.CountAsync()));
    }

    [Fact]
    public async Task An_imported_password_opens_the_account_and_is_hashed_anew_at_the_first_sign_in()
    {
        await using var hub = await Customers.StartAsync();
        var salt = RandomNumberGenerator.GetBytes(8);
        byte[] digest = SHA512.HashData([.. Encoding.UTF8.GetBytes("vanha sana"), .. salt]);
        await hub.AskAsync(new ImportCustomers(
        [
            Customers.Imported("1", "ldap@example.com", new ImportedPasswordHash("ssha512", "{SSHA512}" + Convert.ToBase64String([.. digest, .. salt]))),
            Customers.Imported("2", "pbkdf@example.com", Customers.Pbkdf2("vanha sana"), line: 2),
            Customers.Imported("3", "braces@example.com", Customers.Pbkdf2("vanha sana") is var h ? h with { Value = h.Value.Replace("$pbkdf2-sha256$", "{PBKDF2-SHA256}", StringComparison.Ordinal) } : null, line: 3),
        ]));

        foreach (var email in (string[])["ldap@example.com", "pbkdf@example.com", "braces@example.com"])
        {
            for (var round = 0; round < 2; round++)
            {
                using var browser = hub.NewBrowser();
                Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SignInAsync(email, "")).Status);
                Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SignInAsync(email, "vanha sana ")).Status);
                Assert.Equal(HttpStatusCode.SeeOther, (await browser.SignInAsync(email, "vanha sana")).Status);
            }
        }
        Assert.Equal(0, await hub.WithDbAsync<IdentityDb, int>(db => db.Accounts.CountAsync(a => a.ImportedHash != null || a.PasswordHash == null)));
    }

    [Fact]
    public async Task A_customer_without_a_password_sets_one_by_mail_and_proves_the_address_with_it()
    {
        await using var hub = await Customers.StartAsync();
        await hub.AskAsync(new ImportCustomers([Customers.Imported("1", "aino@example.com", verified: false)]));
        using var browser = hub.NewBrowser();

        await browser.SubmitAsync(await browser.GetAsync("/password"), Customers.Fields(("email", "aino@example.com")));
        await browser.SubmitAsync(await browser.GetAsync((await browser.LinksToAsync("aino@example.com"))[0]), Customers.Fields(("password", Customers.GoodPassword)));

        Assert.True(await browser.IsSignedInAsync());
        Assert.True((await hub.AskAsync(new AccountOf(await hub.CustomerAsync("aino@example.com"))))!.EmailVerified);
    }

    [Fact]
    public async Task O24_an_imported_address_is_unverified_until_its_owner_uses_the_link()
    {
        await using var hub = await Customers.StartAsync();
        await hub.AskAsync(new ImportCustomers([Customers.Imported("1", "aino@example.com", Customers.Pbkdf2("vanha sana"), verified: false)]));
        using var browser = hub.NewBrowser();
        await browser.SignInAsync("aino@example.com", "vanha sana");
        Assert.Null(await hub.AskAsync(new CustomerWithEmail("aino@example.com", VerifiedOnly: true)));

        var token = (await browser.GetAsync("/signout")).Forms()[0].Hidden;
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.PostAsync("/email/verify", token)).Status);
        using var scanner = hub.NewBrowser();
        var page = await scanner.GetAsync(Assert.Single(await browser.LinksToAsync("aino@example.com")));
        Assert.Null(await hub.AskAsync(new CustomerWithEmail("aino@example.com", VerifiedOnly: true)));

        Assert.Contains("confirmed", (await scanner.SubmitAsync(page)).Text, StringComparison.Ordinal);

        Assert.NotNull(await hub.AskAsync(new CustomerWithEmail("aino@example.com", VerifiedOnly: true)));
        Assert.False(await scanner.IsSignedInAsync());
        Assert.Equal("identity.link_not_ours", (await scanner.SubmitAsync(page)).RefusalCode);
    }

    [Fact]
    public async Task Many_addresses_are_found_in_one_question()
    {
        await using var hub = await Customers.StartAsync();
        var outcomes = await hub.AskAsync(new ImportCustomers(
        [
            Customers.Imported("1", "aino@example.com"), Customers.Imported("2", "mia@bücher.example", line: 2), Customers.Imported("3", "new@example.com", verified: false, line: 3),
        ]));

        var found = await hub.AskAsync(new CustomersWithEmail(["AINO@example.com", "mia@xn--bcher-kva.example", "nobody@example.com", "rubbish", "new@example.com"]));

        Assert.Equal(["AINO@example.com", "mia@xn--bcher-kva.example", "new@example.com"], found.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(outcomes[1].Customer, found["mia@xn--bcher-kva.example"]);
        Assert.DoesNotContain("new@example.com", (await hub.AskAsync(new CustomersWithEmail(["aino@example.com", "new@example.com"], VerifiedOnly: true))).Keys);
    }

    /// <summary>Does something once, just before the nth look at the accounts.</summary>
    private sealed class BeforeRead(int nth, Func<Task> work) : DbCommandInterceptor
    {
        private int reads;

        public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            if (eventData.CommandSource == CommandSource.LinqQuery && Interlocked.Increment(ref reads) == nth) await work();
            return result;
        }
    }
}
