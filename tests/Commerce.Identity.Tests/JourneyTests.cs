using System.Net;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Identity.Tests;

public sealed class JourneyTests
{
    [Fact]
    public async Task A_customer_registers_confirms_signs_out_and_signs_in_again()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();

        var confirmed = await browser.JoinAsync("aino@example.com");

        Assert.Equal(HttpStatusCode.SeeOther, confirmed.Status);
        Assert.Equal("/account", confirmed.RedirectsTo!.PathAndQuery);
        Assert.True(await browser.IsSignedInAsync());
        var customer = await hub.AskAsync(new CustomerWithEmail("AINO@example.com"));
        var account = await hub.AskAsync(new AccountOf(customer!.Value));
        Assert.Equal("aino@example.com", account!.Email);
        Assert.True(account.EmailVerified);

        var out1 = await browser.SubmitAsync(await browser.GetAsync("/signout"));
        Assert.Equal(HttpStatusCode.SeeOther, out1.Status);
        Assert.False(await browser.IsSignedInAsync());
        Assert.Contains("You are signed out", (await browser.FollowAsync(out1)).Text, StringComparison.Ordinal);

        var back = await browser.SignInAsync("Aino@Example.com");
        Assert.Equal(HttpStatusCode.SeeOther, back.Status);
        Assert.True(await browser.IsSignedInAsync());
    }

    [Fact]
    public async Task The_same_works_on_postgresql_with_its_races_and_limits()
    {
        Assert.SkipWhen(PostgresServer.Missing is not null, PostgresServer.Missing ?? "");
        await using var hub = await Customers.StartAsync(postgres: await (await PostgresServer.SharedAsync()).NewDatabaseAsync());
        using var browser = hub.NewBrowser();
        await browser.RegisterAsync("aino@example.com");
        var page = await browser.GetAsync(Assert.Single(await browser.LinksToAsync("aino@example.com")));

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => browser.SubmitAsync(page)));
        Assert.Single(answers, a => a.Status == HttpStatusCode.SeeOther);
        Assert.True(await browser.IsSignedInAsync());

        using var guesser = hub.NewBrowser();
        var form = await guesser.GetAsync("/signin");
        var guesses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => guesser.SubmitAsync(form, Customers.Fields(("email", "nobody@example.com"), ("password", $"guess number {i}")))));
        Assert.Equal(10, guesses.Count(a => a.Status == HttpStatusCode.Unauthorized));

        var batch = new ImportCustomers([.. Enumerable.Range(1, 20).Select(i => Customers.Imported($"NT-{i}", $"customer{i}@example.com", Customers.Pbkdf2("vanha sana"), line: i))]);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => hub.AskAsync(batch))));
        Assert.Equal(20, outcomes.SelectMany(o => o).Count(o => o.IsNew));
        using var imported = hub.NewBrowser();
        Assert.Equal(HttpStatusCode.SeeOther, (await imported.SignInAsync("customer7@example.com", "vanha sana")).Status);
        await imported.SubmitAsync(await imported.GetAsync("/signout"));
        Assert.Equal("signed_out", (await hub.Services.GetRequiredService<Heard>().WaitForAsync<SessionEnded>()).Reason);
    }

    [Fact]
    public async Task The_sealed_return_leads_back_after_registration_and_after_sign_in()
    {
        await using var hub = await Customers.StartAsync();
        using var browser = hub.NewBrowser();
        var path = hub.Services.GetRequiredService<SealedState>().SignInPath(new SignInRequest("/hop/tire-fitting?order=7") { For = "Kolari Auto" });

        var page = await browser.GetAsync(path);
        Assert.Contains("Kolari Auto", page.Text, StringComparison.Ordinal);
        var confirmed = await browser.JoinAsync("aino@example.com", path: path.Replace("/signin", "/register", StringComparison.Ordinal));
        Assert.Equal("/hop/tire-fitting?order=7", confirmed.RedirectsTo!.PathAndQuery);

        using var other = hub.NewBrowser();
        Assert.Equal("/hop/tire-fitting?order=7", (await other.SignInAsync("aino@example.com", path: path)).RedirectsTo!.PathAndQuery);
    }
}
