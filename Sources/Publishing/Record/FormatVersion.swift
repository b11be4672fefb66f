import Git

/// The first line of a file of ours: what it is, and by which version of its format.
///
/// A program reads every version that one before it wrote, and refuses those that come after: what it does not know it must not
/// take for nothing, or what stands on the disk would be nobody's.
struct FormatVersion {
    /// What comes before the number.
    let magic: String
    /// What this program writes.
    let newest: Int
    /// The first that was ever given away.
    let oldest: Int

    /// What a program that comes after this one wrote.
    struct Newer: Error, Equatable {
        /// What of it is not known here.
        let what: String
    }

    var line: String { "\(magic) \(newest)" }

    /// - Returns: `nil` for what is no such file.
    func read(_ reader: inout RecordReader) throws(Newer) -> Int? {
        guard let line = reader.line(), line.hasPrefix(magic + " "), let version = Int(line.dropFirst(magic.count + 1))
        else { return nil }
        guard version <= newest else { throw Newer(what: line) }
        return version < oldest ? nil : version
    }
}

extension Directory {
    /// What is in one of our files; `nil` when it is not there or not whole.
    ///
    /// - Throws: `PublishingError.newerState` for what a later program wrote, `DiskError`.
    func read<Value>(_ name: EntryName, as decode: ([UInt8]) throws -> Value?) throws -> Value? {
        guard let bytes = try read(name) else { return nil }
        do {
            return try decode(bytes)
        } catch let newer as FormatVersion.Newer {
            throw PublishingError.newerState(path: pathOf(name), what: newer.what)
        }
    }
}
