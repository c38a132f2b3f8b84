using System.IO.Compression;
using System.Text;

namespace Commerce.Saml.Tests;

/// <summary>The HTTP-Redirect binding: one reading of a query, and a signature over what was sent.</summary>
public sealed class RedirectTests
{
    private readonly World world = new();

    private string Query(string? relayState = "rs") =>
        world.SpSide.CreateAuthnRequest(world.RemoteIdp, new AuthnRequestOptions { RelayState = relayState, HopTicket = "ticket-1" }).Value.Url.Split('?')[1];

    private static Dictionary<string, string> Parts(string query) => query.Split('&').ToDictionary(p => p.Split('=')[0], p => p.Split('=')[1]);

    private void Refused(string query, params string[] codes)
    {
        var fault = world.Redirect(query).Fault;
        Assert.NotNull(fault);
        if (codes.Length > 0) Assert.True(codes.Contains(fault.Code), fault.ToString());
    }

    [Fact]
    public void S01_a_signed_request_is_accepted_also_with_a_question_mark_other_parameters_and_another_order()
    {
        var query = Query();
        var p = Parts(query);
        Assert.True(world.Redirect(query).IsSuccess);
        Assert.True(world.Redirect("?" + query).IsSuccess);
        Assert.True(world.Redirect(query + "&utm=1&x").IsSuccess);
        var shuffled = world.Redirect($"Signature={p["Signature"]}&SigAlg={p["SigAlg"]}&RelayState={p["RelayState"]}&SAMLRequest={p["SAMLRequest"]}");
        Assert.True(shuffled.IsSuccess, shuffled.Fault?.ToString());
    }

    [Fact]
    public void X16_each_parameter_comes_once_and_in_one_spelling()
    {
        var query = Query();
        foreach (var (name, value) in Parts(query))
        {
            Refused($"{query}&{name}={value}", FaultCodes.BindingInvalid);
            Refused($"{query}&{name}=", FaultCodes.BindingInvalid);
            Refused($"{name}=x&{query}", FaultCodes.BindingInvalid);
            Refused(query.Replace($"{name}=", $"%{(int)name[0]:X2}{name[1..]}=", StringComparison.Ordinal), FaultCodes.BindingInvalid);
            Refused($"{query}&%{(int)name[0]:X2}{name[1..]}={value}", FaultCodes.BindingInvalid);
        }
    }

    [Fact]
    public void X16_request_and_response_together_are_refused()
    {
        var query = Query();
        Refused($"{query}&SAMLResponse={Parts(query)["SAMLRequest"]}", FaultCodes.BindingInvalid);
        Refused($"SAMLResponse=x&{query}", FaultCodes.BindingInvalid);
        Refused(query.Replace("SAMLRequest=", "SAMLResponse=", StringComparison.Ordinal), FaultCodes.StructureInvalid);
        Refused("", FaultCodes.BindingInvalid);
        Refused("RelayState=x", FaultCodes.BindingInvalid);
    }

    [Fact]
    public void X16_a_reencoded_query_is_refused()
    {
        var query = Query("a b~c");
        Refused(query.Replace("a%20b", "a+b", StringComparison.Ordinal), FaultCodes.SignatureInvalid);
        Refused(query.Replace("b~c", "b%7Ec", StringComparison.Ordinal), FaultCodes.SignatureInvalid);
        Refused(query.Replace("%3A", "%3a", StringComparison.Ordinal), FaultCodes.SignatureInvalid);
        Refused(query.Replace("SAMLRequest=", "SAMLRequest=%20", StringComparison.Ordinal), FaultCodes.BindingInvalid);
    }

    [Fact]
    public void X16_relay_state_added_changed_or_taken_away_is_refused()
    {
        Refused(Query(null) + "&RelayState=x", FaultCodes.SignatureInvalid);
        Refused(Query(null) + "&RelayState=", FaultCodes.SignatureInvalid);
        Refused(Query().Replace("RelayState=rs", "RelayState=rx", StringComparison.Ordinal), FaultCodes.SignatureInvalid);
        Refused(Query().Replace("&RelayState=rs", "", StringComparison.Ordinal), FaultCodes.SignatureInvalid);
        Refused(Query().Replace("RelayState=rs", "RelayState=%FF", StringComparison.Ordinal), FaultCodes.BindingInvalid);
    }

