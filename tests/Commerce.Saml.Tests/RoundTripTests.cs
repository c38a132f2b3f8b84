using System.Text;
using System.Text.Json;

namespace Commerce.Saml.Tests;

public sealed class RoundTripTests
{
    [Fact]
    public void A_request_and_its_response_pass_and_carry_the_values()
    {
        var world = new World();
        var request = world.Request(new AuthnRequestOptions { RelayState = "a b&c=d+é", HopTicket = "t-icket_1" });
        Assert.True(request.IsSigned);
        Assert.Equal("a b&c=d+é", request.RelayState);
        Assert.Equal("t-icket_1", request.HopTicket);
        Assert.Equal(World.AcsUrl, request.AssertionConsumerService.Location);

        var response = world.Idp.Respond(request, World.Content()).Value;
        var result = world.Consume(PostBinding.Read([.. response.Form.Fields.Select(f => KeyValuePair.Create(f.Key, new Microsoft.Extensions.Primitives.StringValues(f.Value)))]).Value, request.Id);
        Assert.True(result.IsSuccess, result.Fault?.ToString());
        var assertion = result.Value;
        Assert.Equal("a b&c=d+é", assertion.RelayState);
        Assert.Equal(NameId.Persistent("p-4b1d9c", World.IdpId, World.SpId), assertion.Name);
        Assert.Equal(World.Winter.Select(a => a.Values[0]), assertion.Attributes.Select(a => a.Values[0]));
        Assert.Equal(response.AssertionId, assertion.Id);
        Assert.Equal("s-1", assertion.SessionIndex);
    }

    [Fact]
    public async Task O19_one_instance_serves_many_customers_at_once_and_mixes_nobody_up()
    {
        var world = new World();
        await Parallel.ForAsync(0, 400, async (number, stop) =>
        {
            var outgoing = world.SpSide.CreateAuthnRequest(world.RemoteIdp, new AuthnRequestOptions { RelayState = $"rs-{number}" }).Value;
            var request = world.Redirect(outgoing.Url.Split('?')[1]).Value;
            var content = World.Content(new SamlAttribute("urn:x", [$"value {number}"])) with { Name = NameId.Persistent($"p-{number}", World.IdpId, World.SpId) };
            var response = world.Idp.Respond(request, content).Value;
            var message = PostBinding.Read(response.Form.Fields[0].Value, isRequest: false, response.Form.Fields[1].Value).Value;
            var assertion = (await world.SpSide.ValidateAsync(message, new ResponseExpectation(world.RemoteIdp, outgoing.Id), (_, _, _) => ValueTask.FromResult(true), stop)).Value;
            Assert.Equal(($"p-{number}", $"value {number}", $"rs-{number}"), (assertion.Name.Value, assertion.Values("urn:x")[0], assertion.RelayState));
        });
    }

    [Fact]
    public void K06_a_fault_is_one_line_whatever_the_message_says()
    {
        var world = new World();
        var attack = Attack.SignedRequest(world).Replace(World.SsoUrl, "x&#10;2026-01-01 forged&#13;" + new string('y', 600), StringComparison.Ordinal);
        var optional = new World(sp: record => record with { AuthnRequestsSigned = false });
        var document = Attack.Load(attack);
        Attack.Unsign(document.DocumentElement!);
        var fault = optional.Post(document.OuterXml).Fault!;
        Assert.Equal(FaultCodes.DestinationInvalid, fault.Code);
        Assert.DoesNotContain(fault.Detail, char.IsControl);
        Assert.True(fault.Detail.Length <= 500);
    }
}
