import Foundation
import TestSupport
import Testing

private let layouts = ["link", "exchange", "folder"]

@Suite(.enabled(if: SmallDisk.mayMount, "a small disk needs a user namespace")) struct `Commits that just fit` {
    /// Publishes commits one after the other on two disks: on the first it is measured what the last one takes at its peak, on
    /// the second there is that much and a little for what passes write down.
    private func fits(
        _ layout: String, _ source: GitRepository, _ commits: [String], leaving kilobytes: Int,
        prepare: (SmallDisk) throws -> Void = { _ in }
    ) async throws {
        let disk = try await SmallDisk()
        try prepare(disk)
        for commit in commits {
            try source.git("update-ref", "refs/heads/main", commit)
            if commit == commits.last { try disk.fill(leaving: (kilobytes + 160) << 10) }
            let result = try await disk.once(source, layout, "--keep-previous", "0", "--grace", "0")
            #expect(result.status == 0, "\(commits.firstIndex(of: commit)!): \(result.log)")
            #expect(try disk.differences(source, commit) == [])
        }
    }

    private func zeros(_ kilobytes: Int, _ salt: String = "") -> String {
        salt + String(repeating: "0", count: kilobytes * 1024 - salt.utf8.count)
    }

    @Test(arguments: layouts)
    func `a first publish, and an update that links or leaves most files`(layout: String) async throws {
        let source = try GitRepository()
        var files: [String: String?] = [:]
        for number in 0..<20 { files["folder/file\(number)"] = zeros(100, "\(number)") }
        let first = try source.commit(files)
        try await fits(layout, source, [first], leaving: 2000)
        let second = try source.commit(["folder/file7": zeros(100, "new"), "fresh": zeros(200)])
        try await fits(layout, source, [first, second], leaving: 300)
    }

    @Test(arguments: ["link", "exchange"])
    func `an update that replaces what only the spare still holds`(layout: String) async throws {
        let source = try GitRepository()
        let commits = try (0..<4).map { try source.commit(["large": zeros(2 * 1024, "\($0)"), "same": "x"]) }
        try await fits(layout, source, commits, leaving: 0)
    }

    @Test(arguments: layouts)
    func `a commit with links that are left out`(layout: String) async throws {
        let source = try GitRepository()
        let first = try source.commit(["a": "1"])
        for number in 0..<200 { symlink("/etc", source.folder("link\(number)")) }
        let second = try source.commit([:])
        let disk = try await SmallDisk("size=10m,nr_inodes=400")
        for commit in [first, second] {
            try source.git("update-ref", "refs/heads/main", commit)
            if commit == second { try disk.fill(leavingInodes: 100) }
            let result = try await disk.once(source, layout)
            #expect(result.status == 0, "\(result.log)")
        }
    }

    @Test func `a folder that holds the commit already`() async throws {
        let source = try GitRepository()
        let commit = try source.commit(["large": zeros(6 * 1024), "page.html": "1"])
        try await fits("folder", source, [commit], leaving: 0) { disk in
            let www = disk("www")
            try FileManager.default.createDirectory(atPath: www, withIntermediateDirectories: true)
            for name in ["large", "page.html"] {
                try FileManager.default.copyItem(atPath: source.folder(name), toPath: www + "/" + name)
            }
        }
    }
}
