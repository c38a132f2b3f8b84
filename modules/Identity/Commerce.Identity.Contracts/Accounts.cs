using Commerce.Kernel;
using MediatR;

namespace Commerce.Identity.Contracts;

/// <summary>The account of a customer, or null where there is none.</summary>
public sealed record AccountOf(Guid Customer) : IRequest<Account?>;

/// <param name="Email">As the customer wrote it.</param>
/// <param name="EmailVerified">True only where the customer has shown that they receive mail there.</param>
/// <param name="Locale">BCP 47 tag, such as <c>fi-FI</c>.</param>
/// <param name="Banner">Banner at which the account began.</param>
/// <param name="IsLocked">A locked account signs in nowhere and nothing of it is released.</param>
public sealed record Account(Guid Customer, string Email, bool EmailVerified, string Locale, string Banner, bool IsLocked, DateTimeOffset CreatedAt);

/// <summary>The customer whose account has this e-mail address (compared without case), or null.</summary>
/// <param name="VerifiedOnly">
/// Only where the account's address is verified. Whoever gives away what belongs to an address, such as orders, must set it: anybody can
/// register with somebody else's address.
/// </param>
public sealed record CustomerWithEmail(string Email, bool VerifiedOnly = false) : IRequest<Guid?>;

/// <summary>The same for many addresses in one question, keyed by the address as asked. Addresses without an account are absent from the answer.</summary>
/// <param name="VerifiedOnly">As for <see cref="CustomerWithEmail"/>.</param>
public sealed record CustomersWithEmail(IReadOnlyList<string> Emails, bool VerifiedOnly = false) : IRequest<IReadOnlyDictionary<string, Guid>>;

/// <summary>A browser session that is alive and whose account is not locked, or null.</summary>
public sealed record SessionOf(Guid Session) : IRequest<Session?>;

public sealed record Session(Guid Id, Guid Customer, DateTimeOffset AuthenticatedAt, IReadOnlyList<string> Amr, string Acr);

/// <summary>Ends one browser session at once. False where it had ended already.</summary>
public sealed record EndSession(Guid Session) : IRequest<bool>;

/// <summary>Locks or unlocks an account. Locking ends every session. False where there is no such account.</summary>
public sealed record SetAccountLock(Guid Customer, bool Locked) : IRequest<bool>;

/// <summary>Gives an e-mail address operator rights once its owner signs in with it verified.</summary>
public sealed record AddOperator(string Email) : IRequest<Result<bool>>;

/// <summary>
/// A customer registered. Imported customers are not told one by one: a hundred thousand events would stand in the way of every sign-out.
/// </summary>
public sealed record CustomerRegistered(Guid Customer, string Banner, string? GivenName, string? FamilyName, string Locale, DateTimeOffset At) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"customer:{Customer:N}";
}

/// <summary>The customer proved that mail to the account's address reaches them.</summary>
public sealed record EmailConfirmed(Guid Customer, string Email, DateTimeOffset At) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"customer:{Customer:N}";
}

/// <summary>A session ended: signed out, expired, or the account was locked. Partners of the session are told.</summary>
/// <param name="Reason"><c>signed_out</c>, <c>locked</c>, <c>password_changed</c> or <c>replaced</c>.</param>
public sealed record SessionEnded(Guid Session, Guid Customer, string Reason, DateTimeOffset At) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"customer:{Customer:N}";
}

/// <summary>
/// The account was locked or its password changed: what was granted before stands no longer. Told whether or not a session was alive,
/// for a grant may have outlived the sessions.
/// </summary>
/// <param name="Reason"><c>locked</c> or <c>password_changed</c>.</param>
public sealed record AccountSecured(Guid Customer, string Reason, DateTimeOffset At) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"customer:{Customer:N}";
}

/// <summary>Sets the language in which the customer is addressed. False where there is no such account.</summary>
/// <param name="Locale">BCP 47 tag, such as <c>fi-FI</c>.</param>
public sealed record ChangeLocale(Guid Customer, string Locale) : IRequest<Result<bool>>;
