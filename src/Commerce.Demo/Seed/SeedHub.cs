using System.Text;
using System.Text.Json;
using Commerce.Demo.Sites;
using Commerce.Demo.Tires;
using Commerce.Federation.Contracts;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.PartnerKit;
using Commerce.Profiles.Contracts;
using MediatR;

namespace Commerce.Demo.Seed;

/// <summary>Credentials that the hub told once; the demo keeps them beside its data so that a restart works.</summary>
internal sealed record DemoSecrets(ApiCredentials? Shop, ApiCredentials? Tires, ApiCredentials? Fuel);

/// <summary>Fills the hub through the same requests that its command line sends. Doing it again changes nothing.</summary>
internal sealed class SeedHub(IMediator hub, string secretsFile, TimeProvider clock)
{
    public async Task<DemoSecrets> RunAsync(Addresses at, CancellationToken stop)
    {
        Ok(await hub.Send(new PutBanner(new Banner(People.Banner, "Northern Tires", ["northern-tires.example"], ["fi", "sv", "en", "ko"],
            new BannerLook("#0b5d3b", null), "Northern Tires <hello@northern-tires.example>")), stop));
        Ok(await hub.Send(new PutBanner(new Banner("harbour-market", "Harbour Market", ["harbour-market.example"], ["en", "sv"],
            new BannerLook("#1f4e8c", null), "Harbour Market <hello@harbour-market.example>")), stop));
        await CustomersAsync(stop);

        var known = (await hub.Send(new ListPartners(), stop)).Select(p => p.Partner).ToHashSet();
        var secrets = Read();
        secrets = Keep(secrets with { Shop = await RegisterAsync("northern-tires", secrets.Shop, () => new AddOidcPartner(Registrations.Shop(at.Shop), Registrations.ShopContract)) });
        secrets = Keep(secrets with { Fuel = await RegisterAsync("polar-fuel", secrets.Fuel, () => new AddOidcPartner(Registrations.Fuel(at.Fuel), Registrations.FuelContract)) });
        secrets = Keep(secrets with { Tires = await RegisterAsync("kolari-auto", secrets.Tires, () => new AddSamlPartner(TiresMetadata(at), null, Registrations.TiresContract)) });

        Ok(await hub.Send(new PutOffer(Registrations.FittingOffer(at.Tires)), stop));
        Ok(await hub.Send(new PutOffer(Registrations.FuelOffer(at.Fuel)), stop));
        return secrets;

        // A partner whose secret was lost (a crash between the two writes, or the file was deleted) is registered anew.
        async Task<ApiCredentials> RegisterAsync(string partner, ApiCredentials? kept, Func<IRequest<Result<AddedPartner>>> add)
        {
            if (kept is not null && known.Contains(partner)) return kept;
            if (known.Contains(partner)) Ok(await hub.Send(new RemovePartner(partner), stop));
            var added = Ok(await hub.Send(add(), stop));
            return added.ApiClientId is null ? new ApiCredentials(added.ClientId!, added.Secret!) : new ApiCredentials(added.ApiClientId, added.ApiClientSecret!);
        }
    }

    private async Task CustomersAsync(CancellationToken stop)
    {
        var outcomes = await hub.Send(new ImportCustomers([.. People.All.Select((person, at) => person.Account(at + 1))]), stop);
        var refused = outcomes.FirstOrDefault(o => o.Customer is null);
        if (refused is not null) throw new InvalidOperationException($"A demo account was refused: {refused.Reason}");
        await hub.Send(new ImportProfiles([.. outcomes.Select(o => People.All[(int)o.Line - 1].Profile(o.Customer!.Value))]), stop);
    }

    private string TiresMetadata(Addresses at)
    {
        var options = new CommerceHopOptions();
        TireSite.Configure(options, at.Tires, at.Hub);
        return Encoding.UTF8.GetString(HopMetadata.Write(options, clock));
    }

    private DemoSecrets Read() =>
        File.Exists(secretsFile) ? JsonSerializer.Deserialize<DemoSecrets>(File.ReadAllBytes(secretsFile))! : new DemoSecrets(null, null, null);

    private DemoSecrets Keep(DemoSecrets secrets)
    {
        AtomicFile.Write(secretsFile, JsonSerializer.SerializeToUtf8Bytes(secrets));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(secretsFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return secrets;
    }

    private static T Ok<T>(Result<T> result) => result.IsOk ? result.Value : throw new InvalidOperationException(
        $"The hub refused a demo registration: {result.Refusal.Code}. {result.Refusal.Message} "
        + string.Join(' ', (result.Refusal.Errors ?? []).Select(e => $"[{e.Field}: {e.Message}]")));
}
