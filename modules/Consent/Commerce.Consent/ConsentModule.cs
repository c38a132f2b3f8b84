using Commerce.Consent.Consents;
using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Consent.Ledger;
using Commerce.Consent.Receipts;
using Commerce.Kernel;
using Commerce.Kernel.Outbox;
using Commerce.Kernel.Secrets;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Consent;

/// <summary>The Consent module: what each customer agreed to, the signed receipts, and the ledger of agreements and releases.</summary>
public sealed class ConsentModule : IModule
{
    public string Name => "consent";

    public void Register(IServiceCollection services)
    {
        services.AddModuleDb<ConsentDb>(Name).AddHandlersFrom<ConsentModule>();
        services.AddHotEventHandler<ClaimsReleased, LedgerEntry, RecordRelease, ConsentDb>();
        services.AddSharedSecret(AnchorFile.Secret);
        services.AddSingleton(new KeyPurpose(ReceiptSigner.Keys, "ES256", PublishedForever: true));
        services.AddSingleton<ReceiptSigner>().AddSingleton<AnchorFile>().AddSingleton<LedgerAnchor>();
        services.AddHostedService(provider => provider.GetRequiredService<LedgerAnchor>());
        services.AddSingleton<StandingConsents>().AddScoped<LedgerWriter>();
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        ShowConsents.Map(routes);
        ShowReceipt.Map(routes);
        Withdraw.Map(routes);
        ReceiptKeys.Map(routes);
    }
}
