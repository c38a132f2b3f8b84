using System.Text;

namespace Commerce.Saml.Tests;

/// <summary>What the identity provider takes and what it refuses, rows S01 to S16 and S35.</summary>
public sealed class AuthnRequestTests
{
    // Signing is optional here, so that each test shows its own rule at work and not the signature.
    private readonly World world = new(sp: record => record with
    {
        AuthnRequestsSigned = false,
        AttributeConsumingServices = [new(0, true, new Dictionary<string, string>(), [new("urn:oid:2.5.4.42", "givenName", true)])],
    });

    private string Xml(string attributes = "", string children = "", string? acs = $" AssertionConsumerServiceURL=\"{World.AcsUrl}\"", string? destination = World.SsoUrl, string version = "2.0",
        string? id = "_r1", string? instant = "2026-03-02T09:30:00Z", string issuer = $"<saml:Issuer>{World.SpId}</saml:Issuer>") => $"""
        <samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="{version}"{(id is null ? "" : $" ID=\"{id}\"")}{(instant is null ? "" : $" IssueInstant=\"{instant}\"")}{(destination is null ? "" : $" Destination=\"{destination}\"")}{acs}{attributes}>{issuer}{children}</samlp:AuthnRequest>
        """;

    private ValidatedAuthnRequest Accepted(string xml)
    {
        var result = world.Post(xml, "rs");
        Assert.True(result.IsSuccess, result.Fault?.ToString());
        return result.Value;
    }

    private void Refused(string code, string xml)
    {
        var result = world.Post(xml);
        Assert.False(result.IsSuccess);
        Assert.Equal(code, result.Fault!.Code);
    }

    [Fact]
    public void S01_a_request_is_taken_by_post_and_by_redirect()
    {
        Assert.Equal(World.AcsUrl, Accepted(Xml()).AssertionConsumerService.Location);
        var redirected = RedirectBinding.Write(World.SsoUrl, true, Encoding.UTF8.GetBytes(Xml()), null, null).Split('?')[1];
        Assert.False(world.Redirect(redirected).Value.IsSigned);
    }

    [Fact]
    public void S02_an_unsigned_request_of_one_that_signs_is_refused()
    {
        var strict = new World();
        Assert.Equal(FaultCodes.SignatureMissing, strict.Post(Xml()).Fault?.Code);
        Assert.True(strict.Post(Attack.SignedRequest(strict)).Value.IsSigned);
    }

    [Theory]
    [InlineData("https://evil.example/acs")]
    [InlineData("")]
    [InlineData("https://fitter.example/saml/artifact")]
    public void S04_an_address_that_is_not_registered_for_post_is_refused(string url) =>
        Refused(FaultCodes.AcsInvalid, Xml(acs: $" AssertionConsumerServiceURL=\"{url}\""));

    [Theory]
    [InlineData("https://Fitter.example/saml/acs")]
    [InlineData("HTTPS://fitter.example/saml/acs")]
    [InlineData("https://fitter.example:443/saml/acs")]
    [InlineData("https://fitter.example/saml/acs/")]
    [InlineData("https://fitter.example/saml/acs?")]
    [InlineData("https://fitter.example/saml/acs#")]
    [InlineData("https://fitter.example/saml/../saml/acs")]
    [InlineData("https://fitter.example/saml/%61cs")]
    [InlineData("https://x@fitter.example/saml/acs")]
    [InlineData(" https://fitter.example/saml/acs")]
    public void S05_M13_an_address_that_only_means_the_same_is_refused(string url) =>
        Refused(FaultCodes.AcsInvalid, Xml(acs: $" AssertionConsumerServiceURL=\"{url}\""));

