using Commerce.Federation.Contracts;
using Commerce.Kernel.Secrets;
using MediatR;

namespace Commerce.Federation.Keys;

/// <summary>Lists the hub's signing keys of every purpose, as they stand in the store.</summary>
internal sealed class ListKeysHandler(SigningKeys keys) : IRequestHandler<ListKeys, IReadOnlyList<KeySummary>>
{
    public Task<IReadOnlyList<KeySummary>> Handle(ListKeys request, CancellationToken cancellationToken) => SummariesAsync(keys, cancellationToken);

    /// <summary>By purpose; within one, active first, then next, then retired and revoked ones, newest first.</summary>
    public static async Task<IReadOnlyList<KeySummary>> SummariesAsync(SigningKeys keys, CancellationToken stop) =>
        [.. (await keys.ListAsync(stop)).Select(k => new KeySummary(
            k.Kid, k.Purpose, k.Algorithm, k.State.ToString().ToLowerInvariant(), k.Store ?? "embedded", k.CreatedAt, k.ActivatedAt, k.RetiredAt))];
}
