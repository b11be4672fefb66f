import Foundation
import TestSupport

/// What calls did to a disk, by inode, as `FAULT_GRAVES` of the shim tells it: what no sync came after may be lost in a power cut, each
/// change by itself (POSIX promises no order), and can be taken back here. Inodes stay what they are.
struct DiskLog {
    /// A change that may be lost.
    enum Change: CustomStringConvertible {
        case made(Name, inode: UInt64)
        case removed(Name, inode: UInt64, isFolder: Bool, grave: String)
        /// `replaced` is what had the name before, or 0.
        case moved(from: Name, to: Name, inode: UInt64, replaced: UInt64, grave: String)
        case exchanged(Name, Name, inode: UInt64)
        /// The bytes that a file has beyond so many.
        case written(inode: UInt64, after: Int, path: String)

        var isData: Bool { if case .written = self { true } else { false } }

        var description: String {
            switch self {
            case .made(let name, _): "make \(name.path)"
            case .removed(let name, _, _, _): "remove \(name.path)"
            case .moved(let from, let to, _, _, _): "rename \(from.path) -> \(to.path)"
            case .exchanged(let one, let other, _): "exchange \(one.path), \(other.path)"
            case .written(_, _, let path): "write \(path)"
            }
        }
    }

    struct Name {
        let folder: UInt64
        let path: String
        var last: String { (path as NSString).lastPathComponent }
    }

    /// What may be lost, in the order in which it was done.
    private(set) var pending: [Change] = []
    private var last: (call: String, places: [Place])?

    private struct Place {
        let path: String
        let folder: UInt64
        let inode: UInt64
        let isFolder: Bool
        let size: Int

        init?(_ fields: ArraySlice<Substring>) {
            let fields = Array(fields)
            guard fields.count == 5, let folder = UInt64(fields[1]), let inode = UInt64(fields[2]),
                let size = Int(fields[4])
            else { return nil }
            (path, self.folder, self.inode, self.size) = (String(fields[0]), folder, inode, size)
            isFolder = fields[3] == "40000"
        }

        var name: Name { Name(folder: folder, path: path) }
    }

    init(_ text: String) throws {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            if fields[0] == "made" {
                guard let inode = UInt64(fields[1]) else { throw TestFailure("\(line)") }
                finish(making: inode)
            } else {
                let places = stride(from: 2, to: fields.count, by: 5).compactMap {
                    Place(fields[$0..<min($0 + 5, fields.count)])
                }
                begin(String(fields[1]), places, number: String(fields[0]))
            }
        }
    }

    private mutating func begin(_ call: String, _ places: [Place], number: String) {
        last = nil
        guard let one = places.first else {
            if call == "sync" { pending = [] }
            return
        }
        switch call {
        case "fsync", "fdatasync": settle(one.inode)
        case "syncfs": pending = []
        case "write", "ftruncate", "truncate": noteData(of: one.inode, after: one.size, one.path)
        case "unlink", "unlinkat", "remove", "rmdir":
            guard one.inode != 0 else { return }
            pending.append(.removed(one.name, inode: one.inode, isFolder: one.isFolder, grave: number))
        case "rename", "renameat", "renameat2":
            guard places.count == 2, one.inode != 0 else { return }
            let other = places[1]
            pending.append(
                .moved(from: one.name, to: other.name, inode: one.inode, replaced: other.inode, grave: number))
        case "renameat2-exchange":
            guard places.count == 2, one.inode != 0, places[1].inode != 0 else { return }
            pending.append(.exchanged(one.name, places[1].name, inode: one.inode))
        default: last = (call, places)
        }
    }

    private mutating func finish(making inode: UInt64) {
        guard let (call, places) = last, let place = places.last else { return }
        switch call {
        case "open", "openat", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat":
            // What was there before is opened.
            guard place.inode == 0 else {
                if call.hasPrefix("open"), place.size > 0 { noteData(of: inode, after: 0, place.path) }
                return
            }
            pending.append(.made(place.name, inode: inode))
        default: break
        }
    }

    private mutating func noteData(of inode: UInt64, after size: Int, _ path: String) {
        let isKnown = pending.contains { if case .written(inode, _, _) = $0 { true } else { false } }
        if !isKnown { pending.append(.written(inode: inode, after: size, path: path)) }
    }

    private mutating func settle(_ inode: UInt64) {
        pending.removeAll { change in
            switch change {
            case .made(let name, _), .removed(let name, _, _, _): name.folder == inode
            // A journal has both halves of it, or none.
            case .moved(let from, let to, _, _, _): from.folder == inode || to.folder == inode
            case .exchanged(let one, let other, _): one.folder == inode || other.folder == inode
            case .written(let file, _, _): file == inode
            }
        }
    }
}

/// What a disk has kept of the changes that no sync came after.
struct DiskState {
    enum Tear: Int, CaseIterable { case kept, half, empty, zeros }

    /// By their place among the pending ones.
    let lost: Set<Int>
    let tears: [Int: Tear]

