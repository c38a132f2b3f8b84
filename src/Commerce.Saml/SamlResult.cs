using System.Diagnostics.CodeAnalysis;

namespace Commerce.Saml;

/// <summary>Why a message, a key or a metadata document was refused.</summary>
/// <param name="Code">Stable, such as <c>saml.signature_invalid</c>; see <see cref="FaultCodes"/>.</param>
/// <param name="Detail">For the operator's log only. It may name ids and addresses of the message, never a claim value or a key.
/// What a customer sees is one generic page.</param>
public sealed record SamlFault(string Code, string Detail)
{
    /// <summary>In one line of at most 500 characters: parts of it come from the message, and logs are read by line.</summary>
    public string Detail { get; } = OneLine(Detail);

    public override string ToString() => $"{Code}: {Detail}";

    private static string OneLine(string detail)
    {
        if (detail.Length > 500) detail = detail[..500];
        return detail.Any(char.IsControl) ? string.Concat(detail.Select(c => char.IsControl(c) ? ' ' : c)) : detail;
    }
}

/// <summary>One success value, or a fault. There is no third state: an instance nobody filled in is a fault.</summary>
/// <remarks>Bad input never escapes as an exception from this library; exceptions are bugs of the caller or of the library.</remarks>
public readonly struct SamlResult<T>
{
    private static readonly SamlFault Nothing = new(FaultCodes.Internal, "No result was produced.");
    private readonly T? value;
    private readonly SamlFault? fault;

    private SamlResult(T value) => (this.value, IsSuccess) = (value, true);

    private SamlResult(SamlFault fault) => this.fault = fault;

    public bool IsSuccess { get; }

    /// <exception cref="InvalidOperationException">The result is a fault.</exception>
    public T Value => IsSuccess ? value! : throw new InvalidOperationException($"There is no value: {Fault}");

    /// <summary>The reason of the refusal; null only on success.</summary>
    public SamlFault? Fault => IsSuccess ? null : fault ?? Nothing;

    public bool TryGet([NotNullWhen(true)] out T? success, [NotNullWhen(false)] out SamlFault? reason)
    {
        (success, reason) = (IsSuccess ? value : default, Fault);
#pragma warning disable CS8762 // IsSuccess decides which of the two is set.
        return IsSuccess;
#pragma warning restore CS8762
    }

    public TOut Match<TOut>(Func<T, TOut> success, Func<SamlFault, TOut> failure) => IsSuccess ? success(value!) : failure(Fault!);

    /// <summary>Goes on with the value, or passes the fault along.</summary>
    public SamlResult<TOut> Then<TOut>(Func<T, SamlResult<TOut>> next) => IsSuccess ? next(value!) : Fault!;

    public static implicit operator SamlResult<T>(T value) => new(value);

    internal static SamlResult<T> Success(T value) => new(value);

    public static implicit operator SamlResult<T>(SamlFault fault) => new(fault);
}

internal static class SamlResult
{
    /// <summary>For values whose static type is an interface: C# has no conversion operator from those.</summary>
    public static SamlResult<T> Of<T>(T value) => SamlResult<T>.Success(value);
}