    [Fact]
    public void X16_X13_another_algorithm_is_refused()
    {
        var query = Query();
        var algorithm = Parts(query)["SigAlg"];
        foreach (var swap in new[] { "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2000/09/xmldsig#dsa-sha1", "none", "" })
            Refused(query.Replace(algorithm, Uri.EscapeDataString(swap), StringComparison.Ordinal), FaultCodes.AlgorithmRefused);
        foreach (var swap in new[] { SignatureAlgorithm.RsaSha512, SignatureAlgorithm.RsaPssSha256, SignatureAlgorithm.EcdsaSha256 })
            Refused(query.Replace(algorithm, Uri.EscapeDataString(swap.Uri()), StringComparison.Ordinal), FaultCodes.SignatureInvalid);
    }

    [Fact]
    public void S02_X10_the_signature_taken_away_is_refused()
    {
        var query = Query();
        var p = Parts(query);
        Refused(query.Replace("&Signature=" + p["Signature"], "", StringComparison.Ordinal), FaultCodes.BindingInvalid);
        Refused(query.Replace("&SigAlg=" + p["SigAlg"], "", StringComparison.Ordinal), FaultCodes.BindingInvalid);
        Refused($"SAMLRequest={p["SAMLRequest"]}", FaultCodes.SignatureMissing);
    }

    [Fact]
    public void S03_a_bad_signature_is_refused_also_where_none_is_needed()
    {
        var optional = new World(sp: record => record with { AuthnRequestsSigned = false });
        var query = Query();
        var p = Parts(query);
        Assert.False(optional.Redirect($"SAMLRequest={p["SAMLRequest"]}").Value.IsSigned);
        Assert.Equal(FaultCodes.SignatureInvalid, optional.Redirect(query.Replace("RelayState=rs", "RelayState=rx", StringComparison.Ordinal)).Fault?.Code);
        var attack = Attack.On("signed request");
        Attack.Change(attack.Root);
        Assert.Equal(FaultCodes.SignatureInvalid, optional.Post(attack.Document.OuterXml).Fault?.Code);
    }

    [Fact]
    public void X16_a_signature_inside_a_redirected_message_is_refused()
    {
        var url = RedirectBinding.Write(World.SsoUrl, true, Encoding.UTF8.GetBytes(Attack.SignedRequest(world)), null, null);
        Refused(url.Split('?')[1], FaultCodes.SignatureShape);
    }