    [Fact]
    public void S06_the_default_endpoint_an_index_and_a_binding_choose_what_is_registered()
    {
        Assert.Equal(0, Accepted(Xml(acs: null)).AssertionConsumerService.Index);
        Assert.Equal(1, Accepted(Xml(acs: " AssertionConsumerServiceIndex=\"1\"")).AssertionConsumerService.Index);
        Accepted(Xml(" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\""));
        foreach (var wrong in new[] { "9", "2", "-1", "+1", " 1", "x", "", "99999", "1.0" }) Refused(FaultCodes.AcsInvalid, Xml(acs: $" AssertionConsumerServiceIndex=\"{wrong}\""));
        Refused(FaultCodes.AcsInvalid, Xml(" AssertionConsumerServiceIndex=\"0\""));
        Refused(FaultCodes.AcsInvalid, Xml(" AssertionConsumerServiceIndex=\"0\" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"", acs: null));
        Refused(FaultCodes.AcsInvalid, Xml(" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact\""));
        Refused(FaultCodes.AcsInvalid, Xml(" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\"", acs: null));
    }

    [Fact]
    public void S07_a_wrong_destination_is_refused_and_a_missing_one_where_the_message_is_signed()
    {
        Refused(FaultCodes.DestinationInvalid, Xml(destination: "https://id.retailer.example/saml/sso/"));
        Refused(FaultCodes.DestinationInvalid, Xml(destination: "https://other.example/saml/sso"));
        Refused(FaultCodes.DestinationInvalid, Xml(destination: ""));
        Accepted(Xml(destination: null));
        var attack = Attack.On("signed request");
        Attack.Unsign(attack.Root);
        attack.Root.RemoveAttribute("Destination");
        XmlSignature.Sign(attack.Root, attack.Root.FirstChild!.NextSibling, Keys.Sp);
        attack.Refused(FaultCodes.DestinationInvalid);
        var query = RedirectBinding.Write(World.SsoUrl, true, Encoding.UTF8.GetBytes(Xml(destination: null)), null, Keys.Sp).Split('?')[1];
        Assert.Equal(FaultCodes.DestinationInvalid, world.Redirect(query).Fault?.Code);
    }

    [Fact]
    public void S08_an_issuer_that_is_not_a_plain_entity_id_is_refused()
    {
        Refused(FaultCodes.IssuerInvalid, Xml(issuer: ""));
        Refused(FaultCodes.IssuerInvalid, Xml(issuer: "<saml:Issuer/>"));
        Refused(FaultCodes.IssuerInvalid, Xml(issuer: "<saml:Issuer>https://other.example</saml:Issuer>"));
        Refused(FaultCodes.IssuerInvalid, Xml(issuer: $"<saml:Issuer> {World.SpId} </saml:Issuer>"));
        Refused(FaultCodes.IssuerInvalid, Xml(issuer: $"<saml:Issuer Format=\"{NameIdFormats.Persistent}\">{World.SpId}</saml:Issuer>"));
        Refused(FaultCodes.IssuerInvalid, Xml(issuer: $"<saml:Issuer NameQualifier=\"x\">{World.SpId}</saml:Issuer>"));
        Refused(FaultCodes.StructureInvalid, Xml(issuer: $"<saml:Issuer>{World.SpId}</saml:Issuer><saml:Issuer>x</saml:Issuer>"));
        Accepted(Xml(issuer: $"<saml:Issuer Format=\"{NameIdFormats.Entity}\">{World.SpId}</saml:Issuer>"));
    }

    [Theory]
    [InlineData($"<saml:Audience>{World.SpId}</saml:Audience>")]
    [InlineData($"<samlp:Issuer>{World.SpId}</samlp:Issuer>")]
    [InlineData("<saml:Issuer/>")]
    public void S08_nobody_is_looked_up_by_what_is_no_issuer(string first)
    {
        Assert.Equal(FaultCodes.IssuerInvalid, Issuer(first).Fault?.Code);
        Assert.Equal(World.SpId, Issuer($"<saml:Issuer>{World.SpId}</saml:Issuer>").Value.Issuer);
    }

    [Fact]
    public void S08_nobody_is_looked_up_by_an_issuer_of_more_than_1024_characters()
    {
        Assert.Equal(FaultCodes.IssuerInvalid, Issuer($"<saml:Issuer>{new string('x', 1025)}</saml:Issuer>").Fault?.Code);
        Assert.Equal(1024, Issuer($"<saml:Issuer>{new string('x', 1024)}</saml:Issuer>").Value.Issuer.Length);
    }

    private SamlResult<AuthnRequest> Issuer(string element) =>
        PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(Xml(issuer: element))), isRequest: true, null).Then(world.Idp.Read);

    [Theory]
    [InlineData("LogoutRequest")]
    [InlineData("ManageNameIDRequest")]
    [InlineData("Request")]
    public void X02_a_message_of_another_name_is_no_request_although_it_says_the_same(string name)
    {
        Accepted(Xml());
        Refused(FaultCodes.StructureInvalid, Xml().Replace("samlp:AuthnRequest", "samlp:" + name, StringComparison.Ordinal));
    }

