using System.CommandLine;
using Commerce.Federation.Contracts;

namespace Commerce.Host.CommandLine;

/// <summary><c>partner off ID</c> and <c>partner on ID</c>.</summary>
internal static class PartnerSwitch
{
    private static readonly Argument<string> Id = new("ID") { Description = "The partner's id, as in partner list." };

    public static Command Make(bool on) => new Command(on ? "on" : "off", on
        ? "Let hops to a partner run again.\n\nExample:\n  partner on kolari-auto"
        : "Stop every hop, sign-in and token of a partner at once, and keep its registration.\n\nExample:\n  partner off kolari-auto") { Id }.Runs(async run =>
    {
        await run.MustAsync(new SwitchPartner(run.Get(Id), on));
        run.Print(new { partner = run.Get(Id), active = on }, text => text.WriteLine($"{run.Get(Id)} is {(on ? "on" : "off")}."));
    });
}
