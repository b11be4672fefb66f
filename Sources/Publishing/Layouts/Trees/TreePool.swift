import Git
import Glibc

/// The complete trees of a DESTINATION: the one that is live, the one that was live before, and the spares that trail them.
///
/// State is in names and inodes: `trees/<name>` is a tree and `records/<name>` what is in it, `dirty/<name>` which paths of
/// it are in doubt because an update was interrupted, and the record's own time when it ceased to be live.
struct TreePool {
    let destination: Destination
    private let shelf: RecordShelf

    init(_ destination: Destination) {
        self.destination = destination
        shelf = RecordShelf(home: destination.volumeFolder)
    }

    /// A tree that is not live, and what is known of it.
    struct Tree {
        let name: String
        let record: TreeRecord
        /// When it ceased to be live, in seconds since 1970; 0 for one that never was.
        let ended: Double
        /// Paths of it that may be anything.
        let dirty: [TreePath]
    }

    private func path(_ folder: String) -> String { destination.volumeFolder + "/" + folder }

    /// The folder of all trees.
    var trees: Directory { get throws { try Directory(making: path("trees")) } }
    private var records: Directory { get throws { try Directory(making: path("records")) } }
    private var dirty: Directory { get throws { try Directory(making: path("dirty"), mode: 0o700) } }

