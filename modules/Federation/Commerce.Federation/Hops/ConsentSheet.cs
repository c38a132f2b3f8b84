using System.Globalization;
using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Identity.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Localization;

namespace Commerce.Federation.Hops;

/// <summary>What the sheet says. Every value is shown as it would leave.</summary>
/// <param name="Host">Host on which the customer will land.</param>
/// <param name="DeliveredTo">Host that receives the details, where it is another one; else null.</param>
/// <param name="PurposeLanguage">Language of the contract's own words, where it has none in the page's language.</param>
/// <param name="Missing">Names of required claims without a value: while there are any, nothing can be allowed.</param>
/// <param name="Changed">Something changed since the sheet was shown before.</param>
internal sealed record SheetModel(
    string PartnerName, string Host, string? DeliveredTo, string Purpose, string PurposeLanguage, int RetentionDays, IReadOnlyList<SheetClaim> Claims, IReadOnlyList<string> Missing,
    bool Changed, string Action, string Sealed, string? PolicyUri, string? TosUri)
{
    /// <summary>Set where a partner asks for one purchase: which order it is about.</summary>
    public string? OrderNumber { get; init; }

    /// <summary>Set where a device waits for the answer; then there may be no purpose, and nothing that leaves.</summary>
    public SheetDevice? Device { get; init; }
}

/// <param name="Code">The user code as the device shows it.</param>
internal sealed record SheetDevice(string Name, string Code);

/// <param name="Text">The value in readable form, one entry per line.</param>
/// <param name="Details">Every part of it by name, where the readable form leaves some out.</param>
internal sealed record SheetClaim(
    string Name, bool Required, string Reason, string ReasonLanguage, IReadOnlyList<string> Text, IReadOnlyList<KeyValuePair<string, string>> Details);

/// <summary>What a shown sheet was about. It travels sealed in the form, so that what was shown is what goes, or nothing does.</summary>
/// <param name="Id">One answer per sheet.</param>
/// <param name="ValuesHash">Keyed hash of every value shown.</param>
internal sealed record ShownHop(Guid Id, string Offer, string Order, Guid Customer, Guid Session, string Connection, int ContractVersion, string ValuesHash);

/// <summary>Renders the consent sheet.</summary>
internal sealed class ConsentSheet(
    HopOccasions occasions, ReleaseValues releases, Connections connections, IMediator mediator, SealedState state, IStringLocalizer<HopTexts> texts, TimeProvider clock)
{
    public const string View = "/Hops/ConsentSheet.cshtml";
    public const string Use = "hop-sheet";
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    /// <summary>Names of required claims that have no value.</summary>
    public static IEnumerable<string> Missing(ContractPurpose purpose, IEnumerable<KeyValuePair<string, JsonElement>> values) =>
        purpose.Claims.Where(c => c.Required && values.All(v => v.Key != c.Name)).Select(c => c.Name);

    public async Task<IResult> ShowAsync(HttpContext context, HopOccasion hop, Guid session, bool changed, CancellationToken stop)
    {
        var values = await occasions.MostAsync(hop, stop);
        var shown = new ShownHop(Guid.CreateVersion7(clock.GetUtcNow()), hop.Offer.Id, hop.Purchase.OrderNumber, hop.Customer, session, hop.Connection.Id,
            hop.Contract.Version, releases.HashOf(values));
        var model = Model(hop.Connection, hop.Purpose, hop.Purpose.Claims, values, new Uri(hop.Offer.TargetUrl).Host, changed,
            OpenHop.PathOf(hop.Offer.Id, hop.Purchase.OrderNumber), state.Seal(Use, shown, Lifetime));
        var shop = await ShopReturn.UrlAsync(hop.Purchase, connections, stop);
        var banner = await mediator.Send(new BannerOf(hop.Purchase.Banner), stop);
        return new Page(View, model)
        {
            Status = changed ? StatusCodes.Status409Conflict : StatusCodes.Status200OK,
            Look = banner is null ? null : new PageLook(banner.Name, banner.Look.Accent),
            FormTargets = [.. hop.Origins.Concat(shop is null ? [] : [PartnerUrl.Origin(shop)]).Distinct(StringComparer.Ordinal)],
        };
    }

    /// <param name="claims">The contract's claims that this sheet is about.</param>
    public SheetModel Model(
        Connection connection, ContractPurpose purpose, IReadOnlyList<ContractClaim> claims, IReadOnlyList<KeyValuePair<string, JsonElement>> values, string host,
        bool changed, string action, string sealedState)
    {
        var language = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName;
        var words = new ClaimWords(texts);
        var shown = claims.Select(claim =>
        {
            var own = ClaimCatalogue.With(claim.Name).Select(name => values.FirstOrDefault(v => v.Key == name)).Where(v => v.Key is not null).ToList();
            return (claim, own, there: own.Any(v => v.Key == claim.Name));
        }).ToList();
        return new SheetModel(connection.PartnerName, host, connection.LandingHost is { } delivered && delivered != host ? delivered : null,
            purpose.Texts.In(language), purpose.Texts.LanguageFor(language), purpose.RetentionDays,
            [.. shown.Where(s => s.there).Select(s => new SheetClaim(s.claim.Name, s.claim.Required, s.claim.Reasons.In(language), s.claim.Reasons.LanguageFor(language),
                words.Text(s.own), words.Details(s.own)))],
            [.. shown.Where(s => s.claim.Required && !s.there).Select(s => s.claim.Name)],
            changed, action, sealedState, connection.Oidc?.PolicyUri ?? PrivacyOf(connection, language), connection.Oidc?.TosUri);
    }

    // Metadata of a federation is not ours: only an address that a browser may follow is linked.
    private static string? PrivacyOf(Connection connection, string language)
    {
        var urls = connection.Saml?.PrivacyStatementUrls;
        var url = urls is null ? null : urls.TryGetValue(language, out var own) ? own : urls.TryGetValue("en", out var english) ? english : null;
        return url is not null && PartnerUrl.Fault(url, development: true) is null ? url : null;
    }
}

