using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Consent.Contracts;
using Commerce.Conformance.Tests.Suite;
using Commerce.Federation.Contracts;
using Commerce.Identity.Contracts;
using Commerce.Purchases.Contracts;
using Commerce.Saml;
using Commerce.Testing;

namespace Commerce.Conformance.Tests.Matrices;

/// <summary>
/// R17, O07, X20: what was given out while all was well, after it no longer is. Each state is entered with everything in flight, and every
/// door is tried: a rule that one of them forgot would show here.
/// </summary>
public sealed partial class StateMatrixTests(ConformanceHub hub) : IClassFixture<ConformanceHub>
{
    private static readonly string[] Doors =
    [
        "authorize", "pushed before", "push", "code", "device", "token exchange", "refresh, offline", "userinfo, offline", "userinfo", "introspection", "hub API", "hop", "SAML, unsolicited", "SAML",
    ];

    // A hop that waits for an answer is answered by the next AuthnRequest of its browser, so a withdrawn one is a status and no new sheet.
    /// <summary>State → what each door answers, in the order of <see cref="Doors"/>.</summary>
    private static readonly Dictionary<string, string[]> Expected = new()
    {
        ["nothing happened"] =
            ["code", "code", "yes", "tokens", "tokens", "tokens", "tokens", "yes", "yes", "active", "yes", "code", "assertion", "assertion"],
        ["consent withdrawn"] =
            ["consent_required", "consent_required", "yes", "invalid_grant", "invalid_grant", "invalid_request", "invalid_grant", "no", "no", "inactive", "yes", "access_denied", "refused", "status"],
        // offline_access is meant to outlive the session, and nothing else is.
        ["signed out"] =
            ["login_required", "login_required", "yes", "invalid_grant", "invalid_grant", "invalid_request", "tokens", "yes", "no", "inactive", "yes", "access_denied", "refused", "sign-in"],
        ["account locked"] =
            ["login_required", "login_required", "yes", "invalid_grant", "invalid_grant", "invalid_request", "invalid_grant", "no", "no", "inactive", "yes", "access_denied", "refused", "sign-in"],
        ["password changed"] =
            ["login_required", "login_required", "yes", "invalid_grant", "invalid_grant", "invalid_request", "invalid_grant", "no", "no", "inactive", "yes", "access_denied", "refused", "sign-in"],
        ["password changed after signing out"] =
            ["login_required", "login_required", "yes", "invalid_grant", "invalid_grant", "invalid_request", "invalid_grant", "no", "no", "inactive", "yes", "access_denied", "refused", "sign-in"],
        ["partner off"] =
            ["refused", "refused", "invalid_client", "invalid_client", "invalid_client", "invalid_client", "invalid_client", "no", "no", "invalid_client", "no", "refused", "refused", "refused"],
        ["partner removed"] =
            ["refused", "refused", "invalid_client", "invalid_client", "invalid_client", "invalid_client", "invalid_client", "no", "no", "invalid_client", "no", "refused", "refused", "refused"],
    };

    public static TheoryData<string> States => [.. Expected.Keys];

    [Theory]
    [MemberData(nameof(States))]
    public async Task R17_O07_X20_every_door_knows_at_once(string state)
    {
        var flight = await Flight.StartAsync(hub);
        await EnterAsync(state, flight);
        var answers = await flight.TryAllAsync();
        Assert.Equal(Doors.Zip(Expected[state], (door, answer) => $"{door}: {answer}"), Doors.Zip(answers, (door, answer) => $"{door}: {answer}"));
    }

    private async Task EnterAsync(string state, Flight flight)
    {
        var person = flight.Person;
        switch (state)
        {
            case "consent withdrawn":
                foreach (var receipt in flight.Receipts) Assert.True((await hub.Hub.AskAsync(new WithdrawConsent(person.Id, receipt))).IsOk);
                break;
            case "signed out":
                await SignOutAsync(flight);
                break;
            case "account locked":
                Assert.True(await hub.Hub.AskAsync(new SetAccountLock(person.Id, true)));
                break;
            case "password changed":
                await ChangePasswordAsync(flight);
                break;
            case "password changed after signing out":
                await SignOutAsync(flight);
                await ChangePasswordAsync(flight);
                break;
            case "partner off":
                foreach (var partner in flight.Partners) Assert.True((await hub.Hub.AskAsync(new SwitchPartner(partner, false))).IsOk);
                break;
            case "partner removed":
                foreach (var partner in flight.Partners) Assert.True((await hub.Hub.AskAsync(new RemovePartner(partner))).IsOk);
                break;
        }
    }

