import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

/// What a volume may make of each new file: a group that is inherited, an access control list.
@Suite struct `A volume with defaults of its own` {
    enum Volume: CaseIterable, Sendable {
        case setgid, openList, closedList

        func prepare(_ folder: String) throws {
            switch self {
            case .setgid:
                guard chown(folder, geteuid(), 65_533) == 0, chmod(folder, 0o2755) == 0 else {
                    throw TestFailure("setgid")
                }
            case .openList: try setDefault(folder, other: 7)
            case .closedList: try setDefault(folder, other: 0)
            }
        }

        /// A default list (acl(5)), as the kernel keeps it: a version, then a tag, rights and an id each.
        private func setDefault(_ folder: String, other: UInt16) throws {
            let entries: [(tag: UInt16, rights: UInt16, id: UInt32)] = [
                (0x01, 7, .max), (0x02, 7, 65_532), (0x04, other, .max), (0x10, 7, .max), (0x20, other, .max),
            ]
            var bytes: [UInt8] = [2, 0, 0, 0]
            for entry in entries {
                for value in [UInt32(entry.tag) | UInt32(entry.rights) << 16, entry.id] {
                    bytes += withUnsafeBytes(of: value.littleEndian) { Array($0) }
                }
            }
            let hex = bytes.map { String(format: "%02x", $0) }.joined()
            try Command.run([
                "python3", "-c",
                "import os, sys; os.setxattr(sys.argv[1], 'system.posix_acl_default', bytes.fromhex(sys.argv[2]))",
                folder, hex,
            ])
        }
    }

    private func modes(_ site: Site) throws -> [String: UInt32] {
        let root = try #require(realpath(site.www, nil))
        defer { free(root) }
        let path = String(cString: root)
        var modes = ["": try #require(try FileStatus.of(path)).permissions]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) where !name.hasPrefix(".sidekick") {
            modes[name] = try #require(try FileStatus.of(path + "/" + name)).permissions
        }
        return modes
    }

    @Test(.enabled(if: geteuid() == 0, "changing a group needs root"), arguments: Volume.allCases, LayoutKind.allCases)
    func `changes no mode of what is published, at first, by an update and by a repair`(
        volume: Volume, layout: LayoutKind
    )
        throws
    {
        let site = try Site(layout)
        try volume.prepare(site.folder.path)
        let tool = site.source.folder("tool")
        try site.source.folder.write("#!/bin/sh", to: "tool")
        chmod(tool, 0o755)
        try site.publish(["a": "1", "b/c/d": "2"])
        let first: [String: UInt32] = ["": 0o755, "a": 0o644, "b": 0o755, "b/c": 0o755, "b/c/d": 0o644, "tool": 0o755]
        #expect(try modes(site) == first)
        for number in 1...3 {
            try site.publish(["a": "new \(number)", "e/f\(number)": "x"])
            var expected = first
            expected["e"] = 0o755
            for made in 1...number { expected["e/f\(made)"] = 0o644 }
            #expect(try modes(site) == expected, "update \(number)")
            try site.tidy()
        }
        let good = try modes(site)
        // Somebody changes modes, and it is told and mended.
        let root = try #require(realpath(site.www, nil))
        defer { free(root) }
        let path = String(cString: root)
        for (name, mode) in [("a", 0o600), ("tool", 0o644)] as [(String, mode_t)] { chmod(path + "/" + name, mode) }
        var wrong: Set = ["mode: a", "mode: tool"]
        if layout != .folder {
            chmod(path + "/b/c", 0o700)
            chmod(path + "/e", 0o2775)
            wrong.formUnion(["mode: b/c/", "mode: e/"])
        }
        let result = try site.publisher.compare(in: Repository(opening: site.source.path))
        #expect(Set(result.differences) == wrong)
        _ = try site.publisher.repair(result)
        try site.publish(site.source.head)
        #expect(try modes(site) == good)
        #expect(try site.publisher.compare(in: Repository(opening: site.source.path)).differences == [])
    }
}
