using System.Text.RegularExpressions;
using Commerce.Identity.Banners;
using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Identity.Passwords;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Identity.Accounts;

/// <summary>Takes customers of older systems, a batch in one transaction. A line that was taken before is left as it is.</summary>
internal sealed partial class ImportCustomersHandler(IdentityDb db, LookupHash hash, PersonalData personal, TimeProvider clock)
    : IRequestHandler<ImportCustomers, IReadOnlyList<ImportOutcome>>
{
    private const int MaxExternalIdLength = 64;
    private static readonly DateTimeOffset Earliest = new(1970, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public async Task<IReadOnlyList<ImportOutcome>> Handle(ImportCustomers request, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var outcomes = await PrepareAsync(request.Customers, cancellationToken);
                await db.SaveChangesAsync(cancellationToken);
                return outcomes;
            }
            catch (Exception error) when (attempt < 5 && error.IsConflict())
            {
                db.ChangeTracker.Clear();   // an address or id was taken at the same moment: look again
            }
        }
    }

    private async Task<IReadOnlyList<ImportOutcome>> PrepareAsync(IReadOnlyList<ImportedAccount> lines, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var read = lines.Select(line => Read(line, now)).ToList();
        var idHashes = read.Where(r => r.Reason is null).Select(r => r.IdHash).ToList();
        var mailHashes = read.Where(r => r.Reason is null).Select(r => r.MailHash).ToList();
        // Addresses before ids: another run that commits these lines between the two questions is then seen as having taken them,
        // not as somebody else who has their addresses.
        var addresses = (await db.Accounts.Where(a => mailHashes.Contains(a.EmailHash)).Select(a => a.EmailHash).ToListAsync(stop))
            .Select(Convert.ToHexStringLower).ToHashSet();
        var taken = (await db.ExternalAccounts.AsNoTracking().Where(e => idHashes.Contains(e.IdHash)).ToListAsync(stop))
            .ToDictionary(e => Convert.ToHexStringLower(e.IdHash), e => e.Customer);

        var outcomes = new List<ImportOutcome>(lines.Count);
        var fresh = new List<(ReadLine Line, Guid Customer)>();
        foreach (var line in read)
        {
            if (line.Reason is { } reason)
            {
                outcomes.Add(new ImportOutcome(line.From.Line, null, false, reason));
            }
            else if (taken.TryGetValue(Convert.ToHexStringLower(line.IdHash), out var known))
            {
                outcomes.Add(new ImportOutcome(line.From.Line, known, false, null));
            }
            else if (!addresses.Add(Convert.ToHexStringLower(line.MailHash)))
            {
                // Merging two accounts takes the customer's own proof of both; until then the second one waits in the rejected lines.
                outcomes.Add(new ImportOutcome(line.From.Line, null, false, "email: another account has this address already."));
            }
            else
            {
                var customer = Guid.CreateVersion7(now);
                taken[Convert.ToHexStringLower(line.IdHash)] = customer;
                fresh.Add((line, customer));
                outcomes.Add(new ImportOutcome(line.From.Line, customer, true, null));
            }
        }
        await personal.EnsureKeysAsync([.. fresh.Select(f => f.Customer)], stop);
        foreach (var (line, customer) in fresh)
        {
            var from = line.From;
            var account = await CustomerAccount.NewAsync(customer, line.Email, from.Locale, from.Banner, from.CreatedAt, personal, hash, stop);
            if (from.EmailVerified) account.EmailVerifiedAt = now;
            if (from.PasswordHash is { } imported) await account.KeepImportedHashAsync(imported, personal, stop);
            db.Accounts.Add(account);
            db.ExternalAccounts.Add(new ExternalAccount { IdHash = line.IdHash, Customer = customer });
        }
        return outcomes;
    }

    private ReadLine Read(ImportedAccount line, DateTimeOffset now)
    {
        string? reason = null;
        if (line.ExternalId.Length is 0 or > MaxExternalIdLength || line.ExternalId.Any(char.IsControl)) reason = "external_id: give 1 to 64 characters.";
        else if (!PutBannerHandler.IsId(line.Banner)) reason = "banner: use lower-case letters, digits and single dashes, at most 64 characters.";
        else if (!LocaleForm().IsMatch(line.Locale)) reason = "locale: give a language tag such as fi-FI.";
        else if (line.CreatedAt < Earliest || line.CreatedAt > now.AddDays(1)) reason = "created_at: this time is before 1970 or has not come yet.";
        else if (line.PasswordHash is { } imported && ImportedHash.Read(imported, out var fault) is null) reason = fault;
        if (!EmailAddress.TryParse(line.Email, out var email)) reason ??= "email: this is not a mail address.";
        return reason is null
            ? new ReadLine(line, email, ExternalAccount.HashOf(hash, line.Banner, line.ExternalId), email.LookupHash(hash), null)
            : new ReadLine(line, email, [], [], reason);
    }

    private sealed record ReadLine(ImportedAccount From, EmailAddress Email, byte[] IdHash, byte[] MailHash, string? Reason);

    public static bool IsLocale(string locale) => LocaleForm().IsMatch(locale);

    // BCP 47: language, then perhaps a script and a region.
    [GeneratedRegex(@"\A[a-zA-Z]{2,3}(-[a-zA-Z]{4})?(-([a-zA-Z]{2}|[0-9]{3}))?\z")] private static partial Regex LocaleForm();
}
