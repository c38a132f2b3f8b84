namespace Commerce.Generator;

internal sealed record Car(string Make, string Model, int From, string TireSize)
{
    public static readonly Car[] All =
    [
        new("Volvo", "V60", 2011, "205/55R16"), new("Volvo", "XC60", 2009, "235/60R18"), new("Volvo", "EX30", 2024, "225/55R18"),
        new("Toyota", "Corolla", 2007, "195/65R15"), new("Toyota", "RAV4", 2013, "225/65R17"), new("Toyota", "Yaris", 2011, "175/65R15"),
        new("Skoda", "Octavia", 2009, "205/55R16"), new("Skoda", "Enyaq", 2021, "235/55R19"), new("Volkswagen", "Golf", 2008, "205/55R16"),
        new("Hyundai", "Ioniq 5", 2021, "235/55R19"), new("Hyundai", "Avante", 2015, "205/55R16"), new("Kia", "Niro", 2017, "205/60R16"),
        new("Kia", "Sorento", 2015, "235/65R17"), new("Genesis", "G80", 2017, "245/50R18"), new("Ford", "F-150", 2009, "275/65R18"),
        new("Chevrolet", "Malibu", 2013, "225/55R17"), new("Tesla", "Model 3", 2018, "235/45R18"), new("Nissan", "Leaf", 2011, "205/55R16"),
    ];
}

/// <summary>What is sold beside tires.</summary>
internal sealed record Product(string Sku, string Description, string Category, int Euro, string? Property, string? Value)
{
    public static readonly Product[] All =
    [
        new("MAT-07", "Rubber floor mats, set of 4", "accessories/interior", 39, "pieces", "4"), new("WIP-24", "Wiper blades 600/475 mm", "parts/wipers", 27, "length_mm", "600"),
        new("OIL-5W30", "Engine oil 5W-30, 5 l", "fluids/oil", 46, "viscosity", "5W-30"), new("WSH-04", "Washer fluid -20 °C, 4 l", "fluids/washer", 6, "freezes_at_c", "-20"),
        new("BAT-70", "Battery 12 V 70 Ah", "parts/batteries", 119, "capacity_ah", "70"), new("BRK-F2", "Brake pads, front axle", "parts/brakes", 54, "axle", "front"),
        new("BLB-H7", "Bulb H7, pair", "parts/lights", 18, "fitting", "H7"), new("RCK-01", "Roof bars, steel", "accessories/outside", 129, null, null),
        new("CHG-32", "Charging cable type 2, 32 A, 5 m", "accessories/charging", 219, "amperes", "32"), new("ICE-02", "Ice scraper with brush", "accessories/winter", 9, null, null),
    ];
}
