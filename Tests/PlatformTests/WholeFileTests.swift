import Foundation
import Platform
import TestSupport
import Testing

@Suite struct `Small files` {
    @Test func `text is UTF-8, without the mark that some editors put before it`() throws {
        let folder = try TemporaryFolder()
        for (bytes, text) in [
            (Array("a\n".utf8), "a\n"), ([], ""), ([0xef, 0xbb, 0xbf] + Array("a".utf8), "a"), ([0xff], nil),
            ([0xef, 0xbb], nil),
        ] as [([UInt8], String?)] {
            try Data(bytes).write(to: URL(fileURLWithPath: folder("file")))
            #expect(WholeFile.text(folder("file")) == text)
        }
        #expect(WholeFile.text(folder("none")) == nil)
        #expect(WholeFile.text(folder.path) == nil)
    }

    /// A secret that is named by mistake may be a device, or anything else that has no end.
    @Test(arguments: ["/dev/zero", "large"]) func `what is larger than any of them is refused`(name: String) throws {
        let folder = try TemporaryFolder()
        let path = name.hasPrefix("/") ? name : folder(name)
        if path != name {
            try folder.write("", to: name)
            for (size, isRead) in [(16 << 20, true), (16 << 20 + 1, false)] {
                truncate(path, off_t(size))
                #expect((try? WholeFile.read(path).count) == (isRead ? size : nil))
            }
        }
        #expect { try WholeFile.read(path) } throws: { "\($0)" == "\(path): File too large" }
        #expect(WholeFile.text(path) == nil)
    }

    @Test func `a file is replaced whole, or stays as it was`() throws {
        let folder = try TemporaryFolder()
        try WholeFile.replace(folder("file"), with: "one".utf8, mode: 0o644, isDurable: true)
        #expect(try folder.read("file") == "one")
        let attributes = try FileManager.default.attributesOfItem(atPath: folder("file"))
        #expect(attributes[.posixPermissions] as? Int == 0o644)
        // What stands at the name that it is written under cannot be removed.
        try folder.write("", to: "file.new/inside")
        #expect(throws: WholeFile.Failure.self) { try WholeFile.replace(folder("file"), with: "two".utf8) }
        #expect(try folder.read("file") == "one")
        let file = StateFile<[String: Int]>(folder("state.json"))
        #expect(try file.read() == nil)
        try file.write(["a": 1])
        #expect(try file.read() == ["a": 1])
        #expect(file.remove() && !file.remove())
    }
}