    private async Task SignOutAsync(Flight flight) =>
        await flight.Browser.GetAsync(hub.Endpoint("end_session_endpoint") + "?id_token_hint=" + flight.Online.Id);

    /// <summary>By the mailed link, from another browser, as somebody would whose device was stolen.</summary>
    private async Task ChangePasswordAsync(Flight flight)
    {
        hub.Wait(1);
        using var elsewhere = hub.Hub.NewBrowser();
        await elsewhere.SubmitAsync(await elsewhere.GetAsync("/password"), [new("email", flight.Person.Email)], action: "/password");
        var mailbox = await elsewhere.GetAsync($"/mailbox?to={Uri.EscapeDataString(flight.Person.Email)}");
        var link = WebUtility.HtmlDecode(MailedLink().Match(mailbox.Body).Groups[1].Value);
        var changed = await elsewhere.SubmitAsync(await elsewhere.GetAsync(link), [new("password", "sininen lokki soutaa aamulla")], action: "/password/new");
        Assert.Equal(HttpStatusCode.SeeOther, changed.Status);
        // The sessions end with the change itself; what outlives sessions ends when the message about it arrives, which takes milliseconds.
        await Wait.UntilAsync(async () => (await flight.Oidc.UserInfoAsync(flight.Offline.Access)).Status == HttpStatusCode.Unauthorized, "the offline grant has ended");
    }

    [GeneratedRegex("<p><a href=\"([^\"]+/password/new[^\"]+)\">")] private static partial Regex MailedLink();

    private const string DeviceCode = "urn:ietf:params:oauth:grant-type:device_code", Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";

    /// <summary>Everything that one customer can have under way, with one partner on OIDC and one on SAML.</summary>
    private sealed class Flight
    {
        private readonly ConformanceHub hub;
        private string code = "", device = "", uri = "", ticket = "", samlTicket = "", machine = "";
        private ServiceProviderSide sp = null!;
        private RemoteIdentityProvider idp = null!;

        private Flight(ConformanceHub hub, Person person, Rp oidc) => (this.hub, Person, Oidc, Browser) = (hub, person, oidc, hub.Hub.NewBrowser());

        public Person Person { get; }
        public Rp Oidc { get; }
        public TestBrowser Browser { get; }
        public TokenSet Online { get; private set; } = null!;
        public TokenSet Offline { get; private set; } = null!;
        public List<string> Receipts { get; } = [];
        public List<string> Partners { get; } = [];

        public static async Task<Flight> StartAsync(ConformanceHub hub)
        {
            var person = await hub.NewCustomerAsync($"c-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6))}@example.com");
            var oidc = await hub.AddAsync("consent", ("grant_types", new[] { "authorization_code", "refresh_token", "client_credentials", DeviceCode, Exchange }),
                ("scope", "openid profile email offline_access bookings:write"), ("initiate_login_uri", "https://hop.example/start"));
            oidc.Person = person;
            var flight = new Flight(hub, person, oidc);
            flight.Partners.Add("partner-" + oidc.Id);
            await flight.TakeOffAsync();
            return flight;
        }

