using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Kernel.Secrets;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Identity.Accounts;

/// <summary>Answers other modules' questions about who a customer is.</summary>
internal sealed class FindAccountOf(IdentityDb db, PersonalData personal) : IRequestHandler<AccountOf, Account?>
{
    public async Task<Account?> Handle(AccountOf request, CancellationToken cancellationToken)
    {
        var account = await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Customer == request.Customer, cancellationToken);
        if (account is null || await account.EmailAsync(personal, cancellationToken) is not { } email) return null;
        return new Account(account.Customer, email, account.EmailVerifiedAt is not null, account.Locale, account.Banner, account.LockedAt is not null, account.CreatedAt);
    }
}

internal sealed class FindCustomerWithEmail(IdentityDb db, LookupHash hash) : IRequestHandler<CustomerWithEmail, Guid?>
{
    public async Task<Guid?> Handle(CustomerWithEmail request, CancellationToken cancellationToken)
    {
        if (!EmailAddress.TryParse(request.Email, out var email)) return null;
        var wanted = email.LookupHash(hash);
        return await db.Accounts.Where(a => a.EmailHash == wanted && (!request.VerifiedOnly || a.EmailVerifiedAt != null)).Select(a => (Guid?)a.Customer).SingleOrDefaultAsync(cancellationToken);
    }
}

internal sealed class FindCustomersWithEmail(IdentityDb db, LookupHash hash) : IRequestHandler<CustomersWithEmail, IReadOnlyDictionary<string, Guid>>
{
    private const int AtOnce = 500;

    public async Task<IReadOnlyDictionary<string, Guid>> Handle(CustomersWithEmail request, CancellationToken cancellationToken)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var written in request.Emails)
        {
            if (EmailAddress.TryParse(written, out var email)) hashes.TryAdd(written, Convert.ToHexStringLower(email.LookupHash(hash)));
        }
        var found = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var some in hashes.Values.Distinct(StringComparer.Ordinal).Select(Convert.FromHexString).Chunk(AtOnce))
        {
            var rows = await db.Accounts.Where(a => some.Contains(a.EmailHash) && (!request.VerifiedOnly || a.EmailVerifiedAt != null))
                .Select(a => new { a.EmailHash, a.Customer }).ToListAsync(cancellationToken);
            foreach (var row in rows) found[Convert.ToHexStringLower(row.EmailHash)] = row.Customer;
        }
        return hashes.Where(h => found.ContainsKey(h.Value)).ToDictionary(h => h.Key, h => found[h.Value], StringComparer.Ordinal);
    }
}
