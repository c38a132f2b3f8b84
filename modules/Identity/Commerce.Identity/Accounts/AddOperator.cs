using Commerce.Identity.Contracts;
using Commerce.Identity.Data;
using Commerce.Kernel;
using Commerce.Kernel.Secrets;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Identity.Accounts;

/// <summary>An address whose owner runs the hub once they sign in with it verified.</summary>
internal sealed class Operator
{
    public required byte[] EmailHash { get; init; }
    public DateTimeOffset AddedAt { get; init; }
}

internal sealed class AddOperatorHandler(IdentityDb db, LookupHash hash, TimeProvider clock) : IRequestHandler<AddOperator, Result<bool>>
{
    /// <returns>False where the address had the rights already.</returns>
    public async Task<Result<bool>> Handle(AddOperator request, CancellationToken cancellationToken)
    {
        if (!EmailAddress.TryParse(request.Email, out var email)) return Refusals.NotAnAddress;
        var wanted = email.LookupHash(hash);
        if (await db.Operators.AnyAsync(o => o.EmailHash == wanted, cancellationToken)) return false;
        db.Operators.Add(new Operator { EmailHash = wanted, AddedAt = clock.GetUtcNow() });
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }
}

internal sealed class OperatorMap : IEntityTypeConfiguration<Operator>
{
    public void Configure(EntityTypeBuilder<Operator> row)
    {
        row.ToTable("operators").HasKey(o => o.EmailHash);
        row.Property(o => o.EmailHash).HasMaxLength(32);
    }
}