        private async Task TakeOffAsync()
        {
            var order = "NT-" + Oidc.Id;
            var imported = Assert.Single(await hub.Hub.AskAsync(new ImportOrders([new ImportedOrder(1, JsonSerializer.Serialize(new
            {
                order_number = order, banner = "northern-tires", customer = new { email = Person.Email }, placed_at = "2026-10-05T14:12:33+03:00", currency = "EUR",
                lines = new object[] { new { line = 1, sku = "NT-WT", description = "Winter tire", category = "tires/winter", quantity = 4, unit_price = "129.90", properties = new { } } },
                fulfilment = new { method = "home_delivery", address = new { street_address = "Salakatu 9", postal_code = "00100", locality = "Helsinki", country = "FI" } },
            }))])));
            Assert.Null(imported.Reason);
            ticket = await HopAsync(Partners[0], "https://hop.example/book", order, "login_hint");

            await AddSamlAsync();
            samlTicket = await HopAsync(Partners[1], sp.Settings.AssertionConsumerServiceUrl, order, "ticket");
            Online = await Oidc.SignInAsync(Browser, ("scope", "openid profile"));
            Offline = await Oidc.SignInAsync(Browser, ("scope", "openid profile offline_access"));
            code = (await Oidc.AuthorizeAsync(Browser, ("scope", "openid profile"))).Code;
            var till = (await Oidc.PostAsync(hub.Endpoint("device_authorization_endpoint"), new() { ["scope"] = "openid profile" })).Json;
            device = till.GetProperty("device_code").GetString()!;
            var sheet = await Browser.SubmitAsync(await Browser.GetAsync("/device"), [new("user_code", till.GetProperty("user_code").GetString()!)], action: "/device");
            await Browser.SubmitAsync(sheet, [new("decision", "allow")], action: "/device/confirm");
            machine = TokenSet.Of(await Oidc.TokenAsync(new() { ["grant_type"] = "client_credentials", ["scope"] = "bookings:write" })).Access;
            foreach (var partner in Partners) Receipts.Add((await hub.Hub.AskAsync(new CurrentConsent(Person.Id, partner, "sign-in")))!.Receipt);
            // Last, for it is good for a minute and a half.
            var pushed = await Oidc.PostAsync(hub.Endpoint("pushed_authorization_request_endpoint"), Oidc.Request(("scope", "openid profile"), ("prompt", "none")));
            uri = pushed.Json.GetProperty("request_uri").GetString()!;
        }

        private async Task AddSamlAsync()
        {
            var entity = $"https://{Oidc.Id}-saml.example";
            sp = new ServiceProviderSide(new ServiceProviderSettings { EntityId = entity + "/metadata", AssertionConsumerServiceUrl = entity + "/acs", SigningKey = null }, hub.Hub.Clock);
            using var metadata = new MemoryStream(await hub.Hub.Http.GetByteArrayAsync("/saml/metadata"));
            idp = IdpMetadataReader.Read(metadata, null, requireHttps: false, hub.Hub.Clock).Value;
            Partners.Add("saml-" + Oidc.Id);
            var contract = JsonSerializer.Serialize(new
            {
                partner = Partners[1], version = 1,
                purposes = new[]
                {
                    new { id = "sign-in", retention_days = 30, legal_basis = "consent", texts = new { en = "Sign in" }, claims = new[] { new { name = "name", required = true, reason = "to greet you" } } },
                },
            });
            var added = await hub.Hub.AskAsync(new AddSamlPartner(Encoding.UTF8.GetString(sp.WriteMetadata()), null, contract));
            Assert.True(added.IsOk, added.Refusal?.Code + string.Join(';', added.Refusal?.Errors?.Select(e => e.Field + e.Message) ?? []));
        }

        /// <summary>From the offer over the consent sheet to the partner's door, where the ticket is taken out of the address.</summary>
        private async Task<string> HopAsync(string partner, string target, string order, string parameter)
        {
            var offer = "offer-" + partner;
            var put = await hub.Hub.AskAsync(new PutOffer(JsonSerializer.Serialize(new
            {
                id = offer, partner, when = new { category = "tires/*", banners = new[] { "*" }, countries = new[] { "FI" } }, target_url = target, purpose = "sign-in",
                texts = new { en = new { title = "Book a fitting", body = "They fit them." } },
            })));
            Assert.True(put.IsOk, put.Refusal?.Code + string.Join(';', put.Refusal?.Errors?.Select(e => e.Field + e.Message) ?? []));
            var page = await Browser.GetAsync($"/hop/{offer}?order={order}");
            for (var step = 0; step < 8; step++)
            {
                if (page.RedirectsTo is { } to)
                {
                    var values = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(to.Query);
                    if (values.TryGetValue(parameter, out var found)) return found.ToString();
                    page = await Browser.GetAsync(to.AbsoluteUri);
                }
                else if (page.Body.Contains("name=\"password\"", StringComparison.Ordinal))
                {
                    page = await Browser.SubmitAsync(page, [new("email", Person.Email), new("password", Person.Password)], action: "/signin");
                }
                else
                {
                    Assert.True(page.Body.Contains("name=\"decision\"", StringComparison.Ordinal), $"{page.Status} at {page.Address}: {page.Text}");
                    page = await Browser.SubmitAsync(page, [new("decision", "allow")], form: page.Forms().ToList().FindIndex(f => f.Hidden.Any(h => h.Key == "sheet")));
                }
            }
            throw new InvalidOperationException("The hop came nowhere.");
        }

