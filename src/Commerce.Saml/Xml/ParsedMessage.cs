using System.Xml;

namespace Commerce.Saml;

/// <summary>A protocol message as one DOM. What is verified and what is read are nodes of it, compared by identity.</summary>
internal sealed record ParsedMessage(XmlDocument Document, XmlElement Root);
