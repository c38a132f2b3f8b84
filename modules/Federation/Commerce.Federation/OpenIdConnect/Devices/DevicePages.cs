using System.Text.Json;
using Commerce.Consent.Contracts;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using Commerce.Web;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Federation.OpenIdConnect.Devices;

/// <param name="Code">To fill in; from the address or the last try.</param>
/// <param name="Fault">Name of the sentence that says why not; null at first.</param>
internal sealed record DeviceCodeModel(string? Code, string? Fault);

internal sealed record DeviceDoneModel(bool Allowed, string PartnerName);

/// <summary>What the confirmation showed. Travels sealed; answered by the one to whom it was shown.</summary>
internal sealed record ShownDevice(Guid Device, string UserCode, string Connection, Guid Customer, Guid Session, int ContractVersion, string ValuesHash);

/// <summary>
/// The customer's side (RFC 8628 §3.3): type the code, see which device of which partner it is and what would leave, say yes or no.
/// Opening an address, also the one with the code in it, changes nothing (rows K02, K04).
/// </summary>
internal static class DevicePages
{
    public const string Path = "/device";
    private const string ConfirmPath = "/device/confirm";
    private const string ShownUse = "device-shown";
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext context, string? user_code, SealedState state) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            var code = UserCode.Read(user_code) is { } read ? UserCode.Shown(read) : null;
            if (context.User.CustomerId() is null) return new SeeOther(state.SignInPath(new SignInRequest(code is null ? Path : $"{Path}?user_code={code}")));
            return (IResult)Page.Of("/OpenIdConnect/Devices/DeviceCode.cshtml", new DeviceCodeModel(code, null));
        }).ExcludeFromDescription();
        routes.MapPost(Path, (HttpContext context, IFormCollection form, Handler handler, CancellationToken stop) => handler.FindAsync(context, form, stop)).ExcludeFromDescription();
        routes.MapPost(ConfirmPath, (HttpContext context, IFormCollection form, Handler handler, CancellationToken stop) => handler.AnswerAsync(context, form, stop)).ExcludeFromDescription();
    }

    /// <param name="Purpose">Null where nothing but <c>sub</c> would leave.</param>
    private sealed record Occasion(
        DeviceAuthorization Device, string UserCode, Connection Connection, ContractPurpose? Purpose, IReadOnlyList<ContractClaim> Claims, IReadOnlyList<string> Asked,
        IReadOnlyList<KeyValuePair<string, JsonElement>> Values);

    internal sealed class Handler(
        FederationDb db, ReleaseGate gate, ReleaseValues releases, ConsentSheet sheet, Guesses guesses, IMediator mediator, SealedState state, LookupHash hash,
        SharedSecrets secrets, TimeProvider clock)
    {
        public async Task<IResult> FindAsync(HttpContext context, IFormCollection form, CancellationToken stop)
        {
            if (context.User.CustomerId() is not { } customer || context.User.SessionId() is not { } session) return new SeeOther(Path);
            if (form.Keys.Any(key => key is not ("form_token" or "user_code")) || form["user_code"] is not [{ } typed]) return HopRefused.Page(context, Refusals.SheetInvalid);
            var network = context.Connection.RemoteIpAddress;
            if (!await guesses.TryTakeAsync(customer, network, stop)) return Again(null, "device_too_many", StatusCodes.Status429TooManyRequests);
            // One sentence for a code that never was, one that is over and one of a partner that is off.
            var device = UserCode.Read(typed) is { } code ? await WaitingAsync(code, stop) : null;
            if (device is null || await OccasionAsync(device, UserCode.Read(typed)!, customer, session, stop) is not { } occasion)
                return Again(typed.Length <= 40 ? typed : null, "device_wrong", StatusCodes.Status404NotFound);
            await guesses.ForgiveAsync(customer, network, stop);
            return Show(occasion, customer, session, changed: false);
        }

        public async Task<IResult> AnswerAsync(HttpContext context, IFormCollection form, CancellationToken stop)
        {
            if (SheetAnswer.Read(form) is not { } answer || !state.TryOpen<ShownDevice>(ShownUse, answer.Sheet, out var shown)
                || context.User.CustomerId() != shown.Customer || context.User.SessionId() != shown.Session) return HopRefused.Page(context, Refusals.SheetInvalid);
            if (await WaitingAsync(shown.UserCode, stop) is not { } device || device.Id != shown.Device
                || await OccasionAsync(device, shown.UserCode, shown.Customer, shown.Session, stop) is not { } occasion) return HopRefused.Page(context, Refusals.DeviceOver);
            if (!answer.Allow)
            {
                await SettleAsync(device, DeviceState.Denied, null, stop);
                return Done(occasion, allowed: false);
            }
            if (shown.ContractVersion != (occasion.Connection.Contract?.Version ?? 0) || shown.ValuesHash != releases.HashOf(occasion.Values))
                return Show(occasion, shown.Customer, shown.Session, changed: true);
            if (!answer.Fits(occasion.Claims, occasion.Values)) return HopRefused.Page(context, Refusals.SheetInvalid);
            if (Missing(occasion).Any()) return Show(occasion, shown.Customer, shown.Session, changed: false);
            return await AllowAsync(context, occasion, shown, answer, stop);
        }

        private async Task<IResult> AllowAsync(HttpContext context, Occasion occasion, ShownDevice shown, SheetAnswer answer, CancellationToken stop)
        {
            var connection = occasion.Connection;
            ConsentRecord? consent = null;
            if (occasion.Purpose is { NeedsConsent: true } purpose)
            {
                var earlier = await mediator.Send(new CurrentConsent(shown.Customer, connection.Partner, purpose.Id), stop);
                if (earlier?.ContractVersion != connection.Contract!.Version) earlier = null;
                var given = answer.Consent(shown.Customer, connection, purpose, occasion.Claims, connection.LandingHost ?? connection.Id, earlier);
                consent = earlier is not null && Same(earlier.Granted, given.Granted) && Same(earlier.Declined, given.Declined) ? earlier : null;
                if (consent is null && !(await mediator.Send(given, stop)).TryGet(out consent, out var no)) return HopRefused.Page(context, no);
            }
            var decision = occasion.Purpose is null ? ReleaseDecision.Nothing : ClaimsRelease.Decide(connection.Contract!, occasion.Purpose.Id, consent, null, occasion.Asked);
            var release = await releases.FixAsync(connection, shown.Customer, shown.Session, occasion.Purpose, consent?.Receipt, null,
                [.. occasion.Values.Where(v => decision.Names.Contains(v.Key))], stop);
            db.Releases.Add(release);
            var grant = GrantOf(context, occasion, shown, release);
            db.Add(grant);
            await using var transaction = await db.Database.BeginTransactionAsync(stop);
            await db.SaveChangesAsync(stop);
            // Somebody was quicker with this code: what was made here is thrown away.
            if (!await SettleAsync(occasion.Device, DeviceState.Allowed, grant.Id, stop)) return HopRefused.Page(context, Refusals.DeviceOver);
            await transaction.CommitAsync(stop);
            return Done(occasion, allowed: true);
        }

        private Grant GrantOf(HttpContext context, Occasion occasion, ShownDevice shown, Release release)
        {
            var now = clock.GetUtcNow();
            var offline = occasion.Device.Scope.Split(' ').Contains(OidcScopes.Offline) && occasion.Connection.Oidc!.MayUse("refresh_token");
            return new Grant
            {
                Id = Guid.CreateVersion7(now),
                Connection = occasion.Connection.Id,
                Customer = shown.Customer,
                Session = shown.Session,
                Release = release.Id,
                Receipt = release.Receipt,
                Subject = PairwiseSubject.For(occasion.Connection.Sector, shown.Customer, secrets.HashBy(PairwiseSubject.Salt)),
                Scope = string.Join(' ', occasion.Device.Scope.Split(' ').Where(s => s != OidcScopes.Offline || offline)),
                IsOffline = offline,
                // No code of its own ever leaves: the device code stands for it.
                RedirectUri = "",
                Challenge = "",
                CodeHash = Token.Hash(Token.New()),
                CodeExpiresAt = occasion.Device.ExpiresAt,
                AuthenticatedAt = context.User.AuthenticatedAt() ?? now,
                Acr = context.User.Acr() ?? "",
                Amr = string.Join(' ', context.User.Amr()),
                CreatedAt = now,
                EndsAt = now + RefreshToken.Absolute,
            };
        }

        private Task<DeviceAuthorization?> WaitingAsync(string code, CancellationToken stop)
        {
            var (hashed, now) = (DeviceEndpoint.HashOf(hash, code), clock.GetUtcNow());
            return db.Set<DeviceAuthorization>().AsNoTracking().SingleOrDefaultAsync(d => d.UserCodeHash == hashed && d.State == DeviceState.Waiting && d.ExpiresAt > now, stop);
        }

        /// <summary>The one update that answers; true for the caller whose answer it is.</summary>
        private async Task<bool> SettleAsync(DeviceAuthorization device, DeviceState answer, Guid? grant, CancellationToken stop)
        {
            var now = clock.GetUtcNow();
            return await db.Set<DeviceAuthorization>().Where(d => d.Id == device.Id && d.State == DeviceState.Waiting && d.ExpiresAt > now)
                .ExecuteUpdateAsync(row => row.SetProperty(d => d.State, answer).SetProperty(d => d.Grant, grant), stop) == 1;
        }

        private async Task<Occasion?> OccasionAsync(DeviceAuthorization device, string code, Guid customer, Guid session, CancellationToken stop)
        {
            if (!(await gate.CheckAsync(device.Connection, customer, session, null, stop)).TryGet(out var open, out _)) return null;
            if (open.Connection.Oidc?.MayUse(DeviceGrant.GrantType) != true) return null;
            var asked = OidcScopes.Claims(device.Scope.Split(' '));
            var purpose = open.Connection.Contract?.SignInPurpose;
            var claims = purpose?.Claims.Where(c => !ClaimCatalogue.IsOfHop(c.Name) && ClaimCatalogue.With(c.Name).Any(asked.Contains)).ToList() ?? [];
            if (claims.Count == 0) return new Occasion(device, code, open.Connection, null, [], asked, []);
            var names = claims.SelectMany(c => ClaimCatalogue.With(c.Name)).Where(asked.Contains).Distinct().ToList();
            return new Occasion(device, code, open.Connection, purpose, claims, asked, await releases.GatherAsync(customer, names, null, [], stop));
        }

        private Page Show(Occasion occasion, Guid customer, Guid session, bool changed)
        {
            var connection = occasion.Connection;
            var shown = new ShownDevice(occasion.Device.Id, occasion.UserCode, connection.Id, customer, session, connection.Contract?.Version ?? 0, releases.HashOf(occasion.Values));
            var nothing = new ContractPurpose("", 1, "contract", new Dictionary<string, string> { ["en"] = "" }, []);
            var model = sheet.Model(connection, occasion.Purpose ?? nothing, occasion.Claims, occasion.Values, connection.LandingHost ?? connection.PartnerName, changed,
                ConfirmPath, state.Seal(ShownUse, shown, Lifetime)) with
            {
                Device = new SheetDevice(connection.Name, UserCode.Shown(occasion.UserCode)),
            };
            return new Page(ConsentSheet.View, model) { Status = changed ? StatusCodes.Status409Conflict : StatusCodes.Status200OK };
        }

        private static Page Again(string? code, string fault, int status) => new("/OpenIdConnect/Devices/DeviceCode.cshtml", new DeviceCodeModel(code, fault)) { Status = status };

        private static Page Done(Occasion occasion, bool allowed) => Page.Of("/OpenIdConnect/Devices/DeviceDone.cshtml", new DeviceDoneModel(allowed, occasion.Connection.PartnerName));

        private static IEnumerable<string> Missing(Occasion occasion) =>
            occasion.Purpose is { } purpose ? ConsentSheet.Missing(purpose with { Claims = occasion.Claims }, occasion.Values) : [];

        private static bool Same(IReadOnlyList<string> names, IReadOnlyList<ConsentedClaim> claims) =>
            names.Count == claims.Count && claims.All(c => names.Contains(c.Name, StringComparer.Ordinal));
    }
}
