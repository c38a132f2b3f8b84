using System.Text.Json;
using Commerce.Kernel;
using MediatR;

namespace Commerce.Profiles.Contracts;

/// <summary>
/// The customer's values for exactly these claim names, as they would leave: <c>name</c>, <c>given_name</c>, <c>family_name</c>,
/// <c>email</c>, <c>email_verified</c>, <c>phone_number</c>, <c>phone_number_verified</c>, <c>address</c>, <c>locale</c>, <c>vehicle</c>.
/// Names without a value, and names not known here, are absent from the answer.
/// </summary>
public sealed record ProfileValues(Guid Customer, IReadOnlyList<string> Names) : IRequest<IReadOnlyDictionary<string, JsonElement>>;

/// <summary>A vehicle as partners receive it.</summary>
/// <param name="Registration">Plate, as on the plate.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="TireSize">Such as <c>205/55R16</c>.</param>
public sealed record Vehicle(string Registration, string Country, string? Make, string? Model, int? Year, string? TireSize);

public sealed record PostalAddress(string? StreetAddress, string? PostalCode, string? Locality, string? Region, string? Country);

/// <summary>Takes the profile part of one batch of imported customers. Repeating a batch changes nothing.</summary>
public sealed record ImportProfiles(IReadOnlyList<ImportedProfile> Profiles) : IRequest<int>;

/// <param name="Source">Banner the values come from; kept as their provenance.</param>
public sealed record ImportedProfile(
    Guid Customer, string Source, string? GivenName, string? FamilyName, string Locale, string? PhoneNumber, bool PhoneNumberVerified,
    PostalAddress? Address, IReadOnlyList<Vehicle> Vehicles, string? LoyaltyNumber, DateTimeOffset CreatedAt);

/// <summary>
/// The customer's newest sign-ins at partners with what left at each, the newest first, as facts of kind <c>released</c> without
/// <see cref="TimelineFact.PartnerName"/>. Hops are not among them: each tells the timeline itself, with its order.
/// </summary>
/// <remarks>
/// The timeline asks, Consent answers from its ledger; declared here, because Consent tells Profiles and modules' questions must not run in a
/// ring. Sign-ins are too many to be written down in both.
/// </remarks>
/// <param name="AtMost">1 to 1,000.</param>
public sealed record SignInsAtPartners(Guid Customer, int AtMost) : IRequest<IReadOnlyList<TimelineFact>>;

/// <summary>The names of these partners as they are registered now, by id; one that is not registered is absent. Answered by Federation.</summary>
public sealed record PartnerNames(IReadOnlyList<string> Partners) : IRequest<IReadOnlyDictionary<string, string>>;

/// <summary>
/// Something that belongs on the customer's timeline. Told by whichever module saw it, so that Profiles knows none of them.
/// </summary>
/// <param name="Fact">Id of the fact: telling it twice shows it once.</param>
/// <param name="Kind">
/// <c>purchase</c>, <c>consent_given</c>, <c>consent_withdrawn</c>, <c>released</c>, <c>landed</c>, <c>booking</c>, <c>fulfilment</c>,
/// <c>hop_denied</c>, <c>account</c>.
/// </param>
/// <param name="Claims">Names of the claims that left, for <c>released</c> and <c>consent_given</c>.</param>
/// <param name="Summary">What happened in the customer's words, such as "4 × 205/55R16 winter"; shown as text. Stored encrypted.</param>
public sealed record TimelineFact(
    Guid Fact, Guid Customer, DateTimeOffset At, string Kind, string? Summary = null, string? Partner = null, string? PartnerName = null,
    string? Banner = null, string? OrderNumber = null, string? Receipt = null, string? Hop = null, IReadOnlyList<string>? Claims = null) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"customer:{Customer:N}";
}

/// <summary>Many facts at once, from an import: one event and one transaction for the whole batch. They may be of different customers.</summary>
/// <param name="Facts">Each as if it had been told alone; at most 1,000.</param>
public sealed record TimelineFacts(IReadOnlyList<TimelineFact> Facts) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => "timeline:import";
}
