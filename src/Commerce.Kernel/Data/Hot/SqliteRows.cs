using System.Buffers.Text;
using System.Collections;
using System.Data.Common;
using System.Text;
using SQLitePCL;

namespace Commerce.Kernel;

/// <summary>
/// The rows of a <see cref="SqliteStatement"/>, read by column number: numbers, truth, text, bytes and Guids, which is what hot statements keep.
/// One for a statement, used again and again: the driver makes a command's statements and a reader anew for each run.
/// </summary>
internal sealed class SqliteRows(sqlite3_stmt statement, Func<bool> step, Action reset) : DbDataReader
{
    private bool closed = true;

    public override int FieldCount => raw.sqlite3_column_count(statement);
    public override bool HasRows => throw Unknown();
    public override bool IsClosed => closed;
    public override int RecordsAffected => -1;
    public override int Depth => 0;
    public override object this[int ordinal] => throw Unknown();
    public override object this[string name] => throw Unknown();

    public void Open() => closed = false;

    public override bool Read() => step();

    public override bool NextResult() => false;

    public override bool IsDBNull(int ordinal) => raw.sqlite3_column_type(statement, ordinal) == raw.SQLITE_NULL;

    public override long GetInt64(int ordinal) => raw.sqlite3_column_int64(statement, Value(ordinal));

    public override int GetInt32(int ordinal) => checked((int)GetInt64(ordinal));

    public override bool GetBoolean(int ordinal) => GetInt64(ordinal) != 0;

    public override string GetString(int ordinal) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(statement, Value(ordinal)));

    public override Guid GetGuid(int ordinal) =>
        Utf8Parser.TryParse(raw.sqlite3_column_blob(statement, Value(ordinal)), out Guid id, out _) ? id : throw new InvalidCastException($"Column {ordinal} holds no Guid.");

    public override T GetFieldValue<T>(int ordinal) =>
        typeof(T) == typeof(byte[]) ? (T)(object)raw.sqlite3_column_blob(statement, Value(ordinal)).ToArray() : throw Unknown();

    public override void Close()
    {
        if (closed) return;
        closed = true;
        reset();
    }

    // As a driver does: nothing is not zero, nor an empty text.
    private int Value(int ordinal) => IsDBNull(ordinal) ? throw new InvalidCastException($"Column {ordinal} is empty.") : ordinal;

    private static NotSupportedException Unknown() => new("A hot query reads numbers, truth, text, bytes and Guids, by column number.");

    public override byte GetByte(int ordinal) => throw Unknown();
    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length) => throw Unknown();
    public override char GetChar(int ordinal) => throw Unknown();
    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length) => throw Unknown();
    public override string GetDataTypeName(int ordinal) => throw Unknown();
    public override DateTime GetDateTime(int ordinal) => throw Unknown();
    public override decimal GetDecimal(int ordinal) => throw Unknown();
    public override double GetDouble(int ordinal) => throw Unknown();
    public override IEnumerator GetEnumerator() => throw Unknown();
    public override Type GetFieldType(int ordinal) => throw Unknown();
    public override float GetFloat(int ordinal) => throw Unknown();
    public override short GetInt16(int ordinal) => throw Unknown();
    public override string GetName(int ordinal) => throw Unknown();
    public override int GetOrdinal(string name) => throw Unknown();
    public override object GetValue(int ordinal) => throw Unknown();
    public override int GetValues(object[] values) => throw Unknown();
}
