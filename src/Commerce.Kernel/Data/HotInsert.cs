using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Kernel;

/// <summary>
/// An INSERT of every column of one mapped type for the hot store. It is made from the context's model once, so that a column which
/// somebody adds is never left out here; after that there is no reflection and no change tracking.
/// </summary>
public sealed class HotInsert<TRow> where TRow : class
{
    private readonly HotSql sql;
    private readonly Func<TRow, object?>[] columns;

    internal HotInsert(HotSql sql, Func<TRow, object?>[] columns) => (this.sql, this.columns) = (sql, columns);

    public async ValueTask AddAsync(HotWrite write, TRow row)
    {
        var values = new object?[columns.Length];
        for (var i = 0; i < values.Length; i++) values[i] = columns[i](row);
        await write.ExecuteAsync(sql, values);
    }
}

public static class HotInsert
{
    /// <summary>Reads the model. It takes a while the first time, so ask for it once and outside of a write.</summary>
    public static HotInsert<TRow> Of<TDb, TRow>(IServiceScopeFactory scopes) where TDb : ModuleDb where TRow : class
    {
        using var scope = scopes.CreateScope();
        var entity = scope.ServiceProvider.GetRequiredService<TDb>().Model.FindEntityType(typeof(TRow))
            ?? throw new InvalidOperationException($"{typeof(TRow).Name} is not mapped.");
        var table = StoreObjectIdentifier.Table(entity.GetTableName()!, entity.GetSchema());
        var properties = entity.GetProperties().ToList();
        var names = string.Join(", ", properties.Select(p => $"\"{p.GetColumnName(table)}\""));
        var values = string.Join(", ", properties.Select((_, i) => $"${i + 1}"));
        return new HotInsert<TRow>(new HotSql($"INSERT INTO {{schema}}{entity.GetTableName()} ({names}) VALUES ({values})"), [.. properties.Select(Getter<TRow>)]);
    }

    private static Func<TRow, object?> Getter<TRow>(IProperty property)
    {
        var row = Expression.Parameter(typeof(TRow));
        var read = Expression.Lambda<Func<TRow, object?>>(Expression.Convert(Expression.Property(row, property.PropertyInfo!), typeof(object)), row).Compile();
        var convert = property.GetTypeMapping().Converter?.ConvertToProvider;
        return convert is null ? read : from => read(from) is { } value ? convert(value) : null;
    }
}
