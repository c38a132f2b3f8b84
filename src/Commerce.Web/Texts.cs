namespace Commerce.Web;

/// <summary>Names the texts that every page shares.</summary>
public sealed class Texts;
