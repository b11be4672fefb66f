import CLibgit2
import FoundationEssentials
import Glibc
import Platform

/// A commit's tree with the trees of its submodules where their gitlinks stand: trees as git has them, which are read, compared and
/// kept like any other.
public struct Composite: Sendable, Equatable {
    /// A commit of our own without parents that holds the tree: a reference to it keeps all of it in the store.
    public let commit: ObjectID
    /// The tree.
    public let tree: ObjectID
    /// What it is made of.
    public let parts: Parts

    /// What stands where a gitlink does.
    public struct Module: Sendable, Equatable, Codable {
        /// Of the gitlink, from the root of the commit.
        public var path: String
        /// The address, without a login.
        public var repository: String
        /// The commit that the gitlink names.
        public var commit: String
        /// Of an address of ssh that has it apart; `nil` for none.
        public var user: String?

        /// Names its parts.
        public init(path: TreePath, repository: String, commit: ObjectID, user: String? = nil) {
            (self.path, self.repository, self.commit) = (path.description, repository, commit.description)
            self.user = user
        }
    }

    /// A submodule that stays an empty folder.
    public struct LeftOut: Sendable, Equatable, Codable {
        /// Of the gitlink, from the root of the commit.
        public var path: String
        /// Why, in one sentence.
        public var reason: String

        /// Names its parts.
        public init(path: TreePath, reason: String) { (self.path, self.reason) = (path.description, reason) }
    }

    /// What it is made of, as its commit tells it.
    public struct Parts: Sendable, Equatable, Codable {
        /// In the order in which they were found.
        public var modules: [Module] = []
        /// In the order in which they were found.
        public var leftOut: [LeftOut] = []

        /// Of nothing.
        public init() {}
    }
}

/// The tree of a submodule and where it belongs.
public struct Graft: Sendable {
    /// Of the gitlink, from the root of the tree that it is put into.
    public let path: TreePath
    /// The tree that takes its place.
    public let tree: ObjectID

    /// Names its parts.
    public init(path: TreePath, tree: ObjectID) { (self.path, self.tree) = (path, tree) }
}

extension Repository {
    /// What was made of a commit, by the name of the recipe; `nil` for nothing, or when it cannot be read.
    public borrowing func composite(of commit: ObjectID, recipe: String) -> Composite? {
        target(ofOwn: StoreReference.composite(of: commit, recipe: recipe)).flatMap { try? composite($0) }
    }

    /// Everything that was made of some commits: what keeps their trees keeps these, and what they are made of.
    public borrowing func composites(of commits: Set<ObjectID>) throws(GitError) -> [ObjectID] {
        var kept: [ObjectID] = []
        for commit in commits { if let outline = outline(of: commit) { kept.append(outline.commit) } }
        for name in try referenceNames() {
            guard let commit = StoreReference.commit(ofComposite: name), commits.contains(commit),
                let target = try reference(name)?.target, let composite = try? self.composite(target)
            else { continue }
            kept.append(composite.commit)
            kept += composite.parts.modules.compactMap { ObjectID(hex: $0.commit) }
        }
        return kept
    }

    private borrowing func composite(_ id: ObjectID) throws -> Composite {
        let tree = try commit(id).tree
        let text = try withObject(id, .commit) { bytes throws(GitError) in Array(bytes) }
        let end = text.firstRange(of: "\n\n".utf8)?.upperBound ?? text.endIndex
        guard let parts = try? JSONDecoder().decode(Composite.Parts.self, from: Data(text[end...])) else {
            throw GitError.malformed("commit", "commit \(id) is no composite")
        }
        return Composite(commit: id, tree: tree, parts: parts)
    }

    /// The blob of a name in a tree; `nil` when there is none, or it is no file. No more of it than it may have is read.
    public borrowing func file(_ name: EntryName, in tree: ObjectID, atMost maxSize: Int64) throws -> [UInt8]? {
        guard let entry = try TreeRows(of: tree, in: self).find(name), case .file = entry.kind else { return nil }
        guard try size(of: entry.id) <= maxSize else {
            throw GitError.malformed("blob", "\(name) has more than \(maxSize) bytes")
        }
        return try withBlob(entry.id) { Array($0) }
    }
}

extension Store {
    /// Puts trees where gitlinks stand, and remembers what came of it. On the disk when this returns.
    ///
    /// - Parameters:
    ///   - tree: what `graft` made of the commit's.
    ///   - trees: what it made on the way.
    public func makeComposite(
        of commit: ObjectID, recipe: String, tree: ObjectID, new trees: TreeComposer, parts: Composite.Parts
    ) throws -> Composite {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let id = try admit(trees, commitOf: tree, message: Array(try encoder.encode(parts)) + [10])
        // Opened once more: what it holds by now was not there.
        try open().setReference(StoreReference.composite(of: commit, recipe: recipe), to: id)
        return Composite(commit: id, tree: tree, parts: parts)
    }

