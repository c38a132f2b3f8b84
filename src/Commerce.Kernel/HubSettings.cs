namespace Commerce.Kernel;

/// <summary>What the whole process is told at start and what never changes while it runs.</summary>
public sealed record HubSettings
{
    /// <summary>Folder for databases and the key ring. Created when missing. Back it up as one.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// The one origin under which browsers and partners reach the hub, without a trailing slash, such as <c>https://id.example</c>.
    /// It is the OIDC issuer, and links in mails begin with it: never the Host header of a request.
    /// </summary>
    public required string PublicOrigin { get; init; }

    /// <summary>True only where <c>ASPNETCORE_ENVIRONMENT=Development</c>: partners may then live on http and on loopback addresses.</summary>
    public bool IsDevelopment { get; init; }

    /// <summary>The retailer's name as customers know it: on the sign-in page, in mails and on receipts.</summary>
    public string RetailerName { get; init; } = "Commerce";

    /// <summary>Npgsql connection string, or null for the embedded SQLite default. With PostgreSQL each module has its own schema.</summary>
    public string? Postgres { get; init; }
}
