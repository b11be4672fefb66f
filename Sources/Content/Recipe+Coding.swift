import FoundationEssentials
import Git

extension Recipe: Codable {
    private enum Key: String, CodingKey {
        case subdirectory, include, exclude, mtime, symlinks, submodules, lfs, compression
    }

    /// Patterns that can match nothing are refused, as where they are set.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        self.init(
            subdirectory: TreePath(try fields.decode(String.self, forKey: .subdirectory)),
            selection: try PathSelection(
                include: try fields.decode([String].self, forKey: .include),
                exclude: try fields.decode([String].self, forKey: .exclude)),
            modificationTimes: try fields.decode(ModificationTimes.self, forKey: .mtime),
            symlinks: try fields.decode(SymlinkPolicy.self, forKey: .symlinks),
            submodules: try fields.decodeIfPresent(SubmodulePolicy.self, forKey: .submodules),
            lfs: try fields.decodeIfPresent(LFSPolicy.self, forKey: .lfs),
            compression: try fields.decodeIfPresent(Compression.self, forKey: .compression))
    }

    /// Settings are text: so is all that it has.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(String(decoding: subdirectory.bytes, as: UTF8.self), forKey: .subdirectory)
        try fields.encode(selection.patterns.include, forKey: .include)
        try fields.encode(selection.patterns.exclude, forKey: .exclude)
        try fields.encode(modificationTimes, forKey: .mtime)
        try fields.encode(symlinks, forKey: .symlinks)
        try fields.encodeIfPresent(submodules, forKey: .submodules)
        try fields.encodeIfPresent(lfs, forKey: .lfs)
        try fields.encodeIfPresent(compression, forKey: .compression)
    }

    /// One line of JSON, the same for the same recipe.
    public var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self))
        }
    }

    /// What `json` wrote; `nil` for anything else, also for what says more than this version knows.
    public init?(json: some Collection<UInt8>) {
        guard let recipe = try? JSONDecoder().decode(Recipe.self, from: Data(json)),
            let again = try? recipe.json, again.elementsEqual(json)
        else { return nil }
        self = recipe
    }
}