    [Fact]
    public void S09_version_id_and_instant_are_as_the_schema_has_them()
    {
        foreach (var version in new[] { "1.1", "2", "2.1", "", "2.0 " }) Refused(FaultCodes.VersionInvalid, Xml(version: version));
        foreach (var id in new[] { null, "", "1abc", "a b", "a:b", " _r", "<".Replace("<", "&lt;", StringComparison.Ordinal), new string('a', 257) }) Refused(FaultCodes.IdInvalid, Xml(id: id));
        foreach (var instant in new[] { null, "", "2026-03-02", "2026-03-02T09:30:00", "2026-03-02T09:30:00+00:00", "2026-03-02 09:30:00Z", "2026-13-02T09:30:00Z", "2026-03-02T09:30:60Z", "2026-03-02T09:30:00.Z", "yesterday" })
            Refused(FaultCodes.InstantInvalid, Xml(instant: instant));
        Accepted(Xml(instant: "2026-03-02T09:30:00.123456789Z"));
    }

    [Fact]
    public void S35_three_minutes_off_is_accepted_either_way_and_more_is_not()
    {
        Accepted(Xml(instant: "2026-03-02T09:27:00Z"));
        Accepted(Xml(instant: "2026-03-02T09:33:00Z"));
        Refused(FaultCodes.Expired, Xml(instant: "2026-03-02T09:26:59Z"));
        Refused(FaultCodes.InstantInvalid, Xml(instant: "2026-03-02T09:33:01Z"));
        Refused(FaultCodes.Expired, Xml(instant: "2026-03-02T09:24:00Z"));
    }

    [Fact]
    public void S10_the_request_says_until_when_its_id_must_be_remembered()
    {
        var request = Accepted(Xml());
        Assert.Equal("_r1", request.Id);
        Assert.Equal(new DateTimeOffset(2026, 3, 2, 9, 33, 0, TimeSpan.Zero), request.ExpiresAt);
        world.Clock.Now = request.ExpiresAt + TimeSpan.FromSeconds(1);
        Refused(FaultCodes.Expired, Xml());
    }

    [Theory]
    [InlineData("true")]
    [InlineData("1")]
    public void S11_force_authn_needs_a_fresh_credential(string value)
    {
        var request = Accepted(Xml($" ForceAuthn=\"{value}\""));
        Assert.True(request.Next(Session()).NeedsChallenge);
        Assert.Same(SignInStep.Proceed, request.Next(Session(fresh: true)));
        Assert.Same(SignInStep.Proceed, Accepted(Xml(" ForceAuthn=\"0\"")).Next(Session()));
        Refused(FaultCodes.StructureInvalid, Xml(" ForceAuthn=\"yes\""));
        Refused(FaultCodes.StructureInvalid, Xml(" IsPassive=\"TRUE\""));
    }

    [Fact]
    public void S12_a_passive_request_shows_nothing()
    {
        var request = Accepted(Xml(" IsPassive=\"true\""));
        Assert.Equal(SamlStatus.NoPassive, request.Next(null).Status);
        Assert.Same(SignInStep.Proceed, request.Next(Session()));
        Assert.Equal(SamlStatus.NoPassive, Accepted(Xml(" IsPassive=\"1\" ForceAuthn=\"1\"")).Next(Session()).Status);
        Assert.True(Accepted(Xml()).Next(null).NeedsChallenge);
    }

    [Fact]
    public void S13_a_context_that_cannot_be_had_is_answered_and_an_invalid_comparison_refused()
    {
        const string Password = AuthnContextClasses.PasswordProtectedTransport, Mfa = AuthnContextClasses.RefedsMfa;
        static string Context(string comparison, params string[] classes) =>
            $"<samlp:RequestedAuthnContext{comparison}>{string.Concat(classes.Select(c => $"<saml:AuthnContextClassRef>{c}</saml:AuthnContextClassRef>"))}</samlp:RequestedAuthnContext>";

        Assert.Equal([Mfa], Accepted(Xml(children: Context("", Mfa))).AcceptableContexts);
        Assert.Equal([Mfa, Password], Accepted(Xml(children: Context(" Comparison=\"exact\"", Mfa, "urn:x", Password))).AcceptableContexts);
        Assert.Equal([Password, Mfa], Accepted(Xml(children: Context(" Comparison=\"minimum\"", Password))).AcceptableContexts);
        Assert.Equal([Password], Accepted(Xml(children: Context(" Comparison=\"maximum\"", Password))).AcceptableContexts);
        Assert.Equal([Mfa], Accepted(Xml(children: Context(" Comparison=\"better\"", Password))).AcceptableContexts);
        foreach (var unattainable in new[] { Context("", "urn:x"), Context(" Comparison=\"better\"", Mfa), "<samlp:RequestedAuthnContext><saml:AuthnContextDeclRef>x</saml:AuthnContextDeclRef></samlp:RequestedAuthnContext>" })
        {
            var request = Accepted(Xml(children: unattainable));
            Assert.Equal(SamlStatus.NoAuthnContext, request.MustAnswer);
            Assert.Equal(SamlStatus.NoAuthnContext, request.Next(Session()).Status);
            Assert.False(world.Idp.Respond(request, World.Content()).IsSuccess);
        }
        Assert.True(Accepted(Xml(children: Context("", Mfa))).Next(Session()).NeedsChallenge);
        Assert.Equal(SamlStatus.NoAuthnContext, Accepted(Xml(children: Context("", Mfa))).Next(Session(fresh: true)).Status);
        Refused(FaultCodes.AuthnContextInvalid, Xml(children: Context(" Comparison=\"strongest\"", Mfa)));
        Refused(FaultCodes.AuthnContextInvalid, Xml(children: Context("")));
        Refused(FaultCodes.AuthnContextInvalid, Xml(children: "<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>a</saml:AuthnContextClassRef><saml:AuthnContextDeclRef>x</saml:AuthnContextDeclRef></samlp:RequestedAuthnContext>"));
    }

