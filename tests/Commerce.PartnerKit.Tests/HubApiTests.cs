namespace Commerce.PartnerKit.Tests;

public sealed class HubApiTests
{
    private static readonly HubBooking Booking = new(
        "hop-1", new DateTimeOffset(2026, 10, 12, 9, 30, 0, TimeSpan.FromHours(3)), [new HubBookedService("fitting", "Tire fitting")], "KA-1",
        new HubShipTo("Kolari Auto", "Kolarintie 7", "01510", "Vantaa", "FI"));

    private static Task<PartnerSite> SiteAsync(FakeOidcHub hub) =>
        PartnerSite.StartAsync(o => (o.Hub, o.ClientId, o.ClientSecret) = (hub.Url, FakeOidcHub.ClientId, "secret"));

    [Fact]
    public async Task A_booking_is_posted_as_the_hub_takes_it()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        var answer = await site.Api.PostBookingAsync(Booking, "KA-1");
        Assert.True(answer.IsSuccess);
        Assert.Equal("b-1", answer.Text("booking"));
        var call = Assert.Single(hub.ApiCalls);
        Assert.Equal("KA-1", call.Key);
        Assert.Equal("""{"hop":"hop-1","starts_at":"2026-10-12T09:30:00+03:00","services":[{"code":"fitting","title":"Tire fitting"}],"reference":"KA-1","ship_to":{"name":"Kolari Auto","street_address":"Kolarintie 7","postal_code":"01510","locality":"Vantaa","country":"FI"}}""", call.Body);
    }

    [Fact]
    public async Task The_access_token_is_fetched_once_also_by_many_at_once()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => site.Api.PostBookingAsync(Booking, $"KA-{i}")));
        Assert.Single(hub.TokenRequests);
        Assert.Single(hub.ApiCalls.Select(c => c.Authorization).Distinct());
    }

    [Fact]
    public async Task A_token_that_the_hub_no_longer_takes_is_replaced_once()
    {
        await using var hub = await FakeOidcHub.StartAsync();
        await using var site = await SiteAsync(hub);
        hub.ApiStatuses.Enqueue(401);
        Assert.Equal(201, (await site.Api.PostBookingAsync(Booking, "KA-1")).Status);
        Assert.Equal(2, hub.TokenRequests.Count);
        hub.ApiStatuses.Enqueue(401);
        hub.ApiStatuses.Enqueue(401);
        Assert.Equal(401, (await site.Api.PostBookingAsync(Booking, "KA-2")).Status);
    }
}
