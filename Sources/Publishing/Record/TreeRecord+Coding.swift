import Content
import Git

/// The record's file: lines of text, the names of the segments that it shares with others, then its newest rows, as a segment
/// has them, and a word at the end that tells a whole file from a torn one.
///
/// Version 3 has the recipe as JSON where version 2 had the subdirectory and a text of its own. Whoever adds a kind of row, or a
/// field to the recipe, changes `newestKind` or what the recipe says: a program that does not know it refuses the record.
extension TreeRecord {
    private static let format = FormatVersion(magic: "sidekick record", newest: 3, oldest: 2)
    /// The highest number of a kind of row that this version knows.
    private static let newestKind = 8

    /// Only the first segment may be without a file.
    func encoded() throws -> [UInt8] {
        var writer = RecordWriter()
        writer.line(Self.format.line)
        writer.line(layout.rawValue)
        writer.line(commit.description)
        writer.line(tree.description)
        writer.line(String(decoding: try recipe.json, as: UTF8.self))
        writer.line("\(recipe.newestKind)")
        writer.line("\(root) \(published) \(removedFloor)")
        writer.line("\(count.entries) \(count.files) \(count.bytes) \(count.links)")
        if recipe.lfs == .on { writer.line("\(count.objects) \(count.objectBytes)") }
        if recipe.compression != nil { writer.line("\(count.compressed) \(count.compressedBytes)") }
        let shared = rows.segments.compactMap(\.name)
        writer.line("\(shared.count)")
        for name in shared { writer.line(name) }
        let own = rows.segments.first.flatMap { $0.name == nil ? $0.encoded : nil }
        writer.line("\(own?.count ?? 0)")
        if let own { writer.raw(own) }
        writer.line("end")
        return writer.bytes
    }

    /// `nil` for anything but a whole record.
    ///
    /// - Parameter segment: opens one by its name.
    /// - Throws: `FormatVersion.Newer` for what a later program wrote, what `segment` throws.
    init?(decoding bytes: [UInt8], segment: (String) throws -> RecordSegment?) throws {
        var reader = RecordReader(bytes)
        guard let version = try Self.format.read(&reader),
            let layout = reader.line().flatMap({ LayoutKind(rawValue: $0) }),
            let commit = reader.line().flatMap({ ObjectID(hex: $0) }),
            let tree = reader.line().flatMap({ ObjectID(hex: $0) }),
            let recipe = try version == 2 ? reader.recipeOfVersion2() : reader.recipe(),
            try version == 2 || reader.kindsAreKnown(upTo: Self.newestKind), let root = reader.integer(),
            let published = reader.integer(), let floor = reader.integer(),
            let count = Count(&reader, of: recipe),
            let rows = try RecordRows(&reader, segment: segment), reader.line() == "end"
        else { return nil }
        self.init(
            layout: layout, revision: Revision(commit: commit, recipe: recipe), tree: tree,
            root: UInt64(bitPattern: root), published: published, removedFloor: floor, count: count, rows: rows)
    }
}

extension Recipe {
    /// The highest number of a kind of row that a record of it has: 5 of git, 7 of Git LFS, 8 of compressed files.
    fileprivate var newestKind: Int { compression != nil ? 8 : lfs == .on ? 7 : 5 }
}

extension RecordReader {
    fileprivate mutating func recipeOfVersion2() -> Recipe? {
        guard let subdirectory = terminated(), let files = terminated() else { return nil }
        return Recipe(
            subdirectory: TreePath(bytes: Array(subdirectory)), files: String(decoding: files, as: UTF8.self))
    }

    fileprivate mutating func recipe() throws(FormatVersion.Newer) -> Recipe? {
        guard let line = line() else { return nil }
        guard let recipe = Recipe(json: Array(line.utf8)) else {
            // Torn is what does not end as it begins.
            guard line.hasPrefix("{"), line.hasSuffix("}") else { return nil }
            throw FormatVersion.Newer(what: "a recipe with more in it")
        }
        return recipe
    }

    fileprivate mutating func kindsAreKnown(upTo newest: Int) throws(FormatVersion.Newer) -> Bool {
        guard let kind = integer() else { return false }
        guard kind <= newest else { throw FormatVersion.Newer(what: "rows of kind \(kind)") }
        return true
    }
}

extension TreeRecord.Count {
    fileprivate init?(_ reader: inout RecordReader, of recipe: Recipe) {
        guard let entries = reader.integer(), let files = reader.integer(), let size = reader.integer(),
            let links = reader.integer()
        else { return nil }
        self.init(entries: Int(entries), files: Int(files), bytes: size, links: Int(links))
        if recipe.lfs == .on {
            guard let objects = reader.integer(), let objectBytes = reader.integer() else { return nil }
            (self.objects, self.objectBytes) = (Int(objects), objectBytes)
        }
        if recipe.compression != nil {
            guard let compressed = reader.integer(), let bytes = reader.integer() else { return nil }
            (self.compressed, compressedBytes) = (Int(compressed), bytes)
        }
    }
}

extension RecordRows {
    fileprivate init?(_ reader: inout RecordReader, segment: (String) throws -> RecordSegment?) rethrows {
        guard var left = reader.integer() else { return nil }
        var segments: [RecordSegment] = []
        // Not counted in memory before it is read: a count can be anything.
        while left > 0 {
            guard let name = reader.line(), let opened = try segment(name) else { return nil }
            segments.append(opened)
            left -= 1
        }
        guard left == 0, let length = reader.integer(), length >= 0, let own = reader.raw(Int(length)) else {
            return nil
        }
        if length > 0 {
            guard let newest = RecordSegment(copying: own) else { return nil }
            segments.insert(newest, at: 0)
        }
        self.init(segments: segments)
    }
}
