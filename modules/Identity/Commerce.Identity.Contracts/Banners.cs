using Commerce.Kernel;
using MediatR;

namespace Commerce.Identity.Contracts;

/// <summary>Adds or replaces a store brand.</summary>
public sealed record PutBanner(Banner Banner) : IRequest<Result<Banner>>;

/// <summary>A store brand by id, or null.</summary>
public sealed record BannerOf(string Id) : IRequest<Banner?>;

/// <summary>Every store brand.</summary>
public sealed record AllBanners : IRequest<IReadOnlyList<Banner>>;

/// <summary>One store brand of the retailer.</summary>
/// <param name="Id">Lower case with dashes, at most 64 characters.</param>
/// <param name="Domains">Host names of its shops.</param>
/// <param name="Languages">Two-letter language codes, preferred first.</param>
/// <param name="Sender">Mail address its messages come from, with or without a display name.</param>
public sealed record Banner(string Id, string Name, IReadOnlyList<string> Domains, IReadOnlyList<string> Languages, BannerLook Look, string Sender);

/// <param name="Accent"><c>#rrggbb</c>.</param>
/// <param name="Logo">File name of an SVG, or null.</param>
public sealed record BannerLook(string Accent, string? Logo);
