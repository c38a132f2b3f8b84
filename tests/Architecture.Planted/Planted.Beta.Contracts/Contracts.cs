using System.Text.Json.Serialization;
using Commerce.Kernel;
using MediatR;

namespace Planted.Beta.Contracts;

public sealed record AskBeta(Guid Id) : IRequest<bool>;

/// <summary>Breaks: a class is no record.</summary>
public sealed class PlainClass
{
    public int Number { get; set; }
}

/// <summary>Breaks: somebody may derive from it.</summary>
public record OpenRecord(int Number);

/// <summary>Breaks: it decides something.</summary>
public sealed record DecidingRecord(int Number)
{
    public bool IsLarge() => Number > 10;
}

/// <summary>Breaks: it computes.</summary>
public sealed record ComputingRecord(int Number)
{
    public int Twice => Number * 2;
}

/// <summary>Breaks: Contracts ask, nobody implements them.</summary>
public interface IBetaService
{
    void Do();
}

/// <summary>Breaks: what comes back is a JsonElement.</summary>
public sealed record LosesItsType(object Anything);

/// <summary>Breaks: the value stays behind.</summary>
public sealed record LosesAValue(int Kept)
{
    [JsonIgnore]
    public int Lost { get; init; }
}

/// <summary>Breaks: JSON has no word for it.</summary>
public sealed record CannotBeWritten(Type Kind);
