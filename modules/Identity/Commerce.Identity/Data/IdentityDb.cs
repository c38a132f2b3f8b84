using Commerce.Identity.Accounts;
using Commerce.Identity.Banners;
using Commerce.Identity.Links;
using Commerce.Identity.Mail;
using Commerce.Identity.Passwords;
using Commerce.Identity.Sessions;
using Commerce.Kernel;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Identity.Data;

/// <summary>Accounts, how they prove themselves, their sessions, the mails to them, and the retailer's banners.</summary>
internal sealed class IdentityDb(DbContextOptions<IdentityDb> options) : ModuleDb(options)
{
    public override string ModuleName => "identity";
    public DbSet<CustomerAccount> Accounts => Set<CustomerAccount>();
    public DbSet<ExternalAccount> ExternalAccounts => Set<ExternalAccount>();
    public DbSet<Operator> Operators => Set<Operator>();
    public DbSet<BrowserSession> Sessions => Set<BrowserSession>();
    public DbSet<MailedLink> Links => Set<MailedLink>();
    public DbSet<Attempts> Attempts => Set<Attempts>();
    public DbSet<QueuedMail> Mails => Set<QueuedMail>();
    public DbSet<StoreBanner> Banners => Set<StoreBanner>();

    protected override void Build(ModelBuilder model) => model.ApplyConfigurationsFromAssembly(typeof(IdentityDb).Assembly);
}
