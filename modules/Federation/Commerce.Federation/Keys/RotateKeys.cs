using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using MediatR;

namespace Commerce.Federation.Keys;

/// <summary>
/// Moves keys on by one step: the next key, long published, begins to sign; the one that signed stays published until all it signed has
/// expired; a new next key is made and published. Partners never meet a key that they could not have known.
/// </summary>
internal sealed class RotateKeysHandler(SigningKeys keys) : IRequestHandler<RotateKeys, Result<IReadOnlyList<KeySummary>>>
{
    public static readonly Refusal UnknownPurpose = new("federation.unknown_key_purpose", 404, "No keys are kept for this purpose. 'keys list' shows those there are.");

    public static readonly Refusal NoNextKey = new("federation.no_next_key", 409,
        "The keys of this purpose are in hardware and no next one waits. Make one there, then 'keys adopt' it, a day before you rotate.");

    public async Task<Result<IReadOnlyList<KeySummary>>> Handle(RotateKeys request, CancellationToken cancellationToken)
    {
        if (request.Purpose is { } purpose && keys.Purposes.All(p => p.Name != purpose)) return UnknownPurpose;
        var waiting = await keys.RotateAsync(request.Purpose, request.Emergency, cancellationToken);
        if (request.Purpose is not null && waiting.Count > 0) return NoNextKey;
        return Result.Of(await ListKeysHandler.SummariesAsync(keys, cancellationToken));
    }
}
