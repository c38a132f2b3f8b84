using System.Buffers;
using System.Text;
using System.Xml;

namespace Commerce.Saml.Tests.Fuzz;

/// <summary>A message as a tree that may also be wrong: attribute twice, prefix undeclared, markup as it comes. Cheap to copy and to write.</summary>
internal sealed class FuzzNode
{
    private static readonly SearchValues<char> Escaped = SearchValues.Create("&<>\"\r\n\t");

    /// <summary>Prefix and local name; null for <see cref="Raw"/>.</summary>
    public string? Name { get; set; }

    /// <summary>Text or any other markup, written as it stands.</summary>
    public string Raw { get; set; } = "";

    /// <summary>Values as written, escapes included. Namespace declarations are among them.</summary>
    public List<KeyValuePair<string, string>> Attributes { get; private init; } = [];

    public List<FuzzNode> Children { get; private init; } = [];

    public FuzzNode? Parent { get; private set; }

    public string LocalName => Name is null ? "" : Name[(Name.IndexOf(':', StringComparison.Ordinal) + 1)..];

    public static FuzzNode Text(string raw) => new() { Raw = raw };

    public static FuzzNode Parse(string xml)
    {
        using var reader = XmlReader.Create(new StringReader(xml));
        FuzzNode? root = null;
        FuzzNode? parent = null;
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.EndElement) parent = parent!.Parent;
            else if (reader.NodeType is XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace) parent?.Add(Text(Escape(reader.Value)));
            else if (reader.NodeType == XmlNodeType.Element)
            {
                var element = new FuzzNode { Name = reader.Name };
                var isEmpty = reader.IsEmptyElement;
                while (reader.MoveToNextAttribute()) element.Attributes.Add(new(reader.Name, Escape(reader.Value)));
                if (parent is null) root = element;
                else parent.Add(element);
                if (!isEmpty) parent = element;
            }
        }
        return root!;
    }

    public static string Escape(string text) => !text.AsSpan().ContainsAny(Escaped) ? text : text
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal).Replace("\r", "&#xD;", StringComparison.Ordinal).Replace("\n", "&#xA;", StringComparison.Ordinal)
        .Replace("\t", "&#x9;", StringComparison.Ordinal);

    public FuzzNode Add(FuzzNode child) => Insert(Children.Count, child);

    public FuzzNode Insert(int at, FuzzNode child)
    {
        child.Parent = this;
        Children.Insert(at, child);
        return this;
    }

    /// <summary>Takes the node out of its parent; the root stays where it is.</summary>
    public int Detach()
    {
        if (Parent is null) return -1;
        var at = Parent.Children.IndexOf(this);
        Parent.Children.RemoveAt(at);
        Parent = null;
        return at;
    }

    public void ReplaceBy(FuzzNode other)
    {
        if (Parent is not { } parent) return;
        parent.Insert(Detach(), other);
    }

    public bool IsInside(FuzzNode of)
    {
        for (var at = this; at is not null; at = at.Parent)
            if (at == of) return true;
        return false;
    }

    public FuzzNode Copy()
    {
        var copy = new FuzzNode { Name = Name, Raw = Raw, Attributes = [.. Attributes], Children = new List<FuzzNode>(Children.Count) };
        foreach (var child in Children) copy.Add(child.Copy());
        return copy;
    }

    public int AttributeAt(string name) => Attributes.FindIndex(attribute => attribute.Key == name);

    public void Set(string name, string value)
    {
        var at = AttributeAt(name);
        if (at < 0) Attributes.Add(new(name, value));
        else Attributes[at] = new(name, value);
    }

    /// <summary>This element and those below it, in document order.</summary>
    public void Collect(List<FuzzNode> elements, List<FuzzNode> texts)
    {
        if (Name is null) texts.Add(this);
        else elements.Add(this);
        foreach (var child in Children) child.Collect(elements, texts);
    }

    public StringBuilder Write(StringBuilder to)
    {
        if (Name is null) return to.Append(Raw);
        to.Append('<').Append(Name);
        foreach (var (name, value) in Attributes) to.Append(' ').Append(name).Append("=\"").Append(value).Append('"');
        if (Children.Count == 0 && Raw == "/") return to.Append("/>");
        to.Append('>');
        foreach (var child in Children) child.Write(to);
        return to.Append("</").Append(Name).Append('>');
    }
}