    /// Makes trees part of the store, and a commit of our own that keeps one of them. On the disk when this returns.
    func admit(_ trees: TreeComposer, commitOf tree: ObjectID, message: [UInt8]) throws -> ObjectID {
        let who = "sidekick <sidekick> 0 +0000"
        let text = Array("tree \(tree)\nauthor \(who)\ncommitter \(who)\n\n".utf8) + message
        let id = text.withUnsafeBytes { ObjectID(naming: $0, as: .commit) }
        let repository = try open()
        guard try !repository.contains(id) else { return id }
        var pack = PackWriter()
        for object in trees.objects.values { pack.add(.tree, object) }
        pack.add(.commit, text)
        try admit(pack, bringing: id)
        return id
    }

    /// Makes a pack's objects part of the store. On the disk when this returns.
    func admit(_ pack: PackWriter, bringing id: ObjectID) throws {
        let repository = try open()
        let quarantine = Quarantine(store: self)
        do {
            let indexer = try PackIndexer(in: try quarantine.begin(), completingFrom: repository)
            let bytes = pack.bytes
            try bytes.withUnsafeBytes { try indexer.append($0) }
            try indexer.commit()
            try quarantine.admit(try quarantine.pack(), bringing: id, shallow: [], whole: [])
        } catch {
            try? quarantine.remove()
            throw error
        }
    }
}

/// Makes trees in memory that have others where gitlinks stand.
public struct TreeComposer {
    /// By their ids.
    fileprivate var objects: [ObjectID: [UInt8]] = [:]

    /// Nothing yet.
    public init() {}

    /// A tree with other trees in it.
    ///
    /// - Parameter grafts: their paths lead through folders of the tree to gitlinks.
    /// - Returns: its id.
    public mutating func graft(
        _ grafts: [Graft], into tree: ObjectID, of repository: borrowing Repository
    ) throws -> ObjectID {
        guard !grafts.isEmpty else { return tree }
        let below = Dictionary(grouping: grafts) { $0.path.components[0] }
        var entries = try repository.entries(of: tree)
        for (index, entry) in entries.enumerated() {
            guard let here = below[entry.name] else { continue }
            let inner = here.filter { $0.path != TreePath(bytes: entry.name.bytes) }.map { graft in
                Graft(
                    path: TreePath(bytes: Array(graft.path.bytes.dropFirst(entry.name.bytes.count + 1))),
                    tree: graft.tree)
            }
            let id: ObjectID
            switch entry.kind {
            case .submodule where inner.isEmpty: id = here[0].tree
            case .folder where inner.count == here.count: id = try graft(inner, into: entry.id, of: repository)
            default: continue
            }
            entries[index] = TreeEntry(name: entry.name, kind: .folder, id: id)
        }
        return add(entries)
    }

    private mutating func add(_ entries: [TreeEntry]) -> ObjectID {
        let bytes = Self.encoded(entries)
        let id = bytes.withUnsafeBytes { ObjectID(naming: $0, as: .tree) }
        objects[id] = bytes
        return id
    }

    /// A tree with nothing but the way to a folder, that folder, and what matters to it at the root.
    mutating func outline(
        of tree: ObjectID, along way: ArraySlice<EntryName>, isRoot: Bool = true, of repository: borrowing Repository
    ) throws -> ObjectID {
        guard let name = way.first else { return tree }
        let rows = try TreeRows(of: tree, in: repository)
        var entries: [TreeEntry] = []
        if let entry = rows.find(name) {
            let isFolder = entry.kind == .folder
            let id =
                isFolder
                ? try outline(of: entry.id, along: way.dropFirst(), isRoot: false, of: repository) : entry.id
            entries.append(TreeEntry(name: name, kind: entry.kind, id: id))
        }
        for file in Outline.rootFiles where isRoot && file != name {
            if let entry = rows.find(file), case .file = entry.kind { entries.append(entry) }
        }
        return add(entries)
    }

    /// In git's order: a folder sorts as if its name ended in a slash.
    private static func encoded(_ entries: [TreeEntry]) -> [UInt8] {
        func key(_ entry: TreeEntry) -> [UInt8] { entry.name.bytes + (entry.kind == .folder ? [0x2f] : []) }
        let sorted = entries.map { (key($0), $0) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
        var bytes: [UInt8] = []
        for entry in sorted {
            let mode =
                switch entry.kind {
                case .folder: "40000"
                case .link: "120000"
                case .submodule: "160000"
                case .file(let executable): executable ? "100755" : "100644"
                }
            bytes += Array("\(mode) ".utf8) + entry.name.bytes + [0]
            entry.id.withBytes { bytes += $0 }
        }
        return bytes
    }
}
