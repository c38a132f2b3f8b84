using Commerce.Kernel;
using Commerce.Purchases.Bookings;
using Commerce.Purchases.Orders;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Commerce.Purchases.Data;

internal sealed class PurchasesDb(DbContextOptions<PurchasesDb> options) : ModuleDb(options)
{
    public override string ModuleName => "purchases";
    public DbSet<Order> Orders => Set<Order>();
    public DbSet<Booking> Bookings => Set<Booking>();

    protected override void Build(ModelBuilder model) => model.ApplyConfiguration(new OrderMap()).ApplyConfiguration(new BookingMap());

    private sealed class OrderMap : IEntityTypeConfiguration<Order>
    {
        public void Configure(EntityTypeBuilder<Order> order)
        {
            order.ToTable("orders").HasKey(o => o.Id);
            order.Ignore(o => o.KeyOwner);
            order.Property(o => o.OrderNumber).HasMaxLength(64);
            order.Property(o => o.Banner).HasMaxLength(64);
            order.Property(o => o.Currency).HasMaxLength(3);
            order.Property(o => o.EmailHash).HasMaxLength(32);
            order.Property(o => o.ApiClient).HasMaxLength(128);
            order.Property(o => o.IdempotencyKey).HasMaxLength(32);
            order.Property(o => o.BodyHash).HasMaxLength(32);
            order.HasIndex(o => o.OrderNumber).IsUnique();
            order.HasIndex(o => new { o.ApiClient, o.IdempotencyKey }).IsUnique();      // imported orders have neither, and nulls are distinct
            order.HasIndex(o => o.EmailHash).HasFilter("\"Customer\" IS NULL");         // orders that wait for their customer
        }
    }

    private sealed class BookingMap : IEntityTypeConfiguration<Booking>
    {
        public void Configure(EntityTypeBuilder<Booking> booking)
        {
            booking.ToTable("bookings").HasKey(b => b.Id);
            booking.HasOne<Order>().WithMany().HasForeignKey(b => b.Order);
            booking.Property(b => b.Partner).HasMaxLength(128);
            booking.Property(b => b.PartnerName).HasMaxLength(256);
            booking.Property(b => b.Reference).HasMaxLength(64);
            booking.Property(b => b.ApiClient).HasMaxLength(128);
            booking.Property(b => b.IdempotencyKey).HasMaxLength(32);
            booking.Property(b => b.BodyHash).HasMaxLength(32);
            booking.HasIndex(b => new { b.ApiClient, b.IdempotencyKey }).IsUnique();
            booking.HasIndex(b => new { b.Partner, b.Reference }).IsUnique();
        }
    }
}
