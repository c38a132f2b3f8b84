using System.Globalization;

namespace Commerce.Generator;

/// <summary>One country: how its people, plates, telephones and addresses look. All addresses of the net end in .example (RFC 2606).</summary>
/// <param name="Gs1">GS1 prefix of goods numbered there.</param>
internal sealed record Market(
    string Country, string Banner, string OrderPrefix, string Currency, TimeSpan Offset, string[] Locales, string Gs1,
    (string Written, string Latin)[] Given, (string Written, string Latin)[] Family, (string Name, string Postal)[] Towns, string[] Streets,
    Func<Random, string> Plate, Func<Random, string> Phone, Func<Random, string, string> Street, string Winter, string Summer)
{
    public static readonly Market[] All = [Finland(), Sweden(), Korea(), UnitedStates()];

    private const string PlateLetters = "ABCDEFGHJKLMNOPRSTUXYZ";

    private static string Letters(Random random, int count, string from = PlateLetters) => new([.. Enumerable.Range(0, count).Select(_ => from[random.Next(from.Length)])]);

    private static string Digits(Random random, int count) =>
        random.NextInt64((long)Math.Pow(10, count)).ToString(CultureInfo.InvariantCulture).PadLeft(count, '0');

    private static (string, string)[] Names(string names) => [.. names.Split(' ').Select(n => n.Split('/') is [var written, var latin] ? (written, latin) : (n, Fold(n)))];

    private static string Fold(string name) => new([.. name.Normalize(System.Text.NormalizationForm.FormD)
        .Where(c => CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark && c < 128).Select(char.ToLowerInvariant)]);

    private static Market Finland() => new("FI", "northern-tires", "NT", "EUR", TimeSpan.FromHours(2), ["fi-FI", "fi-FI", "fi-FI", "sv-FI"], "640",
        Names("Aino Eino Helmi Onni Sofia Elias Eevi Leo Lilja Väinö Aada Oliver Ella Eeli Venla Noel Emma Toivo Linnea Hugo Päivi Juha Marja Timo Tuula Kari Anne Mikko Hanna Antti Johanna Jukka Tiina Ville Kaisa Matti Riikka Sami Outi Pekka"),
        Names("Korhonen Virtanen Mäkinen Nieminen Mäkelä Hämäläinen Laine Heikkinen Koskinen Järvinen Lehtonen Lehtinen Saarinen Salminen Heinonen Niemi Heikkilä Kinnunen Salonen Turunen Salo Laitinen Tuominen Rantanen Karjalainen Jokinen Mattila Savolainen Lahtinen Ahonen Öhman Åberg Nyström Lindqvist"),
        [("Helsinki", "00100"), ("Espoo", "02100"), ("Tampere", "33100"), ("Vantaa", "01300"), ("Oulu", "90100"), ("Turku", "20100"), ("Jyväskylä", "40100"), ("Kuopio", "70100"), ("Lahti", "15110"), ("Vaasa", "65100")],
        ["Koivukatu", "Mäntytie", "Rantakatu", "Asemakatu", "Koulutie", "Kirkkokatu", "Pihlajatie", "Satamakatu", "Puistotie", "Myllykatu"],
        r => $"{Letters(r, 3)}-{r.Next(2, 1000)}", r => $"+358{((string[])["40", "44", "45", "50"])[r.Next(4)]}" + Digits(r, 7),
        (r, street) => $"{street} {r.Next(1, 120)}{(r.Next(2) == 0 ? $" {(char)('A' + r.Next(6))} {r.Next(1, 60)}" : "")}", "Talvirengas", "Kesärengas");

    private static Market Sweden() => new("SE", "northern-tires", "NS", "SEK", TimeSpan.FromHours(1), ["sv-SE"], "731",
        Names("Astrid Hugo Alma Liam Selma Noah Vera Lucas Ella Oliver Maja Elias Alice Adam Wilma William Ebba Alexander Freja Oscar Anna Lars Eva Mikael Maria Anders Karin Johan Kristina Per Lena Erik Sara Nils Åsa Göran Märta Sören"),
        Names("Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Pettersson Jonsson Jansson Hansson Bengtsson Jönsson Lindberg Jakobsson Magnusson Lindström Olofsson Lindqvist Lindgren Axelsson Berg Bergström Lundberg Lind Lundgren Håkansson Sjöberg Åkesson"),
        [("Stockholm", "111 20"), ("Göteborg", "411 04"), ("Malmö", "211 20"), ("Uppsala", "753 20"), ("Västerås", "722 11"), ("Örebro", "702 10"), ("Linköping", "582 22"), ("Umeå", "903 26"), ("Luleå", "972 31"), ("Kiruna", "981 31")],
        ["Björkgatan", "Storgatan", "Skolgatan", "Kyrkogatan", "Strandvägen", "Ringvägen", "Åsgatan", "Parkgatan", "Ängsvägen", "Hamngatan"],
        r => $"{Letters(r, 3, "ABCDEFGHJKLMNOPRSTUWXYZ")} {Digits(r, 2)}{(r.Next(2) == 0 ? Digits(r, 1) : Letters(r, 1, "ABCDEFGHJKLMNPRSTUWXYZ"))}",
        r => $"+467{"0236"[r.Next(4)]}{Digits(r, 7)}", (r, street) => $"{street} {r.Next(1, 150)}", "Vinterdäck", "Sommardäck");

    private static Market Korea() => new("KR", "hanbit-auto", "HB", "KRW", TimeSpan.FromHours(9), ["ko-KR"], "880",
        Names("민준/minjun 서연/seoyeon 도윤/doyun 서윤/seoyun 예준/yejun 지우/jiwoo 시우/siwoo 하은/haeun 주원/juwon 하윤/hayun 지호/jiho 민서/minseo 준서/junseo 지유/jiyu 건우/geonwoo 윤서/yunseo 현우/hyeonwoo 채원/chaewon 우진/woojin 수아/sua 영수/yeongsu 미경/migyeong 정훈/jeonghun 은정/eunjeong 성호/seongho 지영/jiyeong"),
        Names("김/kim 이/lee 박/park 최/choi 정/jung 강/kang 조/cho 윤/yoon 장/jang 임/lim 한/han 오/oh 서/seo 신/shin 권/kwon 황/hwang 안/ahn 송/song 류/ryu 홍/hong"),
        [("서울특별시 강남구", "06236"), ("서울특별시 마포구", "04001"), ("부산광역시 해운대구", "48094"), ("대구광역시 수성구", "42087"), ("인천광역시 연수구", "21984"), ("대전광역시 유성구", "34141"), ("광주광역시 북구", "61186"), ("수원시 영통구", "16514")],
        ["테헤란로", "세종대로", "중앙로", "해운대로", "동대구로", "문화로", "한밭대로", "월드컵로"],
        r => $"{r.Next(10, 700)}{"가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주"[r.Next(32)]} {Digits(r, 4)}",
        r => $"+8210{r.Next(2, 10)}{Digits(r, 7)}", (r, street) => $"{street} {r.Next(1, 400)}", "겨울용 타이어", "여름용 타이어");

    private static Market UnitedStates() => new("US", "harbour-market", "HM", "USD", TimeSpan.FromHours(-6), ["en-US"], "008",
        Names("James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Karen Charles Sarah Daniel Lisa Matthew Nancy Anthony Betty José Sandra Mark Ashley Emily Andrew Olivia Joshua Zoë Kevin"),
        Names("Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Nuñez O'Brien"),
        [("Duluth", "55802"), ("Minneapolis", "55401"), ("Madison", "53703"), ("Milwaukee", "53202"), ("Fargo", "58102"), ("Chicago", "60601"), ("Des Moines", "50309"), ("Denver", "80202")],
        ["Main Street", "Oak Avenue", "Maple Drive", "Lakeview Road", "Washington Street", "Cedar Lane", "Park Avenue", "River Road"],
        r => $"{r.Next(1, 10)}{Letters(r, 3)}{Digits(r, 3)}", r => $"+1{r.Next(2, 10)}{Digits(r, 2)}55501{Digits(r, 2)}",
        (r, street) => $"{r.Next(10, 9999)} {street}", "Winter tire", "Summer tire");
}
