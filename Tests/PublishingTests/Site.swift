import Content
import Foundation
import Git
import TestSupport

@testable import Publishing

/// A repository, a DESTINATION, and the publisher between them.
final class Site: @unchecked Sendable {
    let source: GitRepository
    let folder: TemporaryFolder
    var options: PublishingOptions
    private var current: Publisher?

    /// - Parameter base: where DESTINATION is; for tests of many publishes, for which a disk is slow.
    init(
        _ layout: LayoutKind?, date: String? = nil, options: PublishingOptions = PublishingOptions(), grace: Double = 0,
        in base: String? = nil
    ) throws {
        source = try GitRepository(date: date)
        folder = try TemporaryFolder(in: base)
        self.options = options
        self.options.layout = layout
        self.options.grace = .seconds(grace)
        self.options.keepPrevious = .zero
    }

    /// Memory, where it can be written as a disk.
    static let memory: String? = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil

    /// DESTINATION.
    var www: String { folder("www") }
    /// Its state folder.
    var state: String { folder(".sidekick/www") }

    /// Starts anew, as after a restart of the process.
    @discardableResult
    func open() throws -> [Notice] {
        current = nil
        let (publisher, notices) = try Publisher.open(Destination(www, state: nil), options: options)
        current = publisher
        return notices
    }

    /// Ends the publisher and its lock.
    func close() { current = nil }

    /// The publisher, opened when it is not.
    var publisher: Publisher {
        get throws {
            if current == nil { try open() }
            return current!
        }
    }

    func stage(_ commit: String, from path: String? = nil) throws -> StagedTree {
        let contents = try publisher.destination.contents(of: try Repository(opening: path ?? source.path))
        return try publisher.materialize(contents.repository.commit(try id(commit)), from: contents)
    }

    @discardableResult
    func publish(_ commit: String, from path: String? = nil) throws -> [Notice] {
        let staged = try stage(commit, from: path)
        return try publisher.publish(staged)
    }

    /// Commits, and publishes from the store what it has then: what is done between passes reads it.
    ///
    /// - Returns: the commit, and what a person should know.
    func publishFromStore(_ files: [String: String?]) throws -> (commit: String, notices: [Notice]) {
        let commit = try commit(files)
        let source = try Repository(opening: source.path)
        let store = try publisher.destination.store.openToFill()
        try store.copy(id(commit), depth: 1, from: source) { _ in }
        let staged = try publisher.materialize(
            store.commit(id(commit)), from: publisher.destination.contents(of: store))
        return (commit, try publisher.publish(staged))
    }

    /// Commits and publishes.
    @discardableResult
    func publish(_ files: [String: String?], links: [String: String] = [:]) throws -> [Notice] {
        try publish(commit(files, links: links))
    }

    /// Commits files (`nil` removes one) and links.
    func commit(_ files: [String: String?], links: [String: String] = [:]) throws -> String {
        for (name, target) in links {
            let path = source.folder(name)
            unlink(path)
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            guard symlink(target, path) == 0 else { throw TestFailure("symlink \(name): \(errno)") }
        }
        return try source.commit(files)
    }

    /// What a daemon does between two passes.
    @discardableResult
    func tidy(makingSpares: Bool = true) throws -> (next: Duration?, notices: [Notice]) {
        try publisher.tidy(makingSpares: makingSpares) { false }
    }

    /// The names in a folder of the state.
    func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: state + "/" + folder)) ?? []).sorted()
    }

    func shows(_ commit: String) throws -> Bool { try publisher.shows(id(commit)) }

    /// What differs from the commit, DESTINATION's own link followed.
    func differences(_ commit: String) throws -> [String] {
        guard let resolved = realpath(www, nil) else { return ["nothing published"] }
        defer { free(resolved) }
        return try TestSupport.differences(String(cString: resolved), from: source.path, commit)
    }

    /// What a published path is, a link at its end not followed.
    func status(_ name: String) throws -> FileStatus? { try folder.status("www/" + name) }

    func read(_ name: String) throws -> String { try folder.read("www/" + name) }

    /// The time of a published file, in seconds.
    func mtime(_ name: String) throws -> Int64 {
        guard let status = try status(name) else { throw TestFailure("\(name) is not there") }
        return status.mtime / 1_000_000_000
    }

    /// The files in lost+found with their texts, links as `-> target`, whatever visit they are of.
    func lost() throws -> [String: String] {
        let place = state + "/lost+found"
        var found: [String: String] = [:]
        for visit in (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [] {
            for case let name as String in FileManager.default.enumerator(atPath: place + "/" + visit) ?? .init() {
                let path = place + "/" + visit + "/" + name
                switch try FileStatus.of(path)?.kind {
                case .file:
                    found[name] = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
                case .link: found[name] = "-> " + (try FileManager.default.destinationOfSymbolicLink(atPath: path))
                default: break
                }
            }
        }
        return found
    }

    /// Every regular file below the folder that holds DESTINATION and state.
    func filesOnDisk() throws -> [String] {
        try folder.snapshot().keys.filter { try folder.status($0)?.kind == .file }.sorted()
    }
}

func id(_ hex: String) throws -> ObjectID {
    guard let id = ObjectID(hex: hex) else { throw TestFailure("not an id: \(hex)") }
    return id
}

extension TemporaryFolder {
    func status(_ name: String) throws -> FileStatus? { try FileStatus.of(self(name)) }
}

extension GitRepository {
    typealias Row = (mode: String, name: String, id: String)

    /// A tree of rows whose names are any bytes, in git's order.
    func tree(raw rows: [(mode: String, name: [UInt8], id: String)]) throws -> String {
        func key(_ row: (mode: String, name: [UInt8], id: String)) -> [UInt8] {
            row.name + (row.mode == "40000" ? [UInt8(ascii: "/")] : [])
        }
        var tree = Data()
        for row in rows.sorted(by: { key($0).lexicographicallyPrecedes(key($1)) }) {
            tree += Data("\(row.mode) ".utf8) + Data(row.name) + Data([0])
            var hex = Substring(row.id)
            while let byte = UInt8(hex.prefix(2), radix: 16), !hex.isEmpty {
                tree.append(byte)
                hex = hex.dropFirst(2)
            }
        }
        return try git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input: tree)
    }

    func tree(_ rows: [Row]) throws -> String {
        try tree(raw: rows.map { ($0.mode, Array($0.name.utf8), $0.id) })
    }

    /// A commit of a tree at any time at all.
    func commit(tree: String, time: Int64) throws -> String {
        let who = "Test <test@example.org> \(time) +0000"
        let text = "tree \(tree)\nauthor \(who)\ncommitter \(who)\n\nBy hand\n"
        return try git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", input: Data(text.utf8))
    }
}