/// <summary>A posted sheet, read strictly: the fields that the page has, each as often as the page has it, and nothing else.</summary>
/// <param name="Allow">False for deny.</param>
/// <param name="Claims">Optional claims that the customer ticked.</param>
internal sealed record SheetAnswer(string Sheet, bool Allow, IReadOnlyList<string> Claims)
{
    public static SheetAnswer? Read(IFormCollection form)
    {
        if (form.Keys.Any(key => key is not ("form_token" or "sheet" or "decision" or "claims")) || form.Files.Count > 0) return null;
        if (form["sheet"] is not [{ Length: > 0 } sheet] || form["decision"] is not [("allow" or "deny") and var decision]) return null;
        var claims = form["claims"].OfType<string>().ToList();
        return claims.Distinct(StringComparer.Ordinal).Count() == claims.Count ? new SheetAnswer(sheet, decision == "allow", claims) : null;
    }

    /// <summary>Whether every ticked claim is one that the sheet offered to tick.</summary>
    public bool Fits(IEnumerable<ContractClaim> claims, IReadOnlyList<KeyValuePair<string, JsonElement>> values) =>
        Claims.All(name => claims.Any(c => c.Name == name && !c.Required) && values.Any(v => v.Key == name));

    public GiveConsent Consent(
        Guid customer, Connection connection, ContractPurpose purpose, IReadOnlyList<ContractClaim> claims, string landing, ConsentRecord? earlier = null)
    {
        var language = CultureInfo.CurrentUICulture.TwoLetterISOLanguageName;
        ConsentedClaim Of(ContractClaim c) => new(c.Name, c.Required, c.Reasons.In(language));
        // What an earlier consent said about claims that this sheet did not show stays as it was.
        var others = purpose.Claims.Where(c => claims.All(shown => shown.Name != c.Name)).ToList();
        return new GiveConsent(customer, connection.Partner, connection.PartnerName, purpose.Id, connection.Contract!.Version, purpose.Texts.In(language),
            purpose.Texts.LanguageFor(language), purpose.LegalBasis, purpose.RetentionDays, landing,
            [.. claims.Where(c => c.Required || Claims.Contains(c.Name)).Concat(others.Where(c => earlier?.Granted.Contains(c.Name) == true)).Select(Of)],
            [.. claims.Where(c => !c.Required && !Claims.Contains(c.Name)).Concat(others.Where(c => earlier?.Declined.Contains(c.Name) == true)).Select(Of)]);
    }
}
