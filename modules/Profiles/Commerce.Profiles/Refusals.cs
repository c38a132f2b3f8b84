using Commerce.Kernel;

namespace Commerce.Profiles;

/// <summary>Every way this module says no.</summary>
internal static class Refusals
{
    public static readonly Refusal NoAccount = new("profiles.no_account", 404, "There is no account any more.");
    public static readonly Refusal TooManyVehicles = new("profiles.too_many_vehicles", 409, "We keep up to 20 vehicles. Please remove one first.");
}
