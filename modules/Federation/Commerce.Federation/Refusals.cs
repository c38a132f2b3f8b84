using Commerce.Kernel;

namespace Commerce.Federation;

/// <summary>Every way this module says no. Protocol folders add theirs in files of their own.</summary>
internal static partial class Refusals
{
    public static readonly Refusal PartnerInvalid = new("federation.partner_invalid", 400, "The partner's metadata cannot be taken as it is.");
    public static readonly Refusal ContractInvalid = new("federation.contract_invalid", 400, "The data contract cannot be taken as it is.");
    public static readonly Refusal ContractVersion = new("federation.contract_version", 409, "A data contract's version only goes up.");
    public static readonly Refusal ApiInvalid = new("federation.api_invalid", 400, "The API cannot be registered as it is.");
    public static readonly Refusal ClientPolicyInvalid = new("federation.client_policy_invalid", 400, "The policy cannot be taken as it is.");
    public static readonly Refusal RegistrationPolicyInvalid = new("federation.registration_policy_invalid", 400, "The policy for self-registration cannot be taken as it is.");
    public static readonly Refusal OfferInvalid = new("federation.offer_invalid", 400, "The offer cannot be taken as it is.");
    public static readonly Refusal ConnectionExists = new("federation.connection_exists", 409, "There is a connection with this id already.");
    public static readonly Refusal UnknownPartner = new("federation.unknown_partner", 404, "There is no such partner.");

    public static readonly Refusal UnknownFeed = new("federation.unknown_feed", 404, "There is no such metadata feed.");
    public static readonly Refusal NothingPending = new("federation.nothing_pending", 404, "No change of this connection waits for approval.");
    public static readonly Refusal FeedUnreadable = new("federation.feed_unreadable", 502, "The metadata could not be fetched.");

    public static readonly Refusal UnknownClient = new("federation.unknown_client", 404, "There is no such OIDC client.");
    public static readonly Refusal NoSecretClient = new("federation.no_secret_client", 409, "This client does not prove itself by a secret.");
    public static readonly Refusal TwoSecrets = new("federation.two_secrets", 409, "Two secrets are live already: retire the older one first.");
    public static readonly Refusal OneSecret = new("federation.one_secret", 409, "Only one secret is live: add another one before it is retired.");

    /// <summary>One sentence for an unknown order, another customer's order and an offer that does not fit: it tells a guesser nothing.</summary>
    public static readonly Refusal OfferUnavailable = new("federation.offer_unavailable", 404, "This offer is not available for that order.");
    public static readonly Refusal SheetInvalid = new("federation.sheet_invalid", 400, "This page is no longer good. Open the offer again.");
    public static readonly Refusal PrefetchRefused = new("federation.prefetch", 503, "This address is opened by a person, not ahead of time.");

    /// <summary>Ticket unknown, used, expired, or made for another partner, customer or browser session.</summary>
    public static readonly Refusal TicketInvalid = new("federation.ticket_invalid", 400, "This way to the partner was used already or has expired. Open the offer again.");
    public static readonly Refusal PartnerOff = new("federation.partner_off", 403, "This partner cannot be reached from here at the moment.");
    public static readonly Refusal SessionOver = new("federation.session_over", 403, "Sign in again to go on.");
    public static readonly Refusal NothingAgreed = new("federation.nothing_agreed", 403, "You have not agreed to share these details.");
    public static readonly Refusal UnknownHop = new("federation.unknown_hop", 404, "There is no such hop for this partner.");
}
