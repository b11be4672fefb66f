import FoundationEssentials
import Glibc
import Platform

/// Small objects of the packs of one folder, read without libgit2: an entry is read by one system call and inflated at once, and its
/// name is proven by the processor's own instructions. Whatever it cannot read is left to libgit2, which says what is wrong with it.
/// For one thread.
final class PackedObjects {
    /// Objects with more bytes are libgit2's: so what is held here at a time is a few of these.
    private static let maxSize = 1 << 20
    /// Of trees: a folder of a million files.
    private static let maxTreeSize = 64 << 20
    /// git makes chains of 50.
    private static let maxChain = 1_000
    /// Bytes of objects that others are the difference from.
    private static let maxKept = 8 << 20

    private let folder: String
    private var packs: [Pack] = []
    private var names: Set<String> = []
    /// When the folder of packs had changed when it was read.
    private var changed: timespec?
    private let inflater = Inflater()
    private var kept: [Place: StoredObject] = [:]
    private var keptBytes = 0

    /// The file is opened when something is read from it: of fifty packs an update asks two.
    private final class Pack {
        let table: PackTable
        private let path: String
        private var opened: PackWindow?

        init?(_ path: String) {
            // An index alone has nothing.
            guard access(path + ".pack", R_OK) == 0, let table = PackTable(path + ".idx") else { return nil }
            (self.table, self.path) = (table, path + ".pack")
        }

        func window() -> PackWindow? {
            if opened == nil { opened = PackFile(path).map { PackWindow(of: $0) } }
            return opened
        }
    }

    private struct Place: Hashable {
        let pack: Int
        let offset: UInt64
    }

    /// Where an entry's compressed bytes are, and what comes of them.
    private struct Entry {
        let head: PackEntryHead
        let place: Place
        /// Where the compressed bytes begin.
        let start: UInt64
        /// Where its base begins, for a difference.
        let base: UInt64?
    }

    /// - Parameter folder: of objects, with a folder `pack` in it.
    init(of folder: String) { self.folder = folder }

    /// Whether a pack lists it. `false` may be because of a pack that came since.
    func contains(_ id: ObjectID) -> Bool { place(of: id) != nil }

    /// What an object is, and how many bytes it has. Only the bytes of a small difference are read.
    func header(of id: ObjectID) -> (kind: ObjectKind, size: Int)? {
        guard let place = place(of: id), let first = entry(at: place), first.head.size <= UInt64(Int.max) else {
            return nil
        }
        guard let base = first.base else {
            return ObjectKind(number: first.head.kind).map { ($0, Int(first.head.size)) }
        }
        guard first.head.size <= Self.maxSize,
            let size = (try? inflated(first)).flatMap({ PackDelta($0.contents)?.resultSize })
        else { return nil }
        var offset = base
        for _ in 0..<Self.maxChain {
            guard let entry = entry(at: Place(pack: place.pack, offset: offset)) else { return nil }
            guard let next = entry.base else { return ObjectKind(number: entry.head.kind).map { ($0, size) } }
            offset = next
        }
        return nil
    }

    /// An object whose bytes have its name; `nil` for what libgit2 must look at.
    func read(_ id: ObjectID, _ kind: ObjectKind) -> StoredObject? {
        let most = kind == .tree ? min(Self.maxTreeSize, ObjectLimits.current.tree) : Self.maxSize
        guard let place = place(of: id), let object = try? object(at: place, atMost: most), object.kind == kind,
            ObjectID(naming: object.bytes, as: kind) == id
        else { return nil }
        return object
    }

    /// The same of an object of any kind.
    func object(_ id: ObjectID) -> StoredObject? { header(of: id).flatMap { read(id, $0.kind) } }

    private func place(of id: ObjectID) -> Place? { find(id) ?? (open() ? find(id) : nil) }

    private func find(_ id: ObjectID) -> Place? {
        for index in packs.indices {
            if let offset = packs[index].table.offset(of: id) { return Place(pack: index, offset: offset) }
        }
        return nil
    }

    /// - Returns: whether there are packs that were not seen before.
    private func open() -> Bool {
        let before = packs.count
        // Nobody adds a pack without a change of its folder.
        var status = stat()
        guard stat(folder + "/pack", &status) == 0 else { return false }
        let time = status.st_mtim
        guard changed.map({ $0.tv_sec != time.tv_sec || $0.tv_nsec != time.tv_nsec }) ?? true else { return false }
        changed = time
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/pack")) ?? []
        for name in all where name.hasSuffix(".idx") && names.insert(name).inserted {
            if let pack = Pack("\(folder)/pack/\(name.dropLast(4))") { packs.append(pack) }
        }
        return packs.count > before
    }

