namespace Planted.PartnerKit;

/// <summary>Obeys: what a partner references, and knows nobody.</summary>
public sealed record Kit(string Hub);
