using System.Reflection;
using Commerce.Kernel;
using Microsoft.Extensions.Localization;

namespace Commerce.Web;

/// <summary>Finds a refusal's sentence in the customer's language: each module keeps its own, in its text resources under the refusal's code.</summary>
internal sealed class RefusalTexts(IEnumerable<Assembly> modules, IStringLocalizerFactory factory)
{
    private readonly IStringLocalizer[] texts = [.. modules.Select(m => m.GetType($"{m.GetName().Name}.Texts")).OfType<Type>().Select(factory.Create)];

    public string Of(Refusal refusal) =>
        texts.Select(t => t[refusal.Code]).FirstOrDefault(t => !t.ResourceNotFound)?.Value ?? refusal.Message;
}
