using Commerce.Identity.Data;
using Commerce.Identity.Links;
using Commerce.Identity.Mail;
using Commerce.Identity.Passwords;
using Commerce.Identity.Registration;
using Commerce.Identity.Sessions;
using Commerce.Identity.SignIn;
using Commerce.Kernel;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Identity;

/// <summary>The Identity module: accounts, passwords, sessions, mails to customers, banners.</summary>
public sealed class IdentityModule : IModule
{
    public string Name => "identity";

    public void Register(IServiceCollection services)
    {
        services.AddModuleDb<IdentityDb>(Name).AddHandlersFrom<IdentityModule>();
        services.AddSingleton(provider => IdentitySettings.Of(provider.GetService<IConfiguration>()));
        services.AddSingleton(provider => SmtpSettings.Of(provider.GetService<IConfiguration>()));
        services.AddSingleton<PasswordCheck>().AddSingleton<LiveSessions>().AddSingleton<SessionCookie>().AddSingleton<RegisteringBrowser>();
        services.AddScoped<AttemptLimiter>().AddScoped<SessionStart>().AddScoped<MailedLinks>().AddScoped<MailQueue>();
        services.AddHostedService<MailSender>().AddHostedService<Housekeeping>();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, SessionHandler>(HubSchemes.Session, null);
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        SignIn.SignIn.Map(routes);
        SignOut.Map(routes);
        Registration.Register.Map(routes);
        Confirm.Map(routes);
        NewPassword.Map(routes);
        VerifyEmail.Map(routes);
        Mailbox.Map(routes);
    }
}
