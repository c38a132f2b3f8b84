using Commerce.Kernel;

namespace Commerce.Identity;

/// <summary>Every way this module says no. The sentences stand in the text resources too, under the same codes.</summary>
internal static class Refusals
{
    public static readonly Refusal WrongPassword = new("identity.wrong_password", 401, "The e-mail address and the password do not belong together.");
    public static readonly Refusal AccountLocked = new("identity.account_locked", 403, "This account is locked. Please contact our customer service.");
    public static readonly Refusal TooManyAttempts = new("identity.too_many_attempts", 429, "There were too many attempts. Please wait a quarter of an hour, or ask for a new password by mail.");
    public static readonly Refusal TooManyMails = new("identity.too_many_mails", 429, "We have sent several mails already. Please look into your mailbox, or try again in an hour.");
    public static readonly Refusal SignInNeeded = new("identity.sign_in_needed", 401, "Your session has ended. Please sign in and try again.");
    public static readonly Refusal NotAllowed = new("identity.not_allowed", 403, "You cannot open this page with this account.");
    public static readonly Refusal LinkNotOurs = new("identity.link_not_ours", 404, "This link is not valid, or not any more. Links work once and for one day.");
    public static readonly Refusal NotAnAddress = new("identity.not_an_address", 400, "This is not a mail address.");
    public static readonly Refusal NotALocale = new("identity.not_a_locale", 400, "This is not a language tag such as fi-FI.");
    public static readonly Refusal BannerNotValid = new("identity.banner_not_valid", 400, "The banner was not taken. Mend the named members and send it again.");
    public static readonly Refusal NoMailbox = new("identity.no_mailbox", 404, "There is nothing here.");
}