    [Fact]
    public void X15_a_deflate_bomb_is_refused_before_it_fills_the_memory()
    {
        using var bomb = new MemoryStream();
        using (var deflate = new DeflateStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true))
            for (var i = 0; i < 40; i++) deflate.Write(new byte[1024 * 1024]);
        var query = "SAMLRequest=" + Uri.EscapeDataString(Convert.ToBase64String(bomb.ToArray()));
        Assert.True(query.Length < 64 * 1024);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(query, FaultCodes.BindingInvalid);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 * 1024 * 1024);
    }

    [Theory, InlineData(1), InlineData(4095), InlineData(4096), InlineData(4097), InlineData(8192), InlineData(256 * 1024)]
    public void A_message_of_any_length_comes_whole(int length)
    {
        // Letters that compress to little but not to nothing, so that the inflater hands them out in several pieces.
        var xml = new byte[length];
        for (var i = 0; i < length; i++) xml[i] = (byte)('a' + (i / 7 % 26));
        var query = new Uri(RedirectBinding.Write("https://idp.example/sso", isRequest: true, xml, "state", key: null)).Query;
        Assert.Equal(xml, RedirectBinding.Read(query).Value.Xml.ToArray());
    }

    [Fact]
    public void Loose_encodings_are_refused()
    {
        var request = Parts(Query())["SAMLRequest"];
        var plain = Uri.UnescapeDataString(request);
        foreach (var value in new[] { "", "%", "%2", "%zz", "x", plain.Replace('+', '-').Replace('/', '_') + "-_", plain.TrimEnd('=') + "=", plain[..20] + "%0A" + plain[20..], "AAAA", Convert.ToBase64String(Encoding.UTF8.GetBytes("<a/>")) })
            Refused($"SAMLRequest={value}", FaultCodes.BindingInvalid);
        Refused($"SAMLRequest={request}&SAMLEncoding=urn:none", FaultCodes.BindingInvalid);
        Refused("SAMLRequest=" + new string('A', 70_000), FaultCodes.BindingInvalid);
    }

    [Fact]
    public void X14_a_query_of_64_kilobytes_is_read_and_a_character_more_is_refused()
    {
        var query = Query() + "&pad=";
        Assert.Null(world.Redirect(query.PadRight(64 * 1024, 'a')).Fault);
        Refused(query.PadRight((64 * 1024) + 1, 'a'), FaultCodes.BindingInvalid);
    }

    [Theory]
    [InlineData("%")]
    [InlineData("%4")]
    [InlineData("%zz")]
    [InlineData("a%4z")]
    [InlineData("%-1")]
    public void X16_half_an_escape_is_refused_wherever_it_stands(string half)
    {
        var request = Parts(Query())["SAMLRequest"];
        var optional = new World(sp: record => record with { AuthnRequestsSigned = false });
        Assert.Equal(FaultCodes.BindingInvalid, optional.Redirect($"SAMLRequest={request}&RelayState={half}").Fault?.Code);
        Assert.Equal(FaultCodes.BindingInvalid, optional.Redirect($"SAMLRequest={request}&{half}=x").Fault?.Code);
        Assert.Null(optional.Redirect($"SAMLRequest={request}&RelayState=%41").Fault);
    }

    [Fact]
    public void S27_relay_state_comes_back_byte_for_byte()
    {
        foreach (var state in new[] { "", " ", "a&b=c", "<script>\"'", "é漢字🚗", new string('x', 2000), "%41+%2B", "https://evil.example/" })
        {
            var request = world.Redirect(Query(state)).Value;
            Assert.Equal(state, request.RelayState);
            var form = world.Idp.Respond(request, World.Content()).Value.Form;
            Assert.Equal(state, form.Fields.Single(f => f.Key == "RelayState").Value);
            Assert.Equal(World.AcsUrl, form.Target);
        }
        var none = world.Idp.Respond(world.Redirect(Query(null)).Value, World.Content()).Value.Form;
        Assert.DoesNotContain(none.Fields, f => f.Key == "RelayState");
    }

    [Fact]
    public void S27_the_page_escapes_what_it_carries_and_its_script_has_the_stated_hash()
    {
        var page = new PostForm("https://sp.example/acs?a=1&b=2", [new("SAMLResponse", "PHg+"), new("RelayState", "\"><script>alert(1)</script>")]).ToHtml();
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.Contains("a=1&amp;b=2", page, StringComparison.Ordinal);
        Assert.Contains("<button type=\"submit\">", page, StringComparison.Ordinal);
        Assert.Equal(PostForm.ScriptHash, $"'sha256-{Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(PostForm.Script)))}'");
    }

    [Fact]
    public void A_posted_form_carries_each_field_once()
    {
        static SamlFault? Read(params (string Name, string[] Values)[] fields) =>
            PostBinding.Read(fields.Select(f => KeyValuePair.Create(f.Name, new Microsoft.Extensions.Primitives.StringValues(f.Values)))).Fault;
        Assert.Null(Read(("SAMLRequest", ["PGEvPg=="]), ("RelayState", ["x"]), ("other", ["1", "2"])));
        Assert.NotNull(Read(("SAMLRequest", ["PGEvPg==", "PGEvPg=="])));
        Assert.NotNull(Read(("SAMLRequest", ["PGEvPg=="]), ("SAMLRequest", ["PGEvPg=="])));
        Assert.NotNull(Read(("SAMLRequest", ["PGEvPg=="]), ("SAMLResponse", ["PGEvPg=="])));
        Assert.NotNull(Read(("SAMLRequest", ["PGEvPg=="]), ("RelayState", ["x", "y"])));
        Assert.NotNull(Read(("samlrequest", ["PGEvPg=="])));
        Assert.NotNull(Read(("SAMLRequest", ["PGEvPg=="[..6]])));
        Assert.NotNull(Read(("SAMLRequest", [new string('A', 400_000)])));
        Assert.NotNull(Read());
    }
}
