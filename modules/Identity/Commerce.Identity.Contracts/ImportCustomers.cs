using Commerce.Kernel;
using MediatR;

namespace Commerce.Identity.Contracts;

/// <summary>
/// Takes one batch of customers in one transaction. Repeating a batch changes nothing: (banner, external id) is the key.
/// </summary>
public sealed record ImportCustomers(IReadOnlyList<ImportedAccount> Customers) : IRequest<IReadOnlyList<ImportOutcome>>;

/// <summary>The account part of one line; the profile part goes to Profiles.</summary>
/// <param name="Line">Line number in the file, from 1.</param>
public sealed record ImportedAccount(
    long Line, string ExternalId, string Banner, string Email, bool EmailVerified, string Locale, DateTimeOffset CreatedAt, ImportedPasswordHash? PasswordHash);

/// <param name="Scheme">How the old directory stored it: <c>ssha512</c> or <c>pbkdf2-sha256</c>.</param>
public sealed record ImportedPasswordHash(string Scheme, string Value);

/// <summary>What became of one line, in the order of the request.</summary>
/// <param name="Customer">The customer's id, or null where the line was refused.</param>
/// <param name="IsNew">False where an earlier run had taken the line already.</param>
/// <param name="Reason">Why the line was refused, in a sentence, or null.</param>
public sealed record ImportOutcome(long Line, Guid? Customer, bool IsNew, string? Reason);