    /// From the object that is whole to the one that is asked for.
    private func object(at place: Place, atMost most: Int) throws -> StoredObject? {
        var chain: [Entry] = []
        var next = place
        while true {
            if let base = kept[next] { return try apply(chain, to: base, atMost: most) }
            guard chain.count < Self.maxChain, let entry = entry(at: next), entry.head.size <= most else {
                return nil
            }
            guard let base = entry.base else {
                guard let kind = ObjectKind(number: entry.head.kind) else { return nil }
                let whole = StoredObject(kind, try inflated(entry))
                return chain.isEmpty ? whole : try apply(chain, to: keep(whole, at: next), atMost: most)
            }
            chain.append(entry)
            next = Place(pack: place.pack, offset: base)
        }
    }

    private func apply(_ chain: [Entry], to base: StoredObject, atMost most: Int) throws -> StoredObject? {
        var object = base
        for (index, entry) in chain.enumerated().reversed() {
            let bytes = try inflated(entry)
            guard let delta = PackDelta(bytes.contents), delta.resultSize <= most else { return nil }
            let result = try ObjectBuffer(size: delta.resultSize)
            guard delta.apply(to: object.bytes, into: result.bytes) else { return nil }
            object = StoredObject(base.kind, result)
            if index > 0 { _ = keep(object, at: entry.place) }
        }
        return object
    }

    private func keep(_ object: StoredObject, at place: Place) -> StoredObject {
        if keptBytes + object.bytes.count > Self.maxKept { (kept, keptBytes) = ([:], 0) }
        kept[place] = object
        keptBytes += object.bytes.count
        return object
    }

    private func entry(at place: Place) -> Entry? {
        let pack = packs[place.pack]
        guard let bytes = try? pack.window()?.bytes(at: place.offset, atMost: PackEntryHead.longest),
            let head = PackEntryHead(bytes), head.size <= UInt64(Int.max), let base = head.base(in: bytes)
        else { return nil }
        let offset: UInt64?
        switch base {
        case .none: offset = nil
        case .distance(let distance, _):
            guard distance <= place.offset else { return nil }
            offset = place.offset - distance
        case .name(let id, _):
            guard let found = pack.table.offset(of: id) else { return nil }
            offset = found
        }
        return Entry(head: head, place: place, start: place.offset + UInt64(head.length + base.length), base: offset)
    }

    private func inflated(_ entry: Entry) throws -> ObjectBuffer {
        guard let window = packs[entry.place.pack].window() else { throw GitError.missing("a pack is gone") }
        let output = try ObjectBuffer(size: Int(entry.head.size))
        let input = try window.bytes(at: entry.start, atMost: Inflater.mostBytes(ofSize: output.bytes.count))
        guard inflater.inflate(input, into: output.bytes) != nil else {
            throw GitError(call: "git_odb_read", code: -1, message: "\(window.file.path) cannot be inflated")
        }
        return output
    }
}

/// A piece of a pack in memory: what is read one after the other mostly stands so in the pack, trees and then files.
private final class PackWindow {
    let file: PackFile
    private var memory: UnsafeMutableRawBufferPointer
    private var (start, count) = (UInt64(0), 0)

    /// Little enough to be read for a single object.
    private static let size = 1 << 13

    init(of file: PackFile) {
        self.file = file
        memory = .allocate(byteCount: Self.size, alignment: 16)
    }

    deinit { memory.deallocate() }

    /// - Returns: fewer where the pack ends; good until the next call.
    func bytes(at offset: UInt64, atMost wanted: Int) throws(GitError) -> UnsafeRawBufferPointer {
        if offset < start || offset + UInt64(wanted) > start + UInt64(count) {
            if memory.count < wanted {
                memory.deallocate()
                memory = .allocate(byteCount: 2 * wanted, alignment: 16)
            }
            let size = max(wanted, Self.size)
            (start, count) = (offset, 0)
            count = try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: memory[..<size]))
        }
        let from = Int(offset - start)
        return UnsafeRawBufferPointer(rebasing: memory[from..<min(from + wanted, count)])
    }
}
