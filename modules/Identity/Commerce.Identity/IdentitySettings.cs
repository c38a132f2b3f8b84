using Microsoft.Extensions.Configuration;

namespace Commerce.Identity;

/// <summary>What an operator may set for this module, in the configuration's section <c>Identity</c>.</summary>
internal sealed record IdentitySettings
{
    /// <summary>PBKDF2 iterations for new password hashes; null takes the framework's own number. Lower ones are for tests and demos.</summary>
    public int? PasswordIterations { get; init; }

    /// <summary>Wrong passwords that one network may send in a quarter of an hour, over all accounts.</summary>
    public int NetworkFailures { get; init; } = 300;

    /// <summary>Mails that one network may cause in an hour.</summary>
    public int NetworkMails { get; init; } = 300;

    public static IdentitySettings Of(IConfiguration? configuration) =>
        configuration?.GetSection("Identity").Get<IdentitySettings>() ?? new IdentitySettings();
}
