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
