using System.Security.Cryptography;
using System.Text;

namespace Commerce.Web;

/// <summary>Files that pages load, served from the assembly.</summary>
public static class Assets
{
    internal static readonly string Style = Read("site.css");

    /// <summary>Path of the style sheet. It holds a part of its hash, so that browsers may keep it for ever.</summary>
    public static readonly string StylePath = $"/assets/site-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))[..12]}.css";

    private static string Read(string name)
    {
        using var stream = typeof(Assets).Assembly.GetManifestResourceStream($"Commerce.Web.Assets.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
