using System.Security.Cryptography;
using System.Text;
using Commerce.Kernel.Outbox;
using Commerce.Kernel.Secrets;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Kernel.Tests.Secrets;

/// <summary>What the kernel keeps secret, and what it refuses to open.</summary>
public sealed class SecretsTests : IAsyncLifetime
{
    private static readonly KeyPurpose Oidc = new("oidc-test", "ES256");
    private static readonly KeyPurpose Saml = new("saml-test", "RS256", WithCertificate: true);
    private static readonly KeyPurpose Receipts = new("receipt-test", "ES256", PublishedForever: true);
    private readonly TempFolder folder = new();
    private readonly FakeClock clock = FakeClock.AtNoon();
    private ServiceProvider services = null!;

    public async ValueTask InitializeAsync()
    {
        services = Build();
        await services.MigrateModulesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Dispose();
    }

    private ServiceProvider Build() => new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(clock)
        .AddSingleton(Oidc).AddSingleton(Saml).AddSingleton(Receipts)
        .AddKernel(new HubSettings { DataDirectory = folder.Path, PublicOrigin = "http://localhost" }).BuildServiceProvider();

    [Fact]
    public async Task A_sealed_value_opens_for_its_customer_and_purpose_also_after_a_restart()
    {
        var customer = Guid.CreateVersion7();
        var bytes = await Personal.ProtectTextAsync(customer, "test.name", "Åström 민지");
        Assert.DoesNotContain("Åström", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal("Åström 민지", await Personal.UnprotectTextAsync(customer, "test.name", bytes));
        await using var later = Build();
        Assert.Equal("Åström 민지", await later.GetRequiredService<PersonalData>().UnprotectTextAsync(customer, "test.name", bytes));
    }

    [Fact]
    public void A_keyed_hash_is_the_platforms_hmac_of_any_text_however_many_ask_at_once()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        var hash = new KeyedHash(key);
        Parallel.For(0, 2000, length =>
        {
            var text = string.Concat(Enumerable.Repeat("a민å", length / 3)) + new string('x', length % 3);
            Assert.Equal(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)), hash.Of(text));
        });
        Assert.Throws<ArgumentException>(() => new KeyedHash(new byte[31]));
    }

    [Fact]
    public async Task An_event_opens_in_every_process_of_the_hub_and_after_a_restart_and_not_when_it_was_changed()
    {
        byte[] body = [.. "what happened"u8];
        var mine = services.GetRequiredService<OutboxSeal>();
        await using var other = Build();
        var others = other.GetRequiredService<OutboxSeal>();
        var (first, second, third) = (mine.Seal(body), mine.Seal(body), others.Seal(body));
        Assert.Equal(3, new[] { first, second, third }.Select(Convert.ToHexString).Distinct().Count());
        foreach (var sealedBody in new[] { third, first, second, third })
        {
            Assert.Equal(body, mine.Open(sealedBody));
            Assert.Equal(body, others.Open(sealedBody));
        }
        for (var at = 0; at < first.Length; at++)
        {
            byte[] changed = [.. first];
            changed[at] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => mine.Open(changed));
        }
        Assert.Equal(body, mine.Open(first));
    }

    [Fact]
    public void An_event_that_was_sealed_with_a_key_of_its_own_before_an_update_still_opens()
    {
        byte[] body = [.. "what happened"u8];
        var box = new byte[1 + 16 + 16 + body.Length];
        box[0] = 2;
        RandomNumberGenerator.Fill(box.AsSpan(1, 16));
        using var aes = new AesGcm(HMACSHA256.HashData(services.GetRequiredService<SharedSecrets>().Get("outbox"), box.AsSpan(1, 16)), 16);
        aes.Encrypt(new byte[12], body, box.AsSpan(33), box.AsSpan(17, 16));
        Assert.Equal(body, services.GetRequiredService<OutboxSeal>().Open(box));
    }

    [Fact]
    public async Task Equal_values_are_sealed_unequally()
    {
        var customer = Guid.CreateVersion7();
        Assert.NotEqual(await Personal.ProtectTextAsync(customer, "test.name", "Aino"), await Personal.ProtectTextAsync(customer, "test.name", "Aino"));
    }

    [Fact]
    public async Task A_value_moved_to_another_customer_or_column_does_not_open()
    {
        var (one, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var bytes = await Personal.ProtectTextAsync(one, "test.name", "Aino");
        await Personal.ProtectTextAsync(other, "test.name", "Erik");
        await Assert.ThrowsAnyAsync<CryptographicException>(async () => await Personal.UnprotectTextAsync(other, "test.name", bytes));
        await Assert.ThrowsAnyAsync<CryptographicException>(async () => await Personal.UnprotectTextAsync(one, "test.phone", bytes));
    }

    [Fact]
    public async Task A_changed_byte_anywhere_keeps_a_value_shut()
    {
        var customer = Guid.CreateVersion7();
        var bytes = await Personal.ProtectTextAsync(customer, "test.name", "Aino");
        for (var i = 0; i < bytes.Length; i++)
        {
            var edited = (byte[])bytes.Clone();
            edited[i] ^= 1;
            await Assert.ThrowsAnyAsync<CryptographicException>(async () => await Personal.UnprotectTextAsync(customer, "test.name", edited));
        }
        for (var length = 0; length < 29; length++)
            await Assert.ThrowsAnyAsync<CryptographicException>(async () => await Personal.UnprotectTextAsync(customer, "test.name", bytes[..length]));
    }

    [Fact]
    public async Task An_erased_customers_values_are_gone_and_none_are_taken()
    {
        var customer = Guid.CreateVersion7();
        var bytes = await Personal.ProtectTextAsync(customer, "test.name", "Aino");
        await Personal.EraseAsync(customer);
        Assert.Null(await Personal.UnprotectTextAsync(customer, "test.name", bytes));
        await Assert.ThrowsAsync<CustomerErasedException>(async () => await Personal.ProtectTextAsync(customer, "test.name", "Aino"));
        await Personal.EnsureKeysAsync([customer]);
        await Assert.ThrowsAsync<CustomerErasedException>(async () => await Personal.ProtectTextAsync(customer, "test.name", "Aino"));
        await using var later = Build();
        Assert.Null(await later.GetRequiredService<PersonalData>().UnprotectTextAsync(customer, "test.name", bytes));
    }

    [Fact]
    public async Task A_customer_erased_before_the_first_value_takes_none()
    {
        var customer = Guid.CreateVersion7();
        await Personal.EraseAsync(customer);
        await Assert.ThrowsAsync<CustomerErasedException>(async () => await Personal.ProtectTextAsync(customer, "test.name", "Aino"));
    }

    [Fact]
    public async Task Many_requests_at_once_make_one_key_for_a_customer()
    {
        var customer = Guid.CreateVersion7();
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () => await Personal.ProtectTextAsync(customer, "test.name", $"{i}"))));
        await using var later = Build();
        for (var i = 0; i < all.Length; i++) Assert.Equal($"{i}", await later.GetRequiredService<PersonalData>().UnprotectTextAsync(customer, "test.name", all[i]));
    }

    [Fact]
    public void Look_up_hashes_are_stable_keyed_and_apart_per_purpose()
    {
        var hash = services.GetRequiredService<LookupHash>();
        Assert.Equal(hash.Of("email", "aino@example.com"), hash.Of("email", "aino@example.com"));
        Assert.NotEqual(hash.Of("email", "aino@example.com"), hash.Of("phone", "aino@example.com"));
        Assert.NotEqual(hash.Of("email", "aino@example.com"), SHA256.HashData(Encoding.UTF8.GetBytes("email\naino@example.com")));
        using var later = Build();
        Assert.Equal(hash.Of("email", "aino@example.com"), later.GetRequiredService<LookupHash>().Of("email", "aino@example.com"));
    }

    [Fact]
    public void Sealed_state_opens_for_its_use_and_in_its_time_only()
    {
        var state = services.GetRequiredService<SealedState>();
        var text = state.Seal("signin", new SignInRequest("/account") { Onward = ["https://partner.example"] }, TimeSpan.FromMinutes(5));
        Assert.True(state.TryOpen<SignInRequest>("signin", text, out var opened));
        Assert.Equal(("/account", "https://partner.example"), (opened.ReturnPath, opened.Onward.Single()));
        Assert.False(state.TryOpen<SignInRequest>("consent", text, out _));
        Assert.False(state.TryOpen<SignInRequest>("signin", null, out _));
        Assert.False(state.TryOpen<SignInRequest>("signin", "%%%", out _));
        Assert.False(state.TryOpen<SignInRequest>("signin", new string('a', 9000), out _));
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.False(state.TryOpen<SignInRequest>("signin", text, out _));
    }

    [Fact]
    public void Sealed_state_with_a_changed_character_does_not_open()
    {
        var state = services.GetRequiredService<SealedState>();
        var text = state.Seal("signin", new SignInRequest("/"), TimeSpan.FromMinutes(5));
        for (var i = 0; i < text.Length; i++)
        {
            var edited = text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..];
            // The last character may hold spare bits that decoding ignores: then nothing was changed.
            if (state.TryOpen<SignInRequest>("signin", edited, out _)) Assert.Equal(text.Length - 1, i);
        }
    }

    [Fact]
    public async Task Rotation_signs_with_the_key_that_was_published_before_and_keeps_the_old_one_published()
    {
        var keys = services.GetRequiredService<SigningKeys>();
        var before = keys.PublishedOf(Oidc.Name);
        Assert.Equal([KeyState.Active, KeyState.Next], before.Select(k => k.State));
        await keys.RotateAsync(Oidc.Name);
        Assert.Equal(before[1].Kid, keys.ActiveOf(Oidc.Name).Kid);
        Assert.Equal([before[1].Kid, before[0].Kid], keys.PublishedOf(Oidc.Name).Where(k => k.State != KeyState.Next).Select(k => k.Kid));
        Assert.DoesNotContain(before, k => k.Kid == keys.PublishedOf(Oidc.Name).Single(n => n.State == KeyState.Next).Kid);
        clock.Advance(TimeSpan.FromDays(31));
        Assert.DoesNotContain(keys.PublishedOf(Oidc.Name), k => k.State == KeyState.Retired);
    }

    [Fact]
    public async Task Rotation_of_one_purpose_leaves_the_others_and_receipts_are_verifiable_for_ever()
    {
        var keys = services.GetRequiredService<SigningKeys>();
        var saml = keys.ActiveOf(Saml.Name).Kid;
        await keys.RotateAsync(Receipts.Name);
        Assert.Equal(saml, keys.ActiveOf(Saml.Name).Kid);
        clock.Advance(TimeSpan.FromDays(4000));
        Assert.Contains(keys.PublishedOf(Receipts.Name), k => k.State == KeyState.Retired);
    }

    [Fact]
    public async Task Another_process_that_rotates_is_noticed_within_fifteen_seconds()
    {
        var keys = services.GetRequiredService<SigningKeys>();
        var next = keys.PublishedOf(Oidc.Name)[1].Kid;
        await using var other = Build();
        await other.GetRequiredService<SigningKeys>().RotateAsync(null);
        clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(next, keys.ActiveOf(Oidc.Name).Kid);
    }

    [Fact]
    public async Task A_key_rotates_by_its_age_once_and_one_in_a_certificate_waits_for_the_operator()
    {
        var keys = services.GetRequiredService<SigningKeys>();
        var (oidc, saml) = (keys.PublishedOf(Oidc.Name), keys.ActiveOf(Saml.Name).Kid);
        clock.Advance(Oidc.RotateAfter!.Value - TimeSpan.FromSeconds(1));
        Assert.Empty(await keys.RotateDueAsync(null));
        clock.Advance(TimeSpan.FromSeconds(1));
        await using var other = Build();
        var rotated = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => (i % 2 == 0 ? services : other).GetRequiredService<SigningKeys>().RotateDueAsync(null))));
        Assert.Equal([Oidc.Name], rotated.SelectMany(r => r));      // two processes, four rounds, one rotation
        Assert.Equal(oidc[1].Kid, keys.ActiveOf(Oidc.Name).Kid);
        Assert.Contains(keys.PublishedOf(Oidc.Name), k => k.Kid == oidc[0].Kid && k.State == KeyState.Retired);
        Assert.Equal(saml, keys.ActiveOf(Saml.Name).Kid);
    }

    [Fact]
    public async Task A_next_key_that_partners_have_not_had_a_day_to_read_does_not_sign_by_its_age()
    {
        var keys = services.GetRequiredService<SigningKeys>();
        keys.PublishedOf(Oidc.Name);
        clock.Advance(TimeSpan.FromDays(100));
        await keys.RotateAsync(null);       // the next keys are made now
        clock.Advance(TimeSpan.FromHours(23));
        Assert.Empty(await keys.RotateDueAsync(TimeSpan.FromHours(1)));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal([Oidc.Name, Receipts.Name], await keys.RotateDueAsync(TimeSpan.FromHours(1)));
        Assert.Empty(await keys.RotateDueAsync(TimeSpan.Zero));
    }

    [Fact]
    public async Task X22_a_leaked_key_is_published_no_more_and_one_that_proves_receipts_stays()
    {
        var keys = services.GetRequiredService<SigningKeys>();
        var (oidc, receipt) = (keys.ActiveOf(Oidc.Name).Kid, keys.ActiveOf(Receipts.Name).Kid);
        await keys.RotateAsync(null, emergency: true);
        Assert.DoesNotContain(keys.PublishedOf(Oidc.Name), k => k.Kid == oidc);
        Assert.Equal(KeyState.Revoked, (await keys.ListAsync()).Single(k => k.Kid == oidc).State);
        Assert.Contains(keys.PublishedOf(Receipts.Name), k => k.Kid == receipt);
        await keys.RotateAsync(Oidc.Name);
        Assert.Equal(KeyState.Revoked, (await keys.ListAsync()).Single(k => k.Kid == oidc).State);
    }

    [Fact]
    public async Task Processes_that_start_together_make_one_active_key()
    {
        var kids = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            await using var process = Build();
            return process.GetRequiredService<SigningKeys>().ActiveOf(Saml.Name).Kid;
        })));
        Assert.Single(kids.Distinct());
    }

    [Fact]
    public void A_key_with_a_certificate_has_its_public_key_in_it_and_private_keys_are_not_on_disk()
    {
        var key = services.GetRequiredService<SigningKeys>().ActiveOf(Saml.Name);
        Assert.Equal(((RSA)key.Key).ExportSubjectPublicKeyInfo(), key.Certificate!.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.False(key.Certificate.HasPrivateKey);
        var privateKey = ((RSA)key.Key).ExportPkcs8PrivateKey();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        foreach (var file in Directory.EnumerateFiles(folder.Path)) Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(privateKey));
    }

    [Fact]
    public void A_purpose_that_nobody_registered_has_no_keys() =>
        Assert.Throws<ArgumentException>(() => services.GetRequiredService<SigningKeys>().ActiveOf("nobody"));

    [Fact]
    public void Tokens_are_long_distinct_and_hashed_to_32_bytes()
    {
        var tokens = Enumerable.Range(0, 1000).Select(_ => Token.New()).ToHashSet();
        Assert.Equal(1000, tokens.Count);
        Assert.All(tokens, t => Assert.Equal(43, t.Length));
        Assert.Equal(32, Token.Hash(tokens.First()).Length);
    }

    private PersonalData Personal => services.GetRequiredService<PersonalData>();
}
