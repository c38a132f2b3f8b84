using System.Data.Common;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Identity.Accounts;

/// <summary>Answers other modules' questions about who a customer is. Every release of an e-mail address asks it, so it reads by the hot store.</summary>
internal sealed class FindAccountOf(HotStore<IdentityDb> store, PersonalData personal) : IRequestHandler<AccountOf, Account?>
{
    private static readonly HotSql ByCustomer = new("""
        SELECT "Customer", "EmailHash", "Email", "EmailVerifiedAt", "Locale", "Banner", "LockedAt", "CreatedAt" FROM {schema}accounts WHERE "Customer" = $1
        """);

    public async Task<Account?> Handle(AccountOf request, CancellationToken cancellationToken)
    {
        var account = await store.ReadAsync(read => read.FirstAsync(ByCustomer, Of, request.Customer), cancellationToken);
        if (account is null || await account.EmailAsync(personal, cancellationToken) is not { } email) return null;
        return new Account(account.Customer, email, account.EmailVerifiedAt is not null, account.Locale, account.Banner, account.LockedAt is not null, account.CreatedAt);
    }

    private static CustomerAccount Of(DbDataReader row) => new()
    {
        Customer = row.GetGuid(0),
        EmailHash = row.GetFieldValue<byte[]>(1),
        Email = row.GetFieldValue<byte[]>(2),
        EmailVerifiedAt = row.GetInstantOrNull(3),
        Locale = row.GetString(4),
        Banner = row.GetString(5),
        LockedAt = row.GetInstantOrNull(6),
        CreatedAt = row.GetInstant(7),
    };
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
