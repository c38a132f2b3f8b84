namespace Commerce.Profiles;

/// <summary>Names the module's text resources (Texts.resx and its translations), which hold every sentence a customer reads.</summary>
internal sealed class Texts;
