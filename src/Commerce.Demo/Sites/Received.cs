using Commerce.PartnerKit;

namespace Commerce.Demo.Sites;

/// <summary>Shows a customer on the partner's own page exactly what the partner received.</summary>
internal static class Received
{
    public static Html Show(CommerceCustomer customer, SiteSettings settings)
    {
        var rows = new List<(string What, string? Value)>
        {
            ("Name", customer.Name),
            ("E-mail", customer.Email is null ? null : $"{customer.Email}{(customer.EmailVerified ? " (verified)" : "")}"),
            ("Phone", customer.PhoneNumber),
            ("Vehicle", customer.Hop?.Vehicle is { } v ? string.Join(", ", new[] { v.Registration, v.Make, v.Model, v.Year?.ToString(System.Globalization.CultureInfo.InvariantCulture), v.TireSize }.Where(t => !string.IsNullOrEmpty(t))) : null),
            ("Purchase", customer.Hop?.Purchase is { } p ? string.Join(", ", p.Lines.Select(l => $"{l.Quantity} × {l.Description}")) : null),
            ("Consent receipt", customer.ConsentReceipt),
            ("Our name for you", customer.Subject),
        };
        return Html.Of($"""
            <details class="card"><summary>What we received from {settings.Retailer}</summary>
              <dl>{Html.Join(rows.Where(r => !string.IsNullOrEmpty(r.Value)).Select(r => Html.Of($"<dt>{r.What}</dt><dd>{r.Value}</dd>")))}</dl>
              <p class="quiet">You can see and withdraw this in <a href="{settings.Hub}/account">your {settings.Retailer} account</a>.</p></details>
            """);
    }
}
