using Commerce.Kernel;
using MediatR;

namespace Planted.Alpha.Contracts;

/// <summary>Obeys.</summary>
public sealed record AskAlpha(Guid Id, string Name, IReadOnlyList<int> Numbers, AlphaState State) : IRequest<Result<AlphaAnswer>>;

/// <summary>Obeys.</summary>
public sealed record AlphaAnswer(IReadOnlyDictionary<string, string> Words, DateTimeOffset At, AlphaAnswer? Inner);

/// <summary>Obeys.</summary>
public enum AlphaState { First, Second }

/// <summary>Obeys: the aggregate's key is part of an event.</summary>
public sealed record AlphaHappened(Guid Id) : IIntegrationEvent
{
    string IIntegrationEvent.Aggregate => $"alpha:{Id:N}";
}
