using System.Security.Cryptography;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using MediatR;

namespace Commerce.Federation.Keys;

/// <summary>Puts a key of a hardware module in the place of the next key. It is published at once and signs after the next rotation.</summary>
internal sealed class AdoptKeyHandler(SigningKeys keys) : IRequestHandler<AdoptKey, Result<IReadOnlyList<KeySummary>>>
{
    private static readonly Refusal OneWay = new("federation.one_way_to_the_key", 422, "Name either the OpenSSL engine or the OpenSSL provider that reaches the key.");

    public async Task<Result<IReadOnlyList<KeySummary>>> Handle(AdoptKey request, CancellationToken cancellationToken)
    {
        if (keys.Purposes.All(p => p.Name != request.Purpose)) return RotateKeysHandler.UnknownPurpose;
        if (request.Engine is null == request.Provider is null) return OneWay;
        try
        {
            await keys.AdoptAsync(request.Purpose, new HardwareKey(request.Engine, request.Provider, request.Address), cancellationToken);
        }
        catch (CryptographicException error)
        {
            return new Refusal("federation.key_out_of_reach", 422, $"The key cannot be used: {error.Message}");
        }
        return Result.Of(await ListKeysHandler.SummariesAsync(keys, cancellationToken));
    }
}
