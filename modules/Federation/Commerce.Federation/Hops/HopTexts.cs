namespace Commerce.Federation.Hops;

/// <summary>Names the texts of the consent sheet and its neighbours (HopTexts.resx and its translations).</summary>
internal sealed class HopTexts;
