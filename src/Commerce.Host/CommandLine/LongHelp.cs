using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Commerce.Host.CommandLine;

/// <summary>
/// A verb's description in two parts: the first paragraph is what lists of verbs show; the rest, with examples, comes with the verb's
/// own <c>--help</c>, below the options.
/// </summary>
internal static class LongHelp
{
    private static readonly ConditionalWeakTable<Command, string> Rest = [];

    public static T SplitsItsHelp<T>(this T verb) where T : Command
    {
        var text = (verb.Description ?? "").Replace("\r\n", "\n", StringComparison.Ordinal);
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        verb.Description = (end < 0 ? text : text[..end]).Replace('\n', ' ');
        if (end >= 0) Rest.AddOrUpdate(verb, text[(end + 2)..]);
        return verb;
    }

    public static RootCommand ShowsLongHelp(this RootCommand root)
    {
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            if (help.Action is HelpAction usual) help.Action = new Longer(usual);
        }
        return root.SplitsItsHelp();
    }

    private sealed class Longer(HelpAction usual) : SynchronousCommandLineAction
    {
        // Asking for help is never a usage error, even where required arguments are missing.
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = usual.Invoke(parseResult);
            if (!Rest.TryGetValue(parseResult.CommandResult.Command, out var text)) return code;
            foreach (var line in text.Split('\n')) parseResult.InvocationConfiguration.Output.WriteLine(line.Length == 0 ? "" : $"  {line}");
            parseResult.InvocationConfiguration.Output.WriteLine();
            return code;
        }
    }
}