    /// All that there may be, where they are few; else the ones that are known to hurt, and others by a seed.
    static func all(of pending: [DiskLog.Change], atMost count: Int, seed: UInt64) -> [DiskState] {
        let names = pending.indices.filter { !pending[$0].isData }
        let data = pending.indices.filter { pending[$0].isData }
        func tears(_ tear: Tear) -> [Int: Tear] { Dictionary(uniqueKeysWithValues: data.map { ($0, tear) }) }
        var states = [DiskState(lost: Set(names), tears: tears(.empty)), DiskState(lost: Set(names), tears: [:])]
        if !data.isEmpty { states += [Tear.empty, .zeros, .half].map { DiskState(lost: [], tears: tears($0)) } }
        let subsets = names.count < 12 ? 1 << names.count : .max
        if subsets <= count {
            for bits in 1..<max(subsets, 2) where bits < subsets {
                let lost = Set(names.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element))
                for tear in data.isEmpty ? [Tear.kept] : Tear.allCases {
                    states.append(DiskState(lost: lost, tears: tears(tear)))
                }
            }
        } else {
            for one in names {
                states.append(DiskState(lost: [one], tears: [:]))
                states.append(DiskState(lost: Set(names).subtracting([one]), tears: [:]))
            }
        }
        for one in data { for tear in [Tear.empty, .half] { states.append(DiskState(lost: [], tears: [one: tear])) } }
        var random = SeededNumbers(seed: seed)
        while states.count < min(count, 1 << min(pending.count, 16)) {
            let lost = Set(names.filter { _ in random.isOne(in: 2) })
            let tears = Dictionary(uniqueKeysWithValues: data.map { ($0, random.pick(Tear.allCases)) })
            states.append(DiskState(lost: lost, tears: tears))
        }
        return Array(states.prefix(count))
    }

    /// Takes back what it has lost, the last change first.
    func apply(to pending: [DiskLog.Change], below root: String, graves: String) throws {
        for index in pending.indices.reversed() {
            let places = try Places(below: root)
            if let tear = tears[index], case .written(let inode, let size, _) = pending[index], tear != .kept {
                if let path = places[inode] { try self.tear(path, after: size, tear) }
                continue
            }
            guard lost.contains(index) else { continue }
            switch pending[index] {
            case .made(let name, let inode):
                guard let path = places.path(of: name), Places.inode(path) == inode else { continue }
                try Self.call(rename(path, "\(graves)/made-\(index)"), path)
            case .removed(let name, _, let isFolder, let grave):
                guard let path = places.path(of: name), Places.inode(path) == nil else { continue }
                try Self.call(isFolder ? mkdir(path, 0o755) : link("\(graves)/\(grave)", path), path)
            case .moved(let from, let to, let inode, let replaced, let grave):
                guard let path = places.path(of: to), Places.inode(path) == inode else { continue }
                if let old = places.path(of: from), Places.inode(old) == nil {
                    try Self.call(rename(path, old), path)
                } else {
                    try Self.call(rename(path, "\(graves)/moved-\(index)"), path)
                }
                if replaced != 0, Places.inode("\(graves)/\(grave)") != nil {
                    try Self.call(link("\(graves)/\(grave)", path), path)
                }
            case .exchanged(let one, let other, let inode):
                guard let first = places.path(of: one), let second = places.path(of: other),
                    Places.inode(second) == inode, Places.inode(first) != nil
                else { continue }
                let aside = "\(graves)/exchanged-\(index)"
                try Self.call(rename(first, aside), first)
                try Self.call(rename(second, first), second)
                try Self.call(rename(aside, second), second)
            case .written: break
            }
        }
    }

    private func tear(_ path: String, after size: Int, _ tear: Tear) throws {
        guard let file = FileHandle(forUpdatingAtPath: path) else { return }
        defer { try? file.close() }
        let end = Int(try file.seekToEnd())
        guard end > size else { return }
        switch tear {
        case .kept: break
        case .half: try file.truncate(atOffset: UInt64(size + (end - size) / 2))
        case .empty: try file.truncate(atOffset: UInt64(size))
        case .zeros:
            try file.seek(toOffset: UInt64(size))
            try file.write(contentsOf: Data(count: end - size))
        }
    }

    private static func call(_ code: Int32, _ path: String) throws {
        guard code == 0 else { throw TestFailure("\(path): \(String(cString: strerror(errno)))") }
    }

    /// Where inodes are.
    private struct Places {
        private var paths: [UInt64: String] = [:]

        init(below root: String) throws {
            paths[Self.inode(root) ?? 0] = root
            for case let path as String in FileManager.default.enumerator(atPath: root) ?? .init() {
                if let inode = Self.inode(root + "/" + path) { paths[inode] = root + "/" + path }
            }
        }

        subscript(inode: UInt64) -> String? { paths[inode] }

        /// `nil` for a name in a folder that is not there.
        func path(of name: DiskLog.Name) -> String? { paths[name.folder].map { $0 + "/" + name.last } }

        static func inode(_ path: String) -> UInt64? {
            var status = stat()
            return lstat(path, &status) == 0 ? UInt64(status.st_ino) : nil
        }
    }
}
