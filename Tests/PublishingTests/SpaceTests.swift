import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `What is free` {
    /// Linux's own: statvfs(3) tells of no files and no blocks.
    @Test func `a file system that counts no inodes is short of none`() throws {
        let uncounted = try Directory(opening: "/proc")
        #expect(try Space.free(in: uncounted).space.inodes == nil)
        try Space(bytes: 0, inodes: 1_000_000).check(in: uncounted)
        #expect(throws: PublishingError.self) { try Space(bytes: 1, inodes: 0).check(in: uncounted) }
    }

    @Test func `what is spared counts for bytes and for inodes`() throws {
        let folder = try TemporaryFolder()
        let directory = try Directory(opening: folder.path)
        let bytes = try Space.free(in: directory).space.bytes
        let short = Space(bytes: bytes + 1 << 40, inodes: 0)
        #expect(throws: PublishingError.self) { try short.check(in: directory) }
        try short.check(in: directory) { short }
        try Space(bytes: 0, inodes: .max).check(in: directory) { Space(bytes: 0, inodes: .max) }
    }

    @Test func `there is room for nothing, always`() throws {
        try Space.nothing.check(in: Directory(opening: "/proc"))
    }
}

/// A small disk with a site on it.
private final class SmallSite {
    let place = Result { try TemporaryFolder() }
    let site: Site

    init(_ layout: LayoutKind, megabytes: Int) throws {
        let path = try place.get().path
        try Command.run(["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
        do {
            site = try Site(layout, in: path)
        } catch {
            umount2(path, Int32(MNT_DETACH))
            throw error
        }
    }

    deinit { if let path = try? place.get().path { umount2(path, Int32(MNT_DETACH)) } }

    var free: Int64 { get throws { try Space.free(in: Directory(opening: site.folder.path)).space.bytes } }

    /// Somebody else's file, which leaves so much.
    func fill(leaving bytes: Int64) throws {
        unlink(site.folder("filler"))
        try Data(count: Int(try free - bytes)).write(to: URL(fileURLWithPath: site.folder("filler")))
    }
}

@Suite(.enabled(if: geteuid() == 0, "a mount needs root")) struct `A disk that is nearly full` {
    private func zeros(_ megabytes: Int, _ salt: String = "") -> String {
        salt + String(repeating: "0", count: megabytes << 20 - salt.utf8.count)
    }

    @Test(arguments: LayoutKind.allCases)
    func `what does not fit is refused by the byte before anything is made, and published when it fits`(
        layout: LayoutKind
    )
        throws
    {
        let disk = try SmallSite(layout, megabytes: 12)
        let site = disk.site
        let old = try site.commit(["page.html": "1", "old": zeros(1)])
        try site.publish(old)
        let new = try site.commit(["page.html": "2", "large": zeros(4)])
        // In blocks of 4 KiB; what has to be written besides the files is not foreseen to the byte.
        try disk.fill(leaving: 4 << 20)
        let before = try site.folder.snapshot()
        let error = #expect(throws: PublishingError.self) { try site.publish(new) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("4096 bytes are missing"), "\(error.map { "\($0)" } ?? "")")
        #expect(try site.folder.snapshot() == before)
        #expect(try site.differences(old) == [])
        try disk.fill(leaving: 5 << 20)
        try site.publish(new)
        #expect(try site.differences(new) == [])
    }

    /// A spare gives back what only it has before anything new is written into it.
    @Test(arguments: [LayoutKind.link, .exchange])
    func `what a spare gives back counts`(layout: LayoutKind) throws {
        let disk = try SmallSite(layout, megabytes: 16)
        let site = disk.site
        let first = try site.commit(["a": zeros(4, "1"), "b": "1"])
        try site.publish(first)
        try site.tidy()
        // The spare has the old one for itself from here on.
        let second = try site.commit(["a": zeros(4, "2")])
        try site.publish(second)
        let third = try site.commit(["a": zeros(4, "3")])
        try disk.fill(leaving: 1 << 20)
        try site.publish(third)
        #expect(try site.differences(third) == [])
    }

    @Test func `in the layout folder what stands there already needs no room`() throws {
        let disk = try SmallSite(.folder, megabytes: 16)
        let site = disk.site
        let commit = try site.commit(["a": zeros(5), "d/b": zeros(2), "c": "small"])
        // As `git pull` has left it.
        for name in ["a", "d/b"] { try site.folder.write(try site.source.folder.read(name), to: "www/" + name) }
        for name in ["a", "d/b"] { chmod(site.www + "/" + name, 0o644) }
        try disk.fill(leaving: 1 << 20)
        try site.publish(commit)
        #expect(try site.differences(commit) == [])
        let larger = try site.commit(["e": zeros(6)])
        #expect(throws: PublishingError.self) { try site.publish(larger) }
        #expect(try site.differences(commit) == [])
    }
}