        public async Task<List<string>> TryAllAsync() =>
        [
            Of(await Oidc.AuthorizeAsync(Browser, ("scope", "openid profile"), ("prompt", "none"))),
            Of(await Oidc.VisitAsync(Browser, new Dictionary<string, string> { ["client_id"] = Oidc.Id, ["request_uri"] = uri })),
            Of(await Oidc.PostAsync(hub.Endpoint("pushed_authorization_request_endpoint"), Oidc.Request()), HttpStatusCode.Created, "yes"),
            Of(await Oidc.RedeemAsync(code), HttpStatusCode.OK, "tokens"),
            Of(await Oidc.TokenAsync(new() { ["grant_type"] = DeviceCode, ["device_code"] = device }), HttpStatusCode.OK, "tokens"),
            Of(await Oidc.TokenAsync(new()
            {
                ["grant_type"] = Exchange, ["subject_token"] = Online.Access, ["subject_token_type"] = "urn:ietf:params:oauth:token-type:access_token", ["scope"] = "openid",
            }), HttpStatusCode.OK, "tokens"),
            Of(await Oidc.RefreshAsync(Offline.Refresh!), HttpStatusCode.OK, "tokens"),
            YesNo(await Oidc.UserInfoAsync(Offline.Access)),
            YesNo(await Oidc.UserInfoAsync(Online.Access)),
            await IntrospectAsync(),
            await CallApiAsync(),
            Of(await Oidc.AuthorizeAsync(Browser, ("scope", "openid profile"), ("prompt", "none"), ("login_hint", ticket))),
            OfSaml(await Browser.GetAsync("/saml/hop?ticket=" + samlTicket)),
            OfSaml(await Browser.FollowAsync(await Browser.GetAsync(sp.CreateAuthnRequest(idp, new AuthnRequestOptions()).Value.Url))),
        ];

        private static string Of(Visit visit) => visit.Response is null ? "refused" : visit.Error ?? "code";

        private static string Of(Answer answer, HttpStatusCode good, string word) => answer.Status == good ? word : answer.Error ?? answer.Status.ToString();

        private static string YesNo(Answer answer) => answer.Status switch
        {
            HttpStatusCode.OK => "yes", HttpStatusCode.Unauthorized => "no", var other => other.ToString(),
        };

        private async Task<string> IntrospectAsync()
        {
            var answer = await Oidc.PostAsync(hub.Endpoint("introspection_endpoint"), new() { ["token"] = Online.Access });
            return answer.Status == HttpStatusCode.OK ? answer.Json.GetProperty("active").GetBoolean() ? "active" : "inactive" : answer.Error!;
        }

        /// <summary>An empty booking is refused for what it says, where the caller may book at all.</summary>
        private async Task<string> CallApiAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/bookings") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", machine);
            using var answer = await hub.Hub.Http.SendAsync(request);
            return answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? "no" : "yes";
        }

        private static string OfSaml(TestPage page)
        {
            if (page.Forms().SelectMany(f => f.Hidden).FirstOrDefault(h => h.Key == "SAMLResponse").Value is { } response)
                return Encoding.UTF8.GetString(Convert.FromBase64String(response)).Contains("Assertion ", StringComparison.Ordinal) ? "assertion" : "status";
            if (page.Body.Contains("name=\"password\"", StringComparison.Ordinal)) return "sign-in";
            return page.Body.Contains("name=\"decision\"", StringComparison.Ordinal) ? "sheet" : page.Status == HttpStatusCode.BadRequest ? "refused" : page.Status.ToString();
        }
    }
}
