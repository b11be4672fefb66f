import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Updating a published tree` {
    private enum Shape: String, CaseIterable {
        case absent, file, tool, link, submodule, folder, deeper
    }

    private func row(_ shape: Shape, _ source: GitRepository) throws -> GitRepository.Row? {
        let blob = try source.blob("text")
        let folder: (GitRepository.Row) throws -> String = { try source.tree([$0]) }
        return switch shape {
        case .absent: nil
        case .file: ("100644", "x", blob)
        case .tool: ("100755", "x", blob)
        case .link: ("120000", "x", try source.blob("other"))
        case .submodule: ("160000", "x", String(repeating: "12", count: 20))
        case .folder: ("40000", "x", try folder(("100644", "inside", blob)))
        case .deeper:
            ("40000", "x", try folder(("40000", "inside", folder(("120000", "l", source.blob("../../other"))))))
        }
    }

    /// What is wrong at `x`; empty when it is what the commit has.
    private func fault(_ shape: Shape, _ site: Site) throws -> String {
        let status = try site.status("x")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: site.www + "/x")) ?? []
        let isRight: Bool =
            switch shape {
            case .absent: status == nil
            case .file: try status?.kind == .file && status?.permissions == 0o644 && site.read("x") == "text"
            case .tool: try status?.kind == .file && status?.permissions == 0o755 && site.read("x") == "text"
            case .link: try status?.kind == .link && site.read("x") == "stays"
            case .submodule: status?.kind == .folder && names.isEmpty
            case .folder: try status?.kind == .folder && names == ["inside"] && site.read("x/inside") == "text"
            case .deeper: try status?.kind == .folder && names == ["inside"] && site.read("x/inside/l") == "stays"
            }
        return isRight ? "" : "\(status.map { "\($0.kind)" } ?? "nothing") \(names)"
    }

    @Test(arguments: LayoutKind.allCases, [false, true])
    func `everything can become everything else`(layout: LayoutKind, restarts: Bool) throws {
        let site = try Site(layout)
        let other = try site.source.blob("stays")
        var commits: [Shape: String] = [:]
        for shape in Shape.allCases {
            let rows = [("100644", "other", other)] + (try [row(shape, site.source)].compactMap { $0 })
            commits[shape] = try site.source.commit(rows: rows)
        }
        for from in Shape.allCases {
            for to in Shape.allCases where from != to {
                for shape in [from, to] {
                    try site.publish(commits[shape]!)
                    #expect(try fault(shape, site) == "", "\(from) to \(to), at \(shape)")
                    if restarts { try site.open() }
                    #expect(try site.tidy().notices == [], "\(from) to \(to)")
                }
            }
        }
        let resolved = try #require(realpath(site.www, nil))
        defer { free(resolved) }
        let names = try FileManager.default.contentsOfDirectory(atPath: String(cString: resolved))
        #expect(names.sorted() == ["other", "x"])
        #expect(try site.lost() == [:])
        if layout == .folder {
            #expect(try FileManager.default.contentsOfDirectory(atPath: site.state + "/staging") == [])
        } else {
            #expect(site.names("trees").count <= 2 + Upkeep.maxSpares)
            let live = layout == .exchange ? 1 : 0
            #expect(site.names("records").count == site.names("trees").count + live)
        }
    }

    @Test(arguments: LayoutKind.allCases, [false, true])
    func `new inodes are as many as changed files, and the others keep inode and time`(
        layout: LayoutKind, restarts: Bool
    ) throws {
        let site = try Site(layout)
        var files: [String: String?] = [:]
        for number in 0..<30 { files["folder\(number % 3)/file\(number)"] = "\(number)" }
        try site.publish(files)
        if restarts { try site.open() }
        let before = try files.keys.reduce(into: [:]) { $0[$1] = try site.status($1) }
        // One more byte, the same size, a new file, one less; and one that moves to another folder.
        let changed = ["folder0/file0": "00", "folder1/file1": "x", "folder9/new": "n", "folder2/moved": "3"]
        let commit = try site.commit(
            changed.mapValues { Optional($0) }.merging(["folder2/file2": nil, "folder0/file3": nil]) { $1 })
        let staged = try site.stage(commit)
        #expect(staged.filesWritten == changed.count)
        #expect(staged.filesRemoved == 2)
        #expect(staged.bytesWritten == 5)
        _ = try site.publisher.publish(staged)
        let old = Set(before.values.map(\.inode))
        var fresh = 0
        for name in Set(files.keys).union(changed.keys) where name != "folder2/file2" && name != "folder0/file3" {
            let status = try #require(try site.status(name))
            if changed[name] == nil { #expect(status == before[name], "\(name)") }
            if !old.contains(status.inode) { fresh += 1 }
        }
        #expect(fresh == changed.count)
        #expect(try site.differences(commit) == [])
    }

    @Test(arguments: LayoutKind.allCases)
    func `a file that is held open keeps its bytes, mode and time through every update`(layout: LayoutKind) throws {
        let site = try Site(layout)
        try site.publish(["page": "first text", "gone": "first text", "tool": "first text"])
        let names = ["page", "gone", "tool"]
        let handles = try names.map { name in
            let descriptor = open(site.www + "/" + name, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw TestFailure(name) }
            return descriptor
        }
        defer { for handle in handles { close(handle) } }
        func facts() -> [FileStatus] {
            handles.map {
                var status = stat()
                fstat($0, &status)
                return FileStatus(status)
            }
        }
        let before = facts()
        chmod(site.source.folder("tool"), 0o755)
        try site.publish(["page": "second", "gone": nil])
        try site.publish(["page": "a third text that is longer"])
        try site.tidy()
        #expect(facts() == before)
        for (name, handle) in zip(names, handles) {
            var buffer = [UInt8](repeating: 0, count: 100)
            let count = pread(handle, &buffer, 100, 0)
            #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == "first text", "\(name)")
        }
        let page = try #require(try site.status("page"))
        #expect(page.inode != before[0].inode)
        let tool = try #require(try site.status("tool"))
        #expect(tool.inode != before[2].inode)
        #expect(tool.permissions == 0o755)
        // The bytes are the same: so is the time, or every client would ask for them again.
        #expect(tool.mtime == before[2].mtime)
    }

    @Test(arguments: LayoutKind.allCases)
    func `the same commit again writes nothing`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let commit = try site.commit(["a": "1", "b/c": "2"], links: ["l": "a"])
        try site.publish(commit)
        let before = try ["a", "b/c"].map { try #require(try site.status($0)) }
        try site.open()
        #expect(try site.shows(commit))
        let staged = try site.stage(commit)
        #expect(staged.filesWritten == 0)
        _ = try site.publisher.publish(staged)
        #expect(try ["a", "b/c"].map { try #require(try site.status($0)) } == before)
        #expect(try site.differences(commit) == [])
    }

    @Test(arguments: LayoutKind.allCases)
    func `a commit without files empties the folder and leaves it there`(layout: LayoutKind) throws {
        let site = try Site(layout)
        try site.publish(["a": "1", "deep/er/file": "2"])
        try site.publish(site.source.commit(rows: []))
        #expect(try FileManager.default.contentsOfDirectory(atPath: site.www + "/.") == [])
        #expect(try site.publisher.published()?.files == 0)
    }
}
