using System.CommandLine;

namespace Commerce.Host.CommandLine;

/// <summary>The command line: one verb, one file.</summary>
internal static class Verbs
{
    public static readonly Option<DirectoryInfo> Data = new("--data")
    {
        Description = "Folder for databases and keys.",
        DefaultValueFactory = _ => new DirectoryInfo("data"),
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json") { Description = "Print the result as JSON.", Recursive = true };

    public static RootCommand Root() => new RootCommand("""
        Commerce: one identity for every customer, and signed-in hops to partners.

        Start with:
          serve --urls http://localhost:5000            run the hub
          banner add northern-tires.json                a store brand
          partner add --oidc client.json --contract contract.json
          offer add offer.json                          what customers see after paying

        Settings come from the environment as well: COMMERCE_ORIGIN (public origin), COMMERCE_POSTGRES (connection string; default SQLite),
        COMMERCE_RETAILER (name that customers read), ASPNETCORE_ENVIRONMENT=Development (partners may live on http and loopback).
        A verb may run while the hub serves from the same folder.
        """)
    {
        Data, Json,
        ServeVerb.Make(),
        new Command("partner", "Partner businesses and their connections.")
        {
            PartnerAdd.Make(), PartnerList.Make(), PartnerCheck.Make(), PartnerContract.Make(), PartnerSwitch.Make(on: false), PartnerSwitch.Make(on: true), PartnerSecret.Make(), PartnerRemove.Make(),
            PartnerToken.Make(),
            PartnerMetadata.Make(),
        },
        new Command("api", "APIs whose access tokens the hub issues.") { ApiAdd.Make(), ApiList.Make() },
        new Command("policy", "What single clients may do.") { PolicySet.Make(), PolicyList.Make() },
        new Command("offer", "Partner services shown to customers after a purchase.") { OfferAdd.Make() },
        new Command("banner", "Store brands.") { BannerAdd.Make(), BannerList.Make() },
        new Command("customers", "Customers of older systems.") { CustomersImport.Make() },
        new Command("orders", "Orders of older systems.") { OrdersImport.Make() },
        new Command("operator", "People who run the hub.") { OperatorAdd.Make() },
        new Command("keys", "Signing keys.") { KeysList.Make(), KeysRotate.Make(), KeysAdopt.Make() },
        new Command("ledger", "The ledger of consents and releases.") { LedgerVerify.Make() },
        new Command("refusals", "SAML messages that were refused, for whoever is asked why.") { RefusalsList.Make(), RefusalsShow.Make() },
        new Command("events", "Events that could not be delivered between modules.") { EventsDead.Make(), EventsRetry.Make(), EventsDrop.Make() },
    }.ShowsLongHelp();
}
