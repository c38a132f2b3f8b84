using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner add</c>: registers an OIDC client, a SAML service provider, or every service provider of a federation.</summary>
internal static class PartnerAdd
{
    private static readonly Option<FileInfo?> Oidc = new("--oidc") { Description = "RFC 7591 client metadata, a JSON file.", HelpName = "FILE" };
    private static readonly Option<string?> Saml = new("--saml-metadata") { Description = "SAML 2.0 metadata: a file or an https URL.", HelpName = "FILE-or-URL" };
    private static readonly Option<string?> EntityId = new("--entity-id") { Description = "Which service provider of an aggregate.", HelpName = "ID" };
    private static readonly Option<bool> All = new("--all") { Description = "Every service provider of the aggregate that SAML 2.0 can serve; the others are listed with the reason." };
    private static readonly Option<FileInfo?> Contract = new("--contract")
    {
        Description = "Data contract, a JSON file: what the partner may ever receive, per purpose.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> ClientId = new("--client-id") { Description = "Client id to use instead of a random one (OIDC).", HelpName = "ID" };

    private static readonly Option<FileInfo?> SignedBy = new("--signed-by")
    {
        Description = "Certificate (PEM) that must have signed the SAML metadata; a file may hold several.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> Mdq = new("--mdq") { Description = "Ask a metadata query service (MDQ) for --entity-id.", HelpName = "URL" };

    public static Command Make()
    {
        var verb = new Command("add", """
            Register a partner's connection. The partner is made where it is new.

            Examples:
              partner add --oidc fuel.json --contract fuel-contract.json
              partner add --saml-metadata https://kolari-auto.example/saml/metadata --contract contract.json
              partner add --saml-metadata federation.xml --entity-id https://sp.example/shibboleth
              partner add --saml-metadata https://federation.example/feed.xml --signed-by federation.pem --all
              partner add --mdq https://mdq.federation.example --entity-id https://sp.example/shibboleth --signed-by federation.pem

            Metadata from an address is followed: a serving hub fetches it again on a schedule. See: partner metadata --help

            A client secret is printed once and stored only as a hash.
            """) { Oidc, Saml, Mdq, SignedBy, EntityId, All, Contract, ClientId };
        verb.Validators.Add(given =>
        {
            var (oidc, mdq) = (given.GetResult(Oidc) is not null, given.GetResult(Mdq) is not null);
            var saml = mdq || given.GetResult(Saml) is not null;
            if (mdq && (given.GetResult(Saml) is not null || given.GetResult(EntityId) is null)) given.AddError("--mdq goes with --entity-id and without --saml-metadata.");
            if (!saml && given.GetResult(SignedBy) is not null) given.AddError("--signed-by goes with --saml-metadata or --mdq.");
            if (oidc == saml) given.AddError("Give either --oidc FILE or --saml-metadata FILE-or-URL.");
            if (!saml && (given.GetResult(EntityId) is not null || given.GetValue(All))) given.AddError("--entity-id and --all go with --saml-metadata.");
            if (!oidc && given.GetResult(ClientId) is not null) given.AddError("--client-id goes with --oidc.");
            if (given.GetResult(EntityId) is not null && given.GetValue(All)) given.AddError("Give --entity-id for one, or --all for every one.");
        });
        return verb.Runs(AddAsync);
    }

    private static async Task AddAsync(VerbRun run)
    {
        var contract = run.Get(Contract) is { } file ? await run.ReadAsync(file) : null;
        if (run.Get(Oidc) is { } oidc)
        {
            var added = await run.MustAsync(new AddOidcPartner(await run.ReadAsync(oidc), contract, run.Get(ClientId)));
            run.Print(added, text => Describe(text, added));
            return;
        }
        var signedBy = run.Get(SignedBy) is { } pem ? await run.ReadAsync(pem) : null;
        if ((run.Get(Mdq) ?? run.Get(Saml)!) is var source && source.Contains("://", StringComparison.Ordinal))
        {
            var followed = await run.MustAsync(new FollowMetadata(source, run.Get(Mdq) is not null, signedBy, run.Get(EntityId), run.Get(All), contract));
            run.Print(run.Get(All) ? followed : followed.Added[0], text =>
            {
                if (run.Get(All)) Describe(text, new AddedFederation(followed.Added, followed.Skipped));
                else Describe(text, followed.Added[0]);
                text.WriteLine($"The metadata is followed as {followed.Source}.");
                if (signedBy is null) text.WriteLine("Note: it is not verified by a signature. A later change of an endpoint or a key waits for: partner metadata approve");
            });
            return;
        }
        var metadata = await run.ReadAsync(new FileInfo(source));
        if (!run.Get(All))
        {
            var added = await run.MustAsync(new AddSamlPartner(metadata, run.Get(EntityId), contract, signedBy));
            run.Print(added, text => Describe(text, added));
            return;
        }
        var federation = await run.MustAsync(new AddSamlFederation(metadata, contract, signedBy));
        run.Print(federation, text => Describe(text, federation));
    }

    private static void Describe(TextWriter text, AddedFederation federation)
    {
        text.WriteLine($"Added {federation.Added.Count}:");
        foreach (var one in federation.Added)
        {
            text.WriteLine($"  {one.Connection}  as {one.Partner}");
            foreach (var note in one.Notes) text.WriteLine($"      {note}");
        }
        text.WriteLine($"Left out {federation.Skipped.Count}:");
        foreach (var one in federation.Skipped) text.WriteLine($"  {one.EntityId}{Environment.NewLine}      {one.Reason}");
    }

    private static void Describe(TextWriter text, AddedPartner added)
    {
        text.WriteLine($"Added {added.Partner} over {(added.Protocol == "oidc" ? "OpenID Connect" : "SAML 2.0")}.");
        text.WriteLine($"  connection         {added.Connection}");
        if (added.ClientId is { } client) text.WriteLine($"  client_id          {client}");
        if (added.Secret is { } secret) text.WriteLine($"  client_secret      {secret}");
        if (added.ApiClientId is { } api) text.WriteLine($"  API client_id      {api}");
        if (added.ApiClientSecret is { } apiSecret) text.WriteLine($"  API client_secret  {apiSecret}");
        if (added.Secret is not null || added.ApiClientSecret is not null) text.WriteLine("Secrets are shown this once. Keep them where the partner's system reads them.");
        foreach (var note in added.Notes) text.WriteLine($"Note: {note}");
    }
}
