using Microsoft.Extensions.Configuration;

namespace Commerce.Identity.Mail;

/// <summary>The mail server, in the configuration's section <c>Smtp</c>. Without a host no mail leaves.</summary>
internal sealed record SmtpSettings
{
    public string? Host { get; init; }
    public int Port { get; init; } = 587;
    public string? User { get; init; }
    public string? Password { get; init; }

    /// <summary>Sender of mails that belong to no banner.</summary>
    public string From { get; init; } = "no-reply@localhost";

    /// <summary>False sends in clear. Only for a server on this very machine: it is refused for any other.</summary>
    public bool StartTls { get; init; } = true;

    public static SmtpSettings Of(IConfiguration? configuration) => configuration?.GetSection("Smtp").Get<SmtpSettings>() ?? new SmtpSettings();
}
