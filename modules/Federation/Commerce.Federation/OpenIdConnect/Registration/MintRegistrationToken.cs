using System.Text.Json;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.Registration;

/// <summary>Makes an initial access token for one partner. It is shown once and stored hashed.</summary>
internal sealed class MintRegistrationTokenHandler(FederationDb db, TimeProvider clock) : IRequestHandler<MintRegistrationToken, Result<RegistrationToken>>
{
    public async Task<Result<RegistrationToken>> Handle(MintRegistrationToken request, CancellationToken cancellationToken)
    {
        var policy = RegistrationPolicy.Default;
        if (request.Policy is not null && !RegistrationPolicy.Read(request.Policy).TryGet(out policy, out var no)) return no;
        if (request.Uses is < 1 or > 1000) return Refusals.RegistrationPolicyInvalid.With(new FieldError("uses", "1 to 1000 are expected."));
        if (request.Days is < 1 or > 365) return Refusals.RegistrationPolicyInvalid.With(new FieldError("days", "1 to 365 are expected."));
        if (!await db.Partners.AnyAsync(p => p.Id == request.Partner, cancellationToken)) return Refusals.UnknownPartner;

        var (token, until) = (Token.New(), clock.GetUtcNow().AddDays(request.Days));
        db.Add(new InitialToken
        {
            TokenHash = Token.Hash(token), Partner = request.Partner, Policy = JsonSerializer.Serialize(policy, HubJson.Options), UsesLeft = request.Uses, ExpiresAt = until,
        });
        await db.SaveChangesAsync(cancellationToken);
        return new RegistrationToken(request.Partner, token, request.Uses, until);
    }
}
