using System.Globalization;
using System.Text.Json;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Commerce.Web;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.Localization;

namespace Commerce.Identity.Mail;

/// <summary>A mail that waits to be sent. It is written with the change it speaks of, and goes when it has been delivered or is a day old.</summary>
internal sealed class QueuedMail
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    public required Guid Id { get; init; }

    /// <summary>A <see cref="Message"/>, sealed by the key ring: it may go to somebody who is no customer and has no key.</summary>
    public required byte[] Content { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
    public int Attempts { get; set; }
    public DateTimeOffset NextAttemptAt { get; set; }
}

/// <summary>One mail as a person reads it.</summary>
/// <param name="From">The banner's sender, or null for the hub's own.</param>
internal sealed record Message(string To, string Subject, string Text, string? From);

/// <summary>Writes mails in the reader's language and puts them into the queue.</summary>
internal sealed class MailQueue(
    IdentityDb db, IStringLocalizer<Texts> texts, IDataProtectionProvider ring, HubSettings settings, TimeProvider clock)
{
    private readonly IDataProtector seal = ring.CreateProtector("commerce.identity.mail.v1");

    /// <summary>Adds a mail to the unit of work; the caller saves.</summary>
    /// <param name="text">Which text: <c>mail.TEXT.subject</c> and <c>mail.TEXT.body</c>.</param>
    /// <param name="locale">The reader's language.</param>
    /// <param name="path">Where the mail's link leads, below the public origin: never below the Host header of a request (K03).</param>
    public void Add(string text, string to, string locale, string path, StoreSender? sender = null)
    {
        var language = locale.Split('-')[0];
        var culture = CultureInfo.GetCultureInfo(WebRegistration.Languages.Contains(language) ? language : WebRegistration.Languages[0]);
        var before = CultureInfo.CurrentUICulture;
        CultureInfo.CurrentUICulture = culture;
        try
        {
            var name = sender?.Name ?? settings.RetailerName;
            var message = new Message(to, texts[$"mail.{text}.subject", name], texts[$"mail.{text}.body", name, settings.PublicOrigin + path], sender?.Address);
            var now = clock.GetUtcNow();
            db.Mails.Add(new QueuedMail
            {
                Id = Guid.CreateVersion7(now),
                Content = seal.Protect(JsonSerializer.SerializeToUtf8Bytes(message, HubJson.Options)),
                CreatedAt = now,
                NextAttemptAt = now,
            });
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }

    public Message Open(QueuedMail mail) => JsonSerializer.Deserialize<Message>(seal.Unprotect(mail.Content), HubJson.Options)!;
}

/// <param name="Name">The banner's name.</param>
/// <param name="Address">Where its mails come from.</param>
internal sealed record StoreSender(string Name, string Address);

internal sealed class QueuedMailMap : IEntityTypeConfiguration<QueuedMail>
{
    public void Configure(EntityTypeBuilder<QueuedMail> mail)
    {
        mail.ToTable("mails").HasKey(m => m.Id);
        mail.Property(m => m.Id).ValueGeneratedNever();
        mail.HasIndex(m => m.NextAttemptAt);                // what the sender asks for
    }
}
