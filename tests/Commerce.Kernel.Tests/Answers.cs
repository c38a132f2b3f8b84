using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Commerce.Kernel.Tests;

/// <summary>How the kernel says yes and no, in JSON and over HTTP.</summary>
public sealed class Answers
{
    private static readonly Refusal No = new("test.no", 409, "It is taken already.");

    public sealed record Thing(string Name, int? Size, IReadOnlyList<string> Tags);

    [Fact]
    public void A_result_with_a_value_crosses_json()
    {
        var json = JsonSerializer.Serialize<Result<Thing>>(new Thing("Ä", null, ["x"]), HubJson.Options);
        Assert.Equal("""{"value":{"name":"Ä","tags":["x"]}}""", json);
        var back = JsonSerializer.Deserialize<Result<Thing>>(json, HubJson.Options);
        Assert.True(back.IsOk);
        Assert.Equal("Ä", back.Value.Name);
    }

    [Fact]
    public void A_refused_result_crosses_json_and_has_no_value()
    {
        Result<Thing> refused = No.With(new FieldError("lines[1].gtin", "The check digit is wrong."));
        var back = JsonSerializer.Deserialize<Result<Thing>>(JsonSerializer.Serialize(refused, HubJson.Options), HubJson.Options);
        Assert.False(back.TryGet(out _, out var refusal));
        Assert.Equal((No.Code, No.Status, No.Message, "lines[1].gtin"), (refusal.Code, refusal.Status, refusal.Message, refusal.Errors!.Single().Field));
        Assert.Throws<InvalidOperationException>(() => back.Value);
    }

    [Fact]
    public void A_refused_result_of_a_value_type_is_not_mistaken_for_a_value()
    {
        Result<int> refused = No;
        Assert.False(JsonSerializer.Deserialize<Result<int>>(JsonSerializer.Serialize(refused, HubJson.Options), HubJson.Options).IsOk);
    }

    [Theory]
    [InlineData("""{"name":"x","tags":[],"colour":"red"}""")]              // a member nobody knows
    [InlineData("""{"name":"x","name":"y","tags":[]}""")]                  // the same member twice
    [InlineData("""{"tags":[]}""")]                                        // a required member missing
    [InlineData("""{"name":null,"tags":[]}""")]                            // null where there may be none
    [InlineData("""{"name":"x","size":"2","tags":[]}""")]                  // text for a number
    [InlineData("""{"Name":"x","tags":[]}""")]                             // another case
    [InlineData("""{"name":"x","tags":[]} trailing""")]
    [InlineData("""{"name":"x","tags":[],}""")]
    public void Json_that_is_not_exactly_right_is_refused(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Thing>(json, HubJson.Options));

    [Fact]
    public void A_member_that_may_be_null_may_be_left_out() =>
        Assert.Null(JsonSerializer.Deserialize<Thing>("""{"name":"x","tags":[]}""", HubJson.Options)!.Size);

    [Fact]
    public async Task A_refusal_becomes_problem_json_with_its_code_and_field_errors()
    {
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider() };
        using var body = new MemoryStream();
        context.Response.Body = body;
        await Problem.From(No.With(new FieldError("email", "Write it as name@host."))).ExecuteAsync(context);
        Assert.Equal(409, context.Response.StatusCode);
        Assert.Equal("application/problem+json", context.Response.ContentType);
        var json = JsonDocument.Parse(body.ToArray()).RootElement;
        Assert.Equal("test.no", json.GetProperty("code").GetString());
        Assert.Equal("urn:commerce:problem:test.no", json.GetProperty("type").GetString());
        Assert.Equal("It is taken already.", json.GetProperty("title").GetString());
        Assert.Equal("email", json.GetProperty("errors")[0].GetProperty("field").GetString());
    }
}
