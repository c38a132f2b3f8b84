using Commerce.Kernel;
using MediatR;

namespace Commerce.Federation.Contracts;

/// <summary>SAML messages that were refused, newest first.</summary>
/// <param name="Connection">Of this entity id alone; null for all.</param>
/// <param name="Most">1 to 1,000.</param>
public sealed record ListRefusedMessages(string? Connection, int Most) : IRequest<IReadOnlyList<RefusedMessage>>;

/// <summary>What stands behind the reference that a customer read out.</summary>
public sealed record FindRefusedMessage(string Reference) : IRequest<Result<IReadOnlyList<RefusedMessage>>>;

/// <param name="Reference">As the customer's page shows it.</param>
/// <param name="Code">The rule that refused it, such as <c>saml.signature_invalid</c>.</param>
/// <param name="Endpoint">Path at which it arrived.</param>
/// <param name="Connection">Entity id, where it is a registered one.</param>
/// <param name="Detail">The reason in one line.</param>
/// <param name="Message">The message with everything masked that names a person or could be used again; null where there was none.</param>
public sealed record RefusedMessage(string Reference, DateTimeOffset At, string Code, string Endpoint, string? Connection, string Detail, string? Message);