    [Fact]
    public void S14_a_name_policy_that_cannot_be_met_is_answered()
    {
        static string Policy(string attributes) => $"<samlp:NameIDPolicy {attributes}/>";
        Assert.Null(Accepted(Xml()).MustAnswer);
        Assert.True(Accepted(Xml()).AllowCreate);
        Assert.Null(Accepted(Xml(children: Policy($"Format=\"{NameIdFormats.Persistent}\" AllowCreate=\"1\" SPNameQualifier=\"{World.SpId}\""))).MustAnswer);
        Assert.Null(Accepted(Xml(children: Policy($"Format=\"{NameIdFormats.Unspecified}\" AllowCreate=\"1\""))).NameIdFormat);
        foreach (var unmet in new[] { "Format=\"urn:x\"", $"Format=\"{NameIdFormats.Encrypted}\"", "SPNameQualifier=\"https://other.example\"", "Format=\"\"" })
            Assert.Equal(SamlStatus.InvalidNameIdPolicy, Accepted(Xml(children: Policy($"{unmet} AllowCreate=\"1\""))).MustAnswer);

        var noNewPair = Accepted(Xml(children: Policy($"Format=\"{NameIdFormats.Persistent}\"")));
        Assert.Equal(SamlStatus.InvalidNameIdPolicy, noNewPair.Next(Session(known: null)).Status);
        Assert.Same(SignInStep.Proceed, noNewPair.Next(Session()));
        Refused(FaultCodes.StructureInvalid, Xml(children: Policy("AllowCreate=\"maybe\"")));
    }

    [Fact]
    public void S15_a_subject_that_is_not_the_customer_is_an_error_and_never_ignored()
    {
        static string Subject(string name) => $"<saml:Subject>{name}</saml:Subject>";
        var same = Accepted(Xml(children: Subject("<saml:NameID>p-4b1d9c</saml:NameID>")));
        Assert.Same(SignInStep.Proceed, same.Next(Session()));
        var other = Accepted(Xml(children: Subject("<saml:NameID>p-other</saml:NameID>")));
        Assert.Equal(SamlStatus.UnknownPrincipal, other.Next(Session()).Status);
        Assert.Equal(SamlStatus.UnknownPrincipal, other.Next(Session(known: null)).Status);
        foreach (var unreadable in new[] { "<saml:EncryptedID/>", "<saml:BaseID/>", "", "<saml:NameID>a</saml:NameID><saml:SubjectConfirmation Method=\"x\"/>" })
            Assert.Equal(SamlStatus.RequestUnsupported, Accepted(Xml(children: Subject(unreadable))).MustAnswer);
        Refused(FaultCodes.SubjectInvalid, Xml(children: Subject("<saml:NameID/>")));
    }

    [Fact]
    public void S16_unknown_extensions_conditions_and_scoping_are_tolerated_and_no_check_skipped()
    {
        const string Known = """
            <samlp:Extensions><x xmlns="urn:x"><y/>text</x></samlp:Extensions><saml:Conditions NotBefore="2020-01-01T00:00:00Z"><saml:AudienceRestriction><saml:Audience>a</saml:Audience></saml:AudienceRestriction></saml:Conditions><samlp:Scoping ProxyCount="0"><samlp:IDPList><samlp:IDPEntry ProviderID="https://elsewhere.example"/></samlp:IDPList></samlp:Scoping>
            """;
        Accepted(Xml(" Consent=\"urn:x\" x=\"y\" ProviderName=\"Fitter &lt;b&gt;\"", Known));
        Refused(FaultCodes.AcsInvalid, Xml(children: Known, acs: " AssertionConsumerServiceURL=\"https://evil.example/\""));
        Refused(FaultCodes.StructureInvalid, Xml(children: "<samlp:Unknown/>"));
        Refused(FaultCodes.StructureInvalid, Xml(children: "<samlp:Scoping/><samlp:NameIDPolicy/>"));
        Refused(FaultCodes.StructureInvalid, Xml(children: "<samlp:NameIDPolicy/><samlp:NameIDPolicy/>"));
        Refused(FaultCodes.StructureInvalid, Xml(children: "text"));
    }

