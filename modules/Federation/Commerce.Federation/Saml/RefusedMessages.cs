using Commerce.Kernel;
using Commerce.Saml;
using Commerce.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Commerce.Federation.Saml;

/// <summary>
/// Says no to a SAML message. The customer sees one and the same page whatever was wrong (it must not tell who is registered here and
/// how); the operator finds under its reference which rule refused it.
/// </summary>
internal sealed partial class RefusedMessages(RefusalWriter records, TimeProvider clock, ILogger<RefusedMessages> log)
{
    public static readonly Refusal Refused = new("federation.saml_refused", 400,
        "This sign-in request cannot be used. It may be too old or was used already. Go back to the site you came from and start again.");

    public IResult Page(HttpContext context, SamlFault fault, string? connection) => Page(context, fault.Code, fault.Detail, connection);

    /// <param name="code">The rule, from <see cref="FaultCodes"/> or a refusal's code.</param>
    /// <param name="connection">Entity id, where it is a registered one.</param>
    public IResult Page(HttpContext context, string code, string detail, string? connection)
    {
        Note(context, code, detail, connection);
        return new Page("/Saml/SamlRefused.cshtml", new SamlRefusedModel(context.TraceIdentifier)) { Status = Refused.Status };
    }

    /// <summary>The record alone, for a request that is answered with an error status.</summary>
    public void Note(HttpContext context, string code, string detail, string? connection)
    {
        LogRefusal(log, code, context.Request.Path, Plain(connection ?? "none"), context.TraceIdentifier, Plain(detail));
        if (!records.HasRoom()) return;
        var now = clock.GetUtcNow();
        records.Add(new RefusalRecord
        {
            Id = Guid.CreateVersion7(now), At = now, Reference = Cut(context.TraceIdentifier, RefusalRecord.LongestReference), Code = Cut(code, RefusalRecord.LongestCode),
            Endpoint = Cut(context.Request.Path, RefusalRecord.LongestEndpoint), Connection = connection is { Length: <= Data.Lengths.Connection } ? connection : null,
            Detail = Cut(Plain(detail), RefusalRecord.LongestDetail), Message = MessageOf(context),
        });
    }

    /// <summary>The message of this HTTP request, masked; null where it brought none that its binding can read.</summary>
    private static string? MessageOf(HttpContext context)
    {
        var received = SoapBody.Of(context) is { } soap ? soap
            : HttpMethods.IsGet(context.Request.Method) ? RedirectBinding.Read(context.Request.QueryString.Value)
            : context.Features.Get<IFormFeature>()?.Form is { } form ? PostBinding.Read(form) : (SamlResult<ReceivedMessage>?)null;
        return received is { IsSuccess: true, Value: { } message } ? MaskedMessage.Of(message) : null;
    }

    private static string Cut(string? text, int most) => text is null ? "" : text.Length <= most ? text : text[..most];

    [LoggerMessage(EventId = 3101, EventName = "SamlRefused", Level = LogLevel.Warning,
        Message = "SAML message refused by {Code} at {Endpoint}. Connection {Connection}, reference {Reference}. {Detail}")]
    private static partial void LogRefusal(ILogger log, string code, string endpoint, string connection, string reference, string detail);

    // The detail may quote an address out of the message: no line of it may pass for another entry.
    private static string Plain(string text) =>
        string.Concat(text.Take(400).Select(c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c));
}

internal sealed record SamlRefusedModel(string? Reference);
