using Commerce.Kernel;

namespace Commerce.Consent;

/// <summary>Every way this module says no.</summary>
internal static class Refusals
{
    /// <summary>No such receipt, or somebody else's: nobody can tell the two apart.</summary>
    public static readonly Refusal UnknownReceipt = new("consent.unknown_receipt", 404, "There is no such receipt.");

    public static readonly Refusal Replaced = new("consent.replaced", 409,
        "You have agreed anew since this receipt. Withdraw the newer agreement, which you find among your consents.");

    public static readonly Refusal Invalid = new("consent.invalid", 422, "The agreement is not complete.");
    public static readonly Refusal NothingAgreed = new("consent.nothing_agreed", 422, "Nothing was agreed to.");
    public static readonly Refusal RequiredDeclined = new("consent.required_declined", 422, "The service cannot be had without a detail that was left out.");
}
