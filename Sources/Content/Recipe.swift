public import Git
import Platform

/// What is made of a commit: with the same commit, the same tree.
public struct Recipe: Hashable, Sendable {
    /// The folder of the commit that is published; the root for all of it.
    public var subdirectory: TreePath
    /// Which paths of it are.
    public var selection: PathSelection
    /// Which time files get.
    public var modificationTimes: ModificationTimes
    /// What happens to symbolic links that lead out.
    public var symlinks: SymlinkPolicy
    /// Which submodules are part of it; `nil`, as in programs that did not know them, for none.
    public var submodules: SubmodulePolicy?
    /// Whether a pointer to an object of Git LFS is published as the object; `nil`, as in programs that did not know them, for no.
    public var lfs: LFSPolicy?
    /// Which compressed files stand beside those of the commit; `nil` for none. They are no part of its name: nobody is told of
    /// them.
    public var compression: Compression?

    /// The defaults of the contract.
    public init(
        subdirectory: TreePath = .root, selection: PathSelection = .everything,
        modificationTimes: ModificationTimes = .commit, symlinks: SymlinkPolicy = .skip,
        submodules: SubmodulePolicy? = nil, lfs: LFSPolicy? = nil, compression: Compression? = nil
    ) {
        self.subdirectory = subdirectory
        self.selection = selection
        self.modificationTimes = modificationTimes
        self.symlinks = symlinks
        self.submodules = submodules
        self.lfs = lfs
        self.compression = compression
    }

    /// The same without compressed files.
    public var uncompressed: Recipe {
        var recipe = self
        recipe.compression = nil
        return recipe
    }

    /// Whether trees of the two may share files, as one may have another folder of the commit than the other.
    public func makesFiles(like other: Recipe) -> Bool {
        var other = other
        other.subdirectory = subdirectory
        other.submodules = submodules
        return self == other
    }

    /// How files are made, as records said it until version 2, and as hooks are told what they were told.
    private var files: String {
        let files = "mtime=\(modificationTimes) symlinks=\(symlinks)"
        return selection == .everything ? files : "\(files) \(selection)"
    }

    /// One line that tells it from every other one, as far as what the commit has goes.
    public var name: String {
        let name = "\(String(decoding: subdirectory.bytes, as: UTF8.self)) \(files)"
        return name + (submodules.map { " submodules=\($0.rawValue)" } ?? "")
            + (lfs.map { " lfs=\($0.rawValue)" } ?? "")
    }

    /// Whether submodules may be part of it.
    public var followsSubmodules: Bool { submodules == .sameHost || submodules == .on }

    /// Hexadecimal digits that tell which submodules are part of it, for the name of a reference.
    public var digest: String {
        let name = Array(with(lfs: nil).name.utf8).withUnsafeBytes { ObjectID(hashing: $0) }
        return String(name.description.prefix(16))
    }

    /// Whether something at a path of the commit, or below it, is part of what is made, or what is made is below that path.
    public func reaches(_ path: TreePath) -> Bool {
        func leads(_ folder: TreePath, to path: TreePath) -> Bool {
            folder == .root || folder == path || path.bytes.starts(with: folder.bytes + [UInt8(ascii: "/")])
        }
        if leads(path, to: subdirectory) { return true }
        guard leads(subdirectory, to: path) else { return false }
        let start = subdirectory == .root ? 0 : subdirectory.bytes.count + 1
        return selection.mayHold(below: TreePath(bytes: Array(path.bytes[start...])))
    }

    private func with(lfs: LFSPolicy?) -> Recipe {
        var recipe = self
        recipe.lfs = lfs
        return recipe
    }

    /// What a record of version 2 says; `nil` for what no version ever wrote.
    public init?(subdirectory: TreePath, files: String) {
        var times: ModificationTimes?
        var symlinks: SymlinkPolicy?
        var patterns: [Substring: [String]] = [:]
        for field in files.parts(at: " ") {
            let parts = field.parts(at: "=", atMost: 2)
            guard parts.count == 2 else { return nil }
            switch parts[0] {
            case "mtime": times = ModificationTimes(rawValue: String(parts[1]))
            case "symlinks": symlinks = SymlinkPolicy(rawValue: String(parts[1]))
            default: patterns[parts[0]] = parts[1].parts(at: ",").map { PathSelection.decoded($0) }
            }
        }
        guard let times, let symlinks,
            let selection = try? PathSelection(
                include: patterns["include"] ?? [], exclude: patterns["exclude"] ?? [])
        else { return nil }
        self.init(subdirectory: subdirectory, selection: selection, modificationTimes: times, symlinks: symlinks)
        guard self.files.utf8.elementsEqual(files.utf8) else { return nil }
    }
}

/// What happens to a symbolic link that leads out of the tree.
public enum SymlinkPolicy: String, Codable, Sendable, CaseIterable {
    /// It is left out, with a warning.
    case skip
    /// The commit is not published.
    case refuse
    /// No symbolic link is made at all.
    case none
}

/// Which submodules are published with the repository that names them.
public enum SubmodulePolicy: String, Codable, Sendable, CaseIterable {
    /// None: each is an empty folder.
    case off
    /// Those with the scheme, the host and the port of the repository that is followed.
    case sameHost = "same-host"
    /// All.
    case on
}

/// What is published of a file of Git LFS.
public enum LFSPolicy: String, Codable, Sendable, CaseIterable {
    /// The pointer that the repository has.
    case off
    /// The object that it names.
    case on
}
