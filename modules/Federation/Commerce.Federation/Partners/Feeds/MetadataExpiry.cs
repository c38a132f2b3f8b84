using System.Security.Cryptography.X509Certificates;
using Commerce.Federation.Contracts;
using Commerce.Saml;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.Partners;

/// <summary>What of the SAML partners ends within 60 days. A feed that is read as it should be renews its own dates, so these are left out.</summary>
internal static class MetadataExpiry
{
    public static async Task<IReadOnlyList<Expiring>> FindAsync(FederationDb db, DateTimeOffset now, CancellationToken stop)
    {
        var renewed = (await (from entity in db.Set<FollowedEntity>() join source in db.Set<MetadataSource>() on entity.Source equals source.Id where source.Failures == 0 && entity.Pending == null select entity.Connection)
            .ToListAsync(stop)).ToHashSet(StringComparer.Ordinal);
        var found = new List<Expiring>();
        await foreach (var row in db.Connections.AsNoTracking().Where(c => c.Protocol == Protocol.Saml && c.IsActive).AsAsyncEnumerable().WithCancellation(stop))
            found.AddRange(Of(row.Id, row.Partner, PendingMetadataHandler.Read(row.Metadata), now).Where(one => one.What != Metadata || !renewed.Contains(row.Id)));
        return [.. found.OrderBy(one => one.Until).ThenBy(one => one.Connection, StringComparer.Ordinal)];
    }

    public const string Metadata = "metadata";

    public static IEnumerable<Expiring> Of(string connection, string partner, ServiceProvider provider, DateTimeOffset now)
    {
        if (provider.ValidUntil is { } until && Ends(Metadata, until) is { } metadata) yield return metadata;
        foreach (var key in provider.SigningKeys)
            if (NotAfter(key) is { } end && Ends("signing certificate", end) is { } certificate) yield return certificate;
        foreach (var key in provider.EncryptionKeys.Except(provider.SigningKeys))
            if (NotAfter(key) is { } end && Ends("encryption certificate", end) is { } certificate) yield return certificate;

        Expiring? Ends(string what, DateTimeOffset end)
        {
            var days = (int)Math.Floor((end - now).TotalDays);
            return Threshold(days) is { } threshold ? new Expiring(connection, partner, what, end, days, threshold) : null;
        }
    }

    /// <summary>60, 30, 7 or 0; null where there is time.</summary>
    public static int? Threshold(int daysLeft) => daysLeft < 0 ? 0 : daysLeft < 7 ? 7 : daysLeft < 30 ? 30 : daysLeft < 60 ? 60 : null;

    public static DateTimeOffset? NotAfter(TrustedKey key)
    {
        if (key.Certificate is null) return null;
        using var certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(key.Certificate));
        return new DateTimeOffset(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);
    }
}

internal sealed class ListExpiringHandler(FederationDb db, TimeProvider clock) : IRequestHandler<ListExpiring, IReadOnlyList<Expiring>>
{
    public Task<IReadOnlyList<Expiring>> Handle(ListExpiring request, CancellationToken cancellationToken) => MetadataExpiry.FindAsync(db, clock.GetUtcNow(), cancellationToken);
}
