using System.Data.Common;
using System.Security.Cryptography.X509Certificates;
using Commerce.Federation.Contracts;
using Commerce.Kernel;
using Commerce.Saml;
using MediatR;

namespace Commerce.Federation.Partners;

/// <summary>What of the SAML partners ends within 60 days. A feed that is read as it should be renews its own dates, so these are left out.</summary>
internal static class MetadataExpiry
{
    // Renewed: a feed that is read as it should be follows it, and nothing of it waits for an operator.
    private static readonly HotSql OfSaml = new("""
        SELECT c."Id", c."Partner", c."Metadata", EXISTS (
          SELECT 1 FROM {schema}followed_entities e JOIN {schema}metadata_sources s ON s."Id" = e."Source"
          WHERE e."Connection" = c."Id" AND e."Pending" IS NULL AND s."Failures" = 0)
        FROM {schema}connections c WHERE c."Protocol" = $1 AND c."IsActive" = $2
        """);

    public static async Task<IReadOnlyList<Expiring>> FindAsync(HotStore<FederationDb> store, DateTimeOffset now, CancellationToken stop)
    {
        var found = await store.ReadAsync(read => read.ListAsync(OfSaml, row => Of(row, now), Protocol.Saml, true), stop);
        return [.. found.SelectMany(one => one).OrderBy(one => one.Until).ThenBy(one => one.Connection, StringComparer.Ordinal)];
    }

    // Row by row: of an aggregate's thousands, what ends is kept and not their documents.
    private static Expiring[] Of(DbDataReader row, DateTimeOffset now)
    {
        var isRenewed = row.GetBoolean(3);
        return [.. Of(row.GetString(0), row.GetString(1), PendingMetadataHandler.Read(row.GetString(2)), now).Where(one => !(isRenewed && one.What == Metadata))];
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

internal sealed class ListExpiringHandler(HotStore<FederationDb> store, TimeProvider clock) : IRequestHandler<ListExpiring, IReadOnlyList<Expiring>>
{
    public Task<IReadOnlyList<Expiring>> Handle(ListExpiring request, CancellationToken cancellationToken) => MetadataExpiry.FindAsync(store, clock.GetUtcNow(), cancellationToken);
}
