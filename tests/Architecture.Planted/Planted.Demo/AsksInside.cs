using Planted.Beta.Contracts;

namespace Planted.Demo.Tires
{
    /// <summary>Breaks: no partner can ask a module.</summary>
    internal static class AsksInside
    {
        public static AskBeta Ask() => new(Guid.Empty);
    }
}

namespace Planted.Demo.Seed
{
    /// <summary>Obeys: the seed is the hub's own.</summary>
    internal static class AsksFromTheHub
    {
        public static AskBeta Ask() => new(Guid.Empty);
    }
}
