using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Testing;

namespace Commerce.Federation.Tests.Partners;

/// <summary>The module alone, once outside Development (where addresses are held to https and public hosts) and once within it.</summary>
public sealed class PartnerHub : IAsyncLifetime
{
    internal TestHub Hub { get; private set; } = null!;
    internal TestHub Development { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Hub = await StartAsync(false);
        Development = await StartAsync(true);
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        await Development.DisposeAsync();
    }

    internal static async Task<TestHub> StartAsync(bool development)
    {
        var clock = FakeClock.AtNoon();
        return await TestHub.StartAsync([new FederationModule()], configure: new Neighbours(clock).Register, development: development, clock: clock);
    }

    /// <summary>The fields that a refusal names.</summary>
    internal static IReadOnlyList<string> FieldsOf<T>(Result<T> result) => [.. (result.Refusal?.Errors ?? []).Select(e => e.Field).Distinct()];

    internal Task<Result<AddedPartner>> AddAsync(string client, string? contract = null, string? id = null) => Hub.AskAsync(new AddOidcPartner(client, contract, id));
}