    [Fact]
    public void Requested_attributes_follow_the_index()
    {
        Assert.Equal("givenName", Assert.Single(Accepted(Xml()).RequestedAttributes).FriendlyName);
        Assert.Single(Accepted(Xml(" AttributeConsumingServiceIndex=\"0\"")).RequestedAttributes);
        Assert.Equal(SamlStatus.RequestUnsupported, Accepted(Xml(" AttributeConsumingServiceIndex=\"7\"")).MustAnswer);
    }

    [Fact]
    public void A_hop_ticket_is_read_only_in_its_one_form()
    {
        static string Ticket(string value) => $"<samlp:Extensions><h:HopTicket xmlns:h=\"urn:commerce:hop:1\">{value}</h:HopTicket></samlp:Extensions>";
        Assert.Equal("aB3-_", Accepted(Xml(children: Ticket("aB3-_"))).HopTicket);
        Assert.Null(Accepted(Xml(children: Ticket("x").Replace("urn:commerce:hop:1", "urn:commerce:hop:2", StringComparison.Ordinal))).HopTicket);
        foreach (var wrong in new[] { "", " x", "a b", "a=", "é", new string('a', 129) }) Refused(FaultCodes.ValueInvalid, Xml(children: Ticket(wrong)));
        Refused(FaultCodes.StructureInvalid, Xml(children: Ticket("<x/>")));
        Refused(FaultCodes.StructureInvalid, Xml(children: Ticket("a</h:HopTicket><h:HopTicket xmlns:h=\"urn:commerce:hop:1\">b")));
        Assert.False(world.SpSide.CreateAuthnRequest(world.RemoteIdp, new AuthnRequestOptions { HopTicket = "a b" }).IsSuccess);
    }

    [Fact]
    public void Expired_metadata_of_the_sender_stops_its_requests()
    {
        var expired = new World(sp: record => record with { ValidUntil = new DateTimeOffset(2026, 3, 2, 9, 29, 0, TimeSpan.Zero) });
        Assert.Equal(FaultCodes.MetadataInvalid, expired.Post(Attack.SignedRequest(expired)).Fault?.Code);
    }

    [Fact]
    public void A_request_kept_during_sign_in_comes_back_the_same_and_only_for_its_sender()
    {
        var request = world.Request(new AuthnRequestOptions { RelayState = "rs", HopTicket = "t1", ForceAuthn = true, ContextClasses = [AuthnContextClasses.RefedsMfa] });
        var json = System.Text.Json.JsonSerializer.Serialize(FrozenAuthnRequest.Of(request));
        var kept = System.Text.Json.JsonSerializer.Deserialize<FrozenAuthnRequest>(json)!;
        var thawed = kept.Thaw(world.Sp, world.Clock.Now).Value;
        Assert.Equal(json, System.Text.Json.JsonSerializer.Serialize(FrozenAuthnRequest.Of(thawed)));
        Assert.True(thawed.ForceAuthn);
        Assert.Equal(("rs", "t1"), (thawed.RelayState, thawed.HopTicket));
        Assert.Equal(FaultCodes.IssuerInvalid, kept.Thaw(world.Sp with { EntityId = "https://other.example" }, world.Clock.Now).Fault?.Code);
        Assert.Equal(FaultCodes.AcsInvalid, kept.Thaw(world.Sp with { AssertionConsumerServices = [world.Sp.AssertionConsumerServices[1]] }, world.Clock.Now).Fault?.Code);
        Assert.Equal(FaultCodes.MetadataInvalid, kept.Thaw(world.Sp with { ValidUntil = world.Clock.Now }, world.Clock.Now).Fault?.Code);
    }

    private static readonly NameId Known = NameId.Persistent("p-4b1d9c", World.IdpId, World.SpId);

    private static SignInState Session(bool fresh = false) => Session(Known, fresh);

    private static SignInState Session(NameId? known, bool fresh = false) => new(AuthnContextClasses.PasswordProtectedTransport, fresh, known);
}