    /// The names of trees, and of records.
    func names(in folder: String = "trees") throws -> [String] {
        guard try FileStatus.of(path(folder)) != nil else { return [] }
        return try Directory(opening: path(folder)).names().map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    func record(of tree: String) throws -> TreeRecord? {
        guard try FileStatus.of(path("records")) != nil else { return nil }
        return try shelf.read(EntryName(tree), in: Directory(opening: path("records")))
    }

    @discardableResult
    func write(_ record: TreeRecord, of tree: String) throws -> TreeRecord {
        try shelf.write(record, as: EntryName(tree), in: records)
    }

    /// Gives a folder of the pool the name of a tree. The record is there before: one without a tree is nothing, a tree without its record
    /// would be foreign.
    func add(
        _ folder: EntryName, as tree: String, _ record: TreeRecord, neverLive: Bool = false
    ) throws -> TreeRecord {
        let record = try write(record, of: tree)
        if neverLive { stamp(tree, neverLive: true) }
        do {
            try trees.rename(folder, to: trees, as: EntryName(tree))
        } catch {
            try? removeRecord(of: tree)
            throw error
        }
        try trees.sync()
        return record
    }

    func removeRecord(of tree: String) throws {
        try records.remove(EntryName(tree))
        try dirty.remove(EntryName(tree))
    }

    /// Removes every other record that has the inode of a tree. What an error interrupted leaves one behind, and inodes are given
    /// again; where DESTINATION is a tree itself, its inode is all that tells its record.
    func forgetOthers(withInodeOf tree: String) throws {
        let inode = try trees.status(EntryName(tree))?.inode
        for name in try names(in: "records") where name != tree {
            if try record(of: name)?.root == inode { try removeRecord(of: name) }
        }
    }

    /// Every tree that has a record, but for the live one.
    func spares(besides live: String?) throws -> [Tree] {
        try names().filter { $0 != live && !$0.hasPrefix(".") }.compactMap { name in
            guard let record = try record(of: name), try trees.status(EntryName(name))?.kind == .folder else {
                return nil
            }
            let ended = try records.status(EntryName(name))?.mtime ?? 0
            return Tree(name: name, record: record, ended: Double(ended) / 1e9, dirty: try dirtyPaths(of: name))
        }
    }

    /// A name that neither a tree nor a record has.
    func freeName(for commit: ObjectID) throws -> String {
        let taken = try Set(names() + names(in: "records"))
        var name = commit.description
        var attempt = 1
        while taken.contains(name) {
            attempt += 1
            name = "\(commit)-\(attempt)"
        }
        return name
    }

    /// Says when a tree ceased to be live: now, or never when it never was.
    func stamp(_ tree: String, neverLive: Bool = false) {
        let path = path("records") + "/" + tree
        let epoch = [timespec(tv_sec: 0, tv_nsec: 0), timespec(tv_sec: 0, tv_nsec: 0)]
        // Without the stamp the tree is left alone a little longer or shorter: no reason to fail a publish that is visible.
        _ = neverLive ? utimensat(AT_FDCWD, path, epoch, 0) : utimensat(AT_FDCWD, path, nil, 0)
    }

    /// What is not shown yet is for nobody but us: the gate may refuse it.
    func close(_ tree: String) throws { try setMode(0o700, of: tree) }

    /// Lets the web server in, before it is shown: on the disk when this returns.
    func open(_ tree: String) throws { try setMode(0o755, of: tree) }

    private func setMode(_ mode: mode_t, of tree: String) throws {
        guard let folder = try trees.folder(EntryName(tree)), try folder.status.permissions != UInt32(mode) else {
            return
        }
        guard fchmod(folder.descriptor, mode) == 0 else { throw DiskError("set the mode of", folder.path) }
        if mode != 0o700 { try folder.sync() }
    }

    // MARK: dirty paths

    /// The paths that an interrupted update may have touched.
    func dirtyPaths(of tree: String) throws -> [TreePath] {
        guard try FileStatus.of(path("dirty")) != nil,
            let bytes = try Directory(opening: path("dirty")).read(EntryName(tree))
        else { return [] }
        return bytes.split(separator: 0).map { TreePath(bytes: Array($0)) }
    }

    /// Says which paths are about to be touched, and is on the disk before the first of them is.
    func noteDirty(_ paths: some Sequence<TreePath>, of tree: String) throws {
        var writer = RecordWriter()
        for path in paths { writer.terminated(path.bytes) }
        try dirty.replace(EntryName(tree), with: writer.bytes, mode: 0o600)
    }

    func clearDirty(of tree: String) throws { try dirty.remove(EntryName(tree)) }

    // MARK: next

    /// Where what a switch shows waits for it, and what it replaced is afterwards.
    static func next(_ tree: String) -> EntryName { EntryName(".next-\(tree)") }
    static func isNext(_ name: String) -> Bool { name.hasPrefix(".next-") }

    /// Removes the links that switches left behind, when nobody can be on the way through them any more.
    ///
    /// - Returns: the seconds until there is another one to remove; `nil` for never.
    func removeLinks(olderThan grace: Double, now: Double) throws -> Double? {
        var wait: Double?
        for name in try names() where Self.isNext(name) {
            guard let status = try trees.status(EntryName(name)), status.kind == .link else { continue }
            let age = now - Double(status.mtime) / 1e9
            if age >= grace || age < 0 {
                try trees.remove(EntryName(name))
            } else {
                wait = min(wait ?? grace, grace - age)
            }
        }
        return wait
    }

    // MARK: removal

    /// Removes a tree; files in it that are not ours are kept. It leaves the pool at once, in one rename; what `isStopped`
    /// interrupts goes on at the next call for the same name.
    ///
    /// - Returns: whether all of it is gone.
    func retire(_ tree: String, keeping lostAndFound: LostAndFound, isStopped: () -> Bool) throws -> Bool {
        let (trees, old) = (try trees, EntryName(".old-\(tree)"))
        if try trees.status(EntryName(tree)) != nil { try trees.rename(EntryName(tree), to: trees, as: old) }
        let dirty = Set(try dirtyPaths(of: tree))
        let done = try trees.retire(
            old, record: try record(of: tree), dirty: dirty, keeping: lostAndFound, isStopped: isStopped)
        if done { try removeRecord(of: tree) }
        return done
    }

    /// Removes what a process that was killed had not finished, and records whose tree is not there.
    ///
    /// - Parameter live: the name of the tree that is DESTINATION itself.
    /// - Returns: how many trees had not been finished.
    func sweep(live: String?) throws -> Int {
        guard try FileStatus.of(path("trees")) != nil else { return 0 }
        let trees = try trees
        let unfinished = try names().filter { $0.hasPrefix(".new-") && EntryName($0) != SpareCopy.temporary }
        for name in unfinished { try trees.removeTree(EntryName(name)) }
        // For switches that did not happen.
        for name in try names() where !Self.isNext(name) {
            if try trees.status(EntryName(name))?.kind == .link { try trees.remove(EntryName(name)) }
        }
        let standing = Set(try names().map { $0.hasPrefix(".old-") ? String($0.dropFirst(5)) : $0 } + [live ?? ""])
        if try destination.kind(in: self).isLost {
            try noteFloor(of: names(in: "records").filter { !standing.contains($0) })
        }
        for folder in ["records", "dirty"] {
            for name in try names(in: folder) where !standing.contains(name) {
                try Directory(opening: path(folder)).remove(EntryName(name))
            }
        }
        if let previous = try previous(), !standing.contains(previous.tree) { try removePrevious() }
        removeUnfinishedPrevious()
        try sweepSegments()
        return unfinished.count
    }

    // MARK: times

    private static let floor = EntryName("floor")

    /// Removes the records of trees that are not there, when nothing is visible: somebody has removed them.
    ///
    /// - Returns: whether that has ever been so.
    func forgetLost() throws -> Bool {
        guard try FileStatus.of(path("records")) != nil else { return false }
        let standing = Set(try names().map { $0.hasPrefix(".old-") ? String($0.dropFirst(5)) : $0 })
        let lost = try names(in: "records").filter { !standing.contains($0) }
        try noteFloor(of: lost)
        for name in lost { try removeRecord(of: name) }
        return try floor() > 0
    }

    /// Before records of trees go that were visible and that somebody has removed: their times have been seen.
    private func noteFloor(of records: [String]) throws {
        guard let youngest = try records.compactMap({ try record(of: $0)?.youngestTime }).max() else { return }
        var writer = RecordWriter()
        writer.line("\(max(youngest, try floor()))")
        try Directory(opening: destination.volumeFolder).replace(Self.floor, with: writer.bytes, mode: 0o600)
    }

    /// The youngest time, in seconds since 1970, of a file whose record is gone.
    private func floor() throws -> Int64 {
        guard try FileStatus.of(destination.volumeFolder) != nil,
            let bytes = try Directory(opening: destination.volumeFolder).read(Self.floor)
        else { return 0 }
        var reader = RecordReader(bytes)
        return reader.integer() ?? 0
    }

    /// The youngest time of any file that was ever visible: when what was is gone, its times are not, and no path may show other
    /// bytes under one that it had.
    func youngestTime() throws -> Int64 {
        let records = try names(in: "records").compactMap { try record(of: $0) } + [destination.folderRecord()]
        return try max(records.compactMap { $0?.youngestTime }.max() ?? 0, floor())
    }

    /// Removes the segments that no record shares any more.
    ///
    /// Nothing is removed while there is a record that cannot be read: what it names is not known.
    func sweepSegments() throws {
        let home = try Directory(opening: destination.volumeFolder)
        let records = try names(in: "records").map { try record(of: $0) }
        let others = try [FolderLayout.recordName, FolderLayout.nextRecordName].filter { try home.status($0) != nil }
        let all = try records + others.map { try shelf.read($0, in: home) }
        guard all.allSatisfy({ $0 != nil }) else { return }
        try shelf.sweep(keeping: all.compactMap { $0 })
    }
}
