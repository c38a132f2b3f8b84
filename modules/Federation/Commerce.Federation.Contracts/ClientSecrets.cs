using Commerce.Kernel;
using MediatR;

namespace Commerce.Federation.Contracts;

/// <summary>Makes a second secret for an OIDC client; the first goes on counting until it is retired.</summary>
public sealed record AddClientSecret(string ClientId) : IRequest<Result<AddedSecret>>;

/// <param name="Secret">Shown once and stored hashed.</param>
public sealed record AddedSecret(string ClientId, string Secret);

/// <summary>Ends the older of a client's two secrets at once.</summary>
public sealed record RetireClientSecret(string ClientId) : IRequest<Result<bool>>;
