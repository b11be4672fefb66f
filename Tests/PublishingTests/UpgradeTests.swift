import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

/// State folders that older programs wrote, see `Tests/Fixtures/make-state`.
@Suite struct `An upgrade` {
    /// DESTINATION as the older program left it, with the inodes that it would have here.
    private struct Left {
        let folder: TemporaryFolder
        let destination: Destination
        let commit: String

        init(_ layout: LayoutKind) throws {
            folder = try TemporaryFolder()
            let archive = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("Fixtures/0.1.0-\(layout.rawValue).tar.gz").path
            try Command.run(["tar", "-xzf", archive, "-C", folder.path])
            destination = try Destination(folder("www"), state: nil)
            commit = try folder.read("commit").trimmingCharacters(in: .whitespacesAndNewlines)
            try readdress()
        }

        /// The records name inodes, and an archive has none: each is told the one that its tree has here. Only these bytes change.
        private func readdress() throws {
            for name in try TreePool(destination).names(in: "records") {
                let tree = folder(".sidekick/www/trees/" + name)
                try readdress(
                    ".sidekick/www/records/" + name,
                    to: FileStatus.of(tree)?.kind == .folder ? tree : destination.path)
            }
            if folder.has(".sidekick/www/record") { try readdress(".sidekick/www/record", to: destination.path) }
        }

        private func readdress(_ record: String, to tree: String) throws {
            let path = folder(record)
            var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            let status = try FileManager.default.attributesOfItem(atPath: path)
            guard
                let read = try TreeRecord(
                    decoding: bytes,
                    segment: { name in
                        let home = try Directory(opening: folder(".sidekick/www/segments"))
                        return try RecordSegment(mapping: name, in: home)
                    })
            else { throw TestFailure("\(record) cannot be read") }
            // Of its own rows, and of those in segments that no other tree has.
            for file in [path] + read.rows.segments.compactMap(\.name).map({ folder(".sidekick/www/segments/" + $0) }) {
                var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
                read.rows.forEach { row, entry in
                    guard entry.inode != 0, let now = try? FileStatus.of(tree + "/\(row)")?.inode else { return }
                    let old = withUnsafeBytes(of: entry.inode.littleEndian) { Array($0) } + row.bytes
                    let new = withUnsafeBytes(of: now.littleEndian) { Array($0) } + row.bytes
                    if let place = bytes.firstRange(of: old) { bytes.replaceSubrange(place, with: new) }
                }
                try Data(bytes).write(to: URL(fileURLWithPath: file))
            }
            bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            let root = try #require(try FileStatus.of(tree)?.inode)
            let place = try #require(bytes.firstRange(of: Array("\(read.root) \(read.published) ".utf8)))
            bytes.replaceSubrange(place, with: Array("\(root) \(read.published) ".utf8))
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes(
                [.modificationDate: status[.modificationDate] as Any], ofItemAtPath: path)
        }

        func options(_ layout: LayoutKind) throws -> PublishingOptions {
            var options = try #require(try destination.publishedOptions())
            options.layout = layout
            options.grace = .zero
            return options
        }

        /// What a web server shows: each path with its inode and its time.
        func shown() throws -> [String] {
            let found = try Command.run(
                ["find", "-L", ".", "-printf", "%p %y %i %T@ %m\\n"], in: destination.path, mayFail: true)
            return String(decoding: found.output, as: UTF8.self).split(separator: "\n").map(String.init).sorted()
        }
    }

    @Test(arguments: LayoutKind.allCases)
    func `rewrites no file that is served, and moves nothing away`(layout: LayoutKind) throws {
        let left = try Left(layout)
        let before = try left.shown()
        #expect(before.count > 5)
        let (publisher, notices) = try Publisher.open(left.destination, options: left.options(layout))
        #expect(notices.allSatisfy { if case .recovered = $0 { true } else { false } }, "\(notices)")
        #expect(try publisher.shows(id(left.commit)))
        #expect(try publisher.survey() == 0)
        #expect(!left.folder.has(".sidekick/www/plans"))
        _ = try publisher.tidy(makingSpares: true) { false }
        #expect(try left.shown() == before)
        #expect(!left.folder.has(".sidekick/www/lost+found"))
        let result = try left.destination.verify()
        #expect(result.differences == [])
        #expect(try publisher.published()?.name.variant == Self.variants[layout])

        // An update costs what differs, and from then on the record is of this version.
        let contents = left.destination.contents(of: try left.destination.store.open())
        let first = try #require(try contents.repository.commit(id(left.commit)).parents.first)
        let staged = try publisher.materialize(contents.repository.commit(first), from: contents)
        #expect((1...4).contains(staged.filesWritten), "\(staged.filesWritten)")
        _ = try publisher.publish(staged)
        #expect(try left.destination.verify().differences == [])
        #expect(!left.folder.has(".sidekick/www/lost+found"))
        let record = layout == .folder ? "record" : "records/\(layout == .link ? "\(first)" : "\(first)-2")"
        let text = String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: left.folder(".sidekick/www/\(record)"))), as: UTF8.self)
        #expect(text.hasPrefix("sidekick record 3\n"))
    }

    /// As older programs told hooks: one that is asked what is new after an upgrade must not be told that all is.
    private static let variants: [LayoutKind: String] = [
        .link: "site mtime=commit symlinks=skip",
        .exchange: "site mtime=commit symlinks=none exclude=*.txt%2cx,many/",
        .folder: " mtime=content symlinks=skip include=site/ exclude=many/",
    ]

    @Test(arguments: LayoutKind.allCases)
    func `back to a program that does not know what is there is refused, and changes nothing`(layout: LayoutKind) throws
    {
        let left = try Left(layout)
        let options = try left.options(layout)
        let names =
            layout == .folder ? ["record"] : try TreePool(left.destination).names(in: "records").map { "records/" + $0 }
        // Of all records, the one that is not live will do.
        let path = left.folder(".sidekick/www/" + (try #require(names.last)))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        try Data(Array("sidekick record 4".utf8) + bytes.dropFirst(17)).write(to: URL(fileURLWithPath: path))
        let before = try left.folder.snapshot()
        for options in [options, PublishingOptions()] {
            let error = #expect(throws: PublishingError.self) { try Publisher.open(left.destination, options: options) }
            #expect("\(try #require(error))".contains("a newer version of sidekick wrote \(path) (sidekick record 4)"))
        }
        #expect(try left.folder.snapshot() == before)
    }

    @Test func `a record that cannot be read is no reason not to start`() throws {
        let left = try Left(.link)
        let spare = try #require(try TreePool(left.destination).names(in: "records").first { $0 != left.commit })
        let path = left.folder(".sidekick/www/records/" + spare)
        unlink(path)
        mkdir(path, 0o700)
        let (publisher, _) = try Publisher.open(left.destination, options: left.options(.link))
        #expect(publisher.isServing())
        #expect(try left.destination.verify().differences == [])
    }
}
