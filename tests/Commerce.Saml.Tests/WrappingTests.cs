namespace Commerce.Saml.Tests;

/// <summary>Signature wrapping: the signed original is somewhere in the message, and something else stands where it is read.</summary>
public sealed class WrappingTests
{
    public static TheoryData<string> Everything => Attack.Everything;

    public static TheoryData<string> Responses => Attack.Responses;

    [Theory, MemberData(nameof(Everything))]
    public void The_untouched_message_is_accepted(string kind) => Assert.Null(Attack.On(kind).Send());

    [Theory, MemberData(nameof(Everything))]
    public void A_changed_message_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        Attack.Change(attack.Signed);
        attack.Refused(FaultCodes.SignatureInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X01_X05_xsw1_a_forged_message_with_the_signed_original_inside_its_signature_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        var bare = attack.Bare();
        Attack.Change(attack.Signed);
        attack.Signature.AppendChild(bare);
        attack.Signed.SetAttribute("ID", "_forged");
        attack.Refused(FaultCodes.StructureInvalid, FaultCodes.SignatureShape);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X01_X05_xsw2_a_forged_message_with_the_signed_original_before_its_signature_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        var bare = attack.Bare();
        Attack.Change(attack.Signed);
        attack.Signed.InsertBefore(bare, attack.Signature);
        attack.Signed.SetAttribute("ID", "_forged");
        attack.Refused(FaultCodes.StructureInvalid, FaultCodes.SignatureShape);
    }

