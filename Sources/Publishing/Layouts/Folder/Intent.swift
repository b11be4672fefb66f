import Git

/// What a burst will do, written down and on the disk before its first step, so that a start can finish what a crash
/// interrupted. Every step may be done twice.
struct Intent: Equatable, Sendable {
    enum Step: Equatable, Sendable {
        /// Rename the staged file of this number to the path.
        case place(Int, TreePath)
        /// Remove what was published at the path, and the folders above it that are empty then.
        case remove(TreePath)
        /// Make an empty folder.
        case makeFolder(TreePath)
    }

    /// The folder below `staging` that holds the files.
    var staging: String
    var steps: [Step]

    private static let format = FormatVersion(magic: "sidekick intent", newest: 1, oldest: 1)

    func encoded() -> [UInt8] {
        var writer = RecordWriter()
        writer.line(Self.format.line)
        writer.line(staging)
        writer.line("\(steps.count)")
        for step in steps {
            switch step {
            case .place(let number, let path):
                writer.field("place")
                writer.field("\(number)")
                writer.terminated(path.bytes)
            case .remove(let path):
                writer.field("remove")
                writer.terminated(path.bytes)
            case .makeFolder(let path):
                writer.field("folder")
                writer.terminated(path.bytes)
            }
        }
        writer.line("end")
        return writer.bytes
    }

    init(staging: String, steps: [Step]) {
        self.staging = staging
        self.steps = steps
    }

    /// `nil` for anything but a whole intent.
    ///
    /// - Throws: `FormatVersion.Newer` for what a later program wrote.
    init?(decoding bytes: [UInt8]) throws(FormatVersion.Newer) {
        var reader = RecordReader(bytes)
        guard try Self.format.read(&reader) != nil, let staging = reader.line(), let count = reader.integer(),
            count >= 0
        else { return nil }
        self.init(staging: staging, steps: [])
        for _ in 0..<count {
            guard let verb = reader.field() else { return nil }
            let number = verb == "place" ? reader.integer() : nil
            guard let path = reader.terminated().map({ TreePath(bytes: Array($0)) }) else { return nil }
            switch (verb, number) {
            case ("place", let number?): steps.append(.place(Int(number), path))
            case ("remove", nil): steps.append(.remove(path))
            case ("folder", nil): steps.append(.makeFolder(path))
            default: return nil
            }
        }
        guard reader.line() == "end" else { return nil }
    }
}

extension TreePath {
    /// Pages are shown after what they ask for. By the name alone: a page is what a browser navigates to.
    var isPage: Bool {
        let name = String(decoding: name.bytes, as: UTF8.self).lowercased()
        return [".html", ".htm", ".xhtml", ".shtml", ".xml", ".json", ".webmanifest"].contains { name.hasSuffix($0) }
            || !name.contains(".")
    }
}
