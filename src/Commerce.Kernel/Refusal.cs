namespace Commerce.Kernel;

/// <summary>An expected no: a stable code for programs, an HTTP status, and a sentence that helps a person and tells an attacker nothing.</summary>
/// <param name="Code">Module and reason, such as <c>federation.unknown_offer</c>. Never renamed once released.</param>
/// <param name="Status">HTTP status, 400 to 503.</param>
/// <param name="Message">One or two plain sentences. Shown to people; holds no value that came from the request.</param>
public sealed record Refusal(string Code, int Status, string Message)
{
    /// <summary>Which members of the request were wrong and how to mend them. Only for callers who have proven who they are.</summary>
    public IReadOnlyList<FieldError>? Errors { get; init; }

    public Refusal With(params IReadOnlyList<FieldError> errors) => this with { Errors = errors };
}

/// <summary>One wrong member of a request body or file line.</summary>
/// <param name="Field">Path as the caller wrote it, such as <c>lines[1].gtin</c>.</param>
/// <param name="Message">What is wrong and how to mend it.</param>
public sealed record FieldError(string Field, string Message);