    [Theory, MemberData(nameof(Responses))]
    public void X02_xsw3_a_forged_assertion_before_the_signed_one_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        var assertion = Attack.Descendants(attack.Root, "Assertion").First();
        attack.Root.InsertBefore(attack.Forged(assertion), assertion);
        attack.Refused(FaultCodes.StructureInvalid);
    }

    [Theory, MemberData(nameof(Responses))]
    public void X02_xsw4_a_forged_assertion_around_the_signed_one_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        var assertion = Attack.Descendants(attack.Root, "Assertion").First();
        var forged = attack.Forged(assertion);
        attack.Root.ReplaceChild(forged, assertion);
        forged.AppendChild(assertion);
        attack.Refused(FaultCodes.StructureInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X03_X05_xsw5_a_forgery_that_keeps_the_signature_with_the_original_at_the_end_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        var bare = attack.Bare();
        Attack.Change(attack.Signed);
        attack.Signed.SetAttribute("ID", "_forged");
        attack.Root.AppendChild(bare);
        attack.Refused(FaultCodes.StructureInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X03_X05_xsw6_a_forgery_that_keeps_the_signature_with_the_original_beside_signed_info_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        var bare = attack.Bare();
        Attack.Change(attack.Signed);
        attack.Signed.SetAttribute("ID", "_forged");
        attack.Signature.InsertAfter(bare, attack.Signature.FirstChild);
        attack.Refused(FaultCodes.StructureInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X04_X05_xsw7_the_original_hidden_in_extensions_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        var original = (System.Xml.XmlElement)attack.Signed.CloneNode(deep: true);
        Attack.Change(attack.Signed);
        attack.Signed.SetAttribute("ID", "_forged");
        Attack.Unsign(attack.Signed);
        var extensions = attack.New("samlp", "Extensions", SamlNamespaces.Protocol);
        extensions.AppendChild(original);
        attack.Root.InsertAfter(extensions, attack.Root.FirstChild);
        attack.Refused(FaultCodes.StructureInvalid, FaultCodes.SignatureShape);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X04_X05_xsw8_the_original_hidden_in_a_ds_object_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        var bare = attack.Bare();
        Attack.Change(attack.Signed);
        attack.Signed.SetAttribute("ID", "_forged");
        var box = attack.New("ds", "Object", SamlNamespaces.XmlSignature);
        box.AppendChild(bare);
        attack.Signature.AppendChild(box);
        attack.Refused(FaultCodes.SignatureShape, FaultCodes.StructureInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X04_an_empty_ds_object_is_refused(string kind)
    {
        var attack = Attack.On(kind);
        attack.Signature.AppendChild(attack.New("ds", "Object", SamlNamespaces.XmlSignature));
        attack.Refused(FaultCodes.SignatureShape);
    }

    [Fact]
    public void X04_a_ds_object_is_refused_also_far_from_any_signature()
    {
        var attack = Attack.On("signed request");
        Attack.Descendants(attack.Root, "Extensions").First().AppendChild(attack.New("ds", "Object", SamlNamespaces.XmlSignature));
        attack.Refused(FaultCodes.SignatureShape);
    }

    [Fact]
    public void X04_the_signed_assertion_hidden_in_the_advice_of_a_forged_one_is_refused()
    {
        var attack = Attack.On("signed assertion");
        var forged = attack.Forged();
        attack.Root.ReplaceChild(forged, attack.Signed);
        var advice = attack.New("saml", "Advice", SamlNamespaces.Assertion);
        advice.AppendChild(attack.Signed);
        forged.InsertAfter(advice, forged.ChildNodes.OfType<System.Xml.XmlElement>().First(e => e.LocalName == "Conditions"));
        attack.Refused(FaultCodes.StructureInvalid);
    }

    [Theory, MemberData(nameof(Everything))]
    public void X04_a_hoisted_signature_does_not_sign_its_new_parent(string kind)
    {
        // The signature of the original is carried by a forgery that takes over the original's ID.
        var attack = Attack.On(kind);
        var forged = attack.Forged();
        forged.SetAttribute("ID", attack.Signed.GetAttribute("ID"));
        forged.InsertAfter(attack.Signature.CloneNode(deep: true), forged.FirstChild);
        if (attack.Signed == attack.Root) attack.Document.ReplaceChild(forged, attack.Signed);
        else attack.Root.ReplaceChild(forged, attack.Signed);
        attack.Refused(FaultCodes.SignatureInvalid);
    }

    [Fact]
    public void X02_X04_the_shape_of_the_document_is_checked_before_anything_is_verified()
    {
        static string? Shape(Action<Attack> change)
        {
            var attack = Attack.On("signed assertion");
            change(attack);
            return ParsedMessage.Read(System.Text.Encoding.UTF8.GetBytes(attack.Document.OuterXml), "Response").Fault?.Code;
        }
        Assert.Null(Shape(_ => { }));
        Assert.Equal(FaultCodes.StructureInvalid, Shape(a => a.Root.AppendChild(a.Forged())));
        Assert.Equal(FaultCodes.StructureInvalid, Shape(a => a.Root.FirstChild!.AppendChild(a.Signed)));
        Assert.Equal(FaultCodes.SignatureShape, Shape(a => a.Root.AppendChild(a.Signature.CloneNode(deep: true))));
        Assert.Equal(FaultCodes.SignatureShape, Shape(a => a.Part("Subject").AppendChild(a.Signature)));
        Assert.Equal(FaultCodes.SignatureShape, Shape(a => a.Signed.AppendChild(a.Signature)));
        Assert.Equal(FaultCodes.StructureInvalid, Shape(a => a.Part("AttributeValue").AppendChild(a.New("samlp", "LogoutRequest", SamlNamespaces.Protocol))));
    }

    [Fact]
    public void X05_a_signed_assertion_of_ours_does_not_carry_a_request()
    {
        // Old responses are easily had; their signature must not make a request look signed.
        var carrier = Attack.On("signed assertion");
        var attack = Attack.On("signed request");
        Attack.Unsign(attack.Root);
        Attack.Change(attack.Root);
        var extensions = Attack.Descendants(attack.Root, "Extensions").First();
        extensions.AppendChild(attack.Document.ImportNode(carrier.Signed, deep: true));
        attack.Refused(FaultCodes.StructureInvalid);
    }

    [Fact]
    public void X05_a_request_is_not_taken_for_a_response_nor_the_other_way_round()
    {
        var request = Attack.On("signed request");
        var response = Attack.On("both signed");
        request.RefusedAs(response.Xml, FaultCodes.StructureInvalid);
        response.RefusedAs(request.Xml, FaultCodes.StructureInvalid);
    }
}
