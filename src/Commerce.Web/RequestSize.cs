using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Commerce.Web;

/// <summary>
/// How long a request's body may be. The server's own limit is the larger <see cref="MostDrained"/>: beyond its limit it closes the connection
/// while the caller still sends, which resets it, and the caller hears of a broken connection instead of our answer. Between the two limits the
/// caller is answered 413 and the server throws the rest of the body away, so that the answer arrives and the connection stays good.
/// </summary>
public static class RequestSize
{
    /// <summary>Bytes of the longest body that is taken: 1 MiB.</summary>
    public const long Most = 1024 * 1024;

    /// <summary>Bytes of the longest body that the server reads, only to throw it away, in at most five seconds: 8 MiB.</summary>
    public const long MostDrained = 8 * Most;

    /// <exception cref="BadHttpRequestException">413: by its Content-Length the body is too long, or it turned out to be while it was read.</exception>
    internal static void UseRequestSize(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        var length = context.Request.ContentLength;
        if (length > Most) throw TooLong();
        if (length is null && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false)
            context.Request.Body = new CountedBody(context.Request.Body);
        return next(context);
    });

    private static BadHttpRequestException TooLong() => new("The body is too long.", StatusCodes.Status413PayloadTooLarge);

    /// <summary>A body that did not say its length (chunks).</summary>
    private sealed class CountedBody(Stream body) : Stream
    {
        private long read;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Count(await body.ReadAsync(buffer, cancellationToken));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => Count(body.Read(buffer, offset, count));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private int Count(int bytes) => (read += bytes) > Most ? throw TooLong() : bytes;
    }
}
