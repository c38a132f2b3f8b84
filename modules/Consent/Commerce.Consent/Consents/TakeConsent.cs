using Commerce.Consent.Contracts;
using Commerce.Consent.Data;
using Commerce.Consent.Ledger;
using Commerce.Consent.Receipts;
using Commerce.Kernel;
using Commerce.Profiles.Contracts;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Consent.Consents;

/// <summary>Answers <see cref="GiveConsent"/>: consent, receipt, ledger entry and the news of it in one transaction.</summary>
internal sealed class TakeConsent(ConsentDb db, LedgerWriter ledger, LedgerAnchor anchor, ReceiptSigner signer, CustomerChanges changes, TimeProvider clock)
    : IRequestHandler<GiveConsent, Result<ConsentRecord>>
{
    private const int MostClaims = 64;
    private const int MostAttempts = 5;

    public async Task<Result<ConsentRecord>> Handle(GiveConsent request, CancellationToken cancellationToken)
    {
        if (Check(request) is { } refusal) return refusal;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await SaveAsync(request, cancellationToken);
            }
            catch (DbUpdateException) when (attempt < MostAttempts)
            {
                db.ChangeTracker.Clear();   // another yes for the same partner and purpose came at this moment: replace that one
            }
        }
    }

    private async Task<ConsentRecord> SaveAsync(GiveConsent request, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var consent = new GivenConsent
        {
            Id = Guid.CreateVersion7(now),
            Receipt = Guid.CreateVersion7(now).ToString("N"),
            Customer = request.Customer,
            Partner = request.Partner,
            PartnerName = request.PartnerName,
            Purpose = request.Purpose,
            PurposeText = request.PurposeText,
            Language = request.Language,
            LegalBasis = request.LegalBasis,
            RetentionDays = request.RetentionDays,
            ContractVersion = request.ContractVersion,
            Landing = request.Landing,
            GivenAt = now,
        };
        consent.Claims.AddRange(request.Granted.Select((c, i) => Claim(consent, c, true, i)));
        consent.Claims.AddRange(request.Declined.Select((c, i) => Claim(consent, c, false, request.Granted.Count + i)));
        var receipt = new SignedReceipt { Receipt = consent.Receipt, Jws = signer.Sign(consent) };   // before the lock: signing needs none
        var record = consent.ToRecord();

        await using var transaction = await ledger.BeginAsync(stop);
        await db.Consents.Where(c => c.Customer == request.Customer && c.Partner == request.Partner && c.Purpose == request.Purpose && c.EndedAt == null)
            .ExecuteUpdateAsync(row => row.SetProperty(c => c.EndedAt, now).SetProperty(c => c.End, ConsentEnd.Replaced), stop);
        db.Consents.Add(consent);
        db.Receipts.Add(receipt);
        await ledger.AppendAsync(new LedgerFact(LedgerKind.Grant, now, request.Customer, request.Partner, request.Purpose, consent.Receipt, record.Granted), stop);
        db.Publish(new TimelineFact(consent.Id, request.Customer, now, "consent_given", Summary: request.PurposeText, Partner: request.Partner,
            PartnerName: request.PartnerName, Receipt: consent.Receipt, Claims: record.Granted));
        await db.SaveChangesAsync(stop);
        await transaction.CommitAsync(stop);
        changes.Note(request.Customer);
        anchor.Wake();
        return record;
    }

    private static GivenClaim Claim(GivenConsent consent, ConsentedClaim claim, bool granted, int position) => new()
    {
        Consent = consent.Id, Name = claim.Name, Granted = granted, Required = claim.Required, Reason = claim.Reason, Position = position,
    };

    private static Refusal? Check(GiveConsent request)
    {
        if (request.Granted.Count == 0) return Refusals.NothingAgreed;
        if (request.Declined.Any(c => c.Required)) return Refusals.RequiredDeclined;
        var errors = new List<FieldError>();
        Text(request.Partner, 128, "partner");
        Text(request.PartnerName, 256, "partner_name");
        Text(request.Purpose, 64, "purpose");
        Text(request.PurposeText, 1024, "purpose_text");
        Text(request.Language, 16, "language");
        if (request.Landing is not null) Text(request.Landing, 253, "landing");
        if (request.LegalBasis is not ("consent" or "contract")) errors.Add(new FieldError("legal_basis", "Give consent or contract."));
        if (request.RetentionDays is < 0 or > 36_500) errors.Add(new FieldError("retention_days", "Give 0 to 36500 days."));
        if (request.ContractVersion < 1) errors.Add(new FieldError("contract_version", "Versions begin at 1."));
        var claims = request.Granted.Concat(request.Declined).ToList();
        if (claims.Count > MostClaims) errors.Add(new FieldError("granted", $"Give at most {MostClaims} claims."));
        if (claims.DistinctBy(c => c.Name).Count() != claims.Count) errors.Add(new FieldError("granted", "A claim stands here twice."));
        foreach (var claim in claims.Take(MostClaims))
        {
            Text(claim.Name, 128, "claim");
            if (claim.Reason.Length > 512) errors.Add(new FieldError("reason", "Give at most 512 characters."));
        }
        return errors.Count > 0 ? Refusals.Invalid.With(errors) : null;

        void Text(string value, int most, string field)
        {
            if (value.Length == 0 || value.Length > most) errors.Add(new FieldError(field, $"Give 1 to {most} characters."));
        }
    }
}
