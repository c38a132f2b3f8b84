using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Kernel;
using MediatR;
using Microsoft.EntityFrameworkCore;

namespace Commerce.Identity.Accounts;

internal sealed class ChangeLocaleHandler(IdentityDb db, CustomerChanges changes) : IRequestHandler<ChangeLocale, Result<bool>>
{
    public async Task<Result<bool>> Handle(ChangeLocale request, CancellationToken cancellationToken)
    {
        if (!ImportCustomersHandler.IsLocale(request.Locale)) return Refusals.NotALocale;
        var changed = await db.Accounts.Where(a => a.Customer == request.Customer)
            .ExecuteUpdateAsync(row => row.SetProperty(a => a.Locale, request.Locale), cancellationToken) == 1;
        changes.Note(request.Customer);
        return changed;
    }
}
