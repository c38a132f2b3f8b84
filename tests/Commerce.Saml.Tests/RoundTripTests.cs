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
}
