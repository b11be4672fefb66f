import Foundation
import TestSupport
import Testing

private let layouts = ["link", "exchange", "folder"]

/// Packs to nothing and takes its size as a file.
private func zeros(_ kilobytes: Int, _ salt: String = "") -> String {
    salt + String(repeating: "0", count: kilobytes * 1024 - salt.utf8.count)
}

/// Packs to its own size.
private func noise(_ kilobytes: Int) -> String {
    var numbers = SeededNumbers(seed: SeededNumbers.seed)
    return (0..<kilobytes * 128).map { _ in String(numbers.next() | 1 << 63, radix: 32).suffix(8) }.joined()
}

@Suite(.enabled(if: SmallDisk.mayMount, "a small disk needs a user namespace")) struct `Full disks` {
    @Test func `a compaction without room for it takes none, rests, and leaves the site and the store as they are`()
        async throws
    {
        let source = try GitRepository()
        let disk = try await SmallDisk()
        let commits = try source.history(
            (0..<4).map { ["page.html": "\($0)"].merging($0 == 0 ? ["noise": noise(2048)] : [:]) { old, _ in old } })
        try source.push(commits[0])
        let first = try await disk.once(source, "link")
        #expect(first.status == 0, "\(first.log)")
        try PackPile.shared.get().copy(to: disk(".sidekick/www/git"))
        try disk.fill(leaving: 1 << 20)
        let sidekick = try Sidekick(
            [source.path, disk.path + "/www", "--layout", "link", "--delay", "1h", "--grace", "0s"],
            wrapper: disk.wrapper)
        try await sidekick.prints("started")
        var least = Int.max
        for commit in commits[1...] {
            try source.push(commit)
            sidekick.send(SIGHUP)
            try await sidekick.prints("commit=\(commit)")
            least = min(least, try disk.free.bytes)
            try await sidekick.prints("compaction failed")
        }
        #expect(try await sidekick.stop() == 0)
        let failures = sidekick.log.split(separator: "\n").filter { $0.contains("compaction failed") }
        #expect(failures.count == 1, "\(sidekick.log)")
        #expect(failures[0].contains(String(cString: strerror(ENOSPC))), "\(failures)")
        #expect(least > 500_000, "nothing is copied to find out")
        #expect(!FileManager.default.fileExists(atPath: disk(".sidekick/www/git.new")))
        #expect(try PackPile.count(in: disk(".sidekick/www/git")) > 60)
        disk.clear()
        #expect(try await disk.once(source, "link").status == 0)
        #expect(try PackPile.count(in: disk(".sidekick/www/git")) < 10)
    }

    @Test(arguments: layouts)
    func `a commit larger than what is free is refused before a byte is written, and published when there is room`(
        layout: String
    ) async throws {
        let source = try GitRepository()
        let disk = try await SmallDisk()
        let tooLarge = try source.commit(["huge": zeros(12 * 1024)])
        let first = try await disk.once(source, layout)
        #expect(first.status == 73 && first.log.contains("bytes are missing"), "\(first.log)")
        #expect(!FileManager.default.fileExists(atPath: disk("www")), "\(tooLarge)")

        let old = try source.commit(["huge": nil, "old": zeros(1024), "folder/page.html": "1"])
        #expect(try await disk.once(source, layout).status == 0)
        #expect(try disk.differences(source, old) == [])
        let new = try source.commit(["large": zeros(6 * 1024), "folder/page.html": "2"])
        // The objects are there, so that what is free does not change on the way.
        try disk.fill(leaving: 1 << 20)
        #expect(try await disk.once(source, layout).status == 73)
        disk.clear()
        try disk.fill(leaving: 2 << 20)
        let before = disk.snapshot(disk.folder)
        let refused = try await disk.once(source, layout)
        #expect(refused.status == 73, "\(refused.log)")
        // Blocks of 4 KiB: the large file and the page.
        let needed = (6 << 20) + 4096
        #expect(refused.log.contains("needs \(needed) bytes more"), "\(refused.log)")
        let free = try #require(refused.log.firstMatch(of: /which has ([0-9]+) free/)?.1).description
        // The lock and the status take a block each.
        #expect((2 << 20) - 32768...2 << 20 ~= (Int(free) ?? 0))
        #expect(refused.log.contains("\(needed - (Int(free) ?? 0)) bytes are missing"), "\(refused.log)")
        #expect(refused.log.contains("nothing was written"), "\(refused.log)")
        let after = disk.snapshot(disk.folder)
        let touched = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
        #expect(touched.filter { $0.contains("/trees/") || $0.hasPrefix("www") } == [])
        #expect(try disk.differences(source, old) == [])
        disk.clear()
        let result = try await disk.once(source, layout)
        #expect(result.status == 0, "\(result.log)")
        #expect(try disk.differences(source, new) == [])
    }

    @Test(arguments: layouts)
    func `a store that cannot take what is fetched leaves the site as it is`(layout: String) async throws {
        let source = try GitRepository()
        let disk = try await SmallDisk()
        let old = try source.commit(["page.html": "1"])
        #expect(try await disk.once(source, layout).status == 0)
        let before = disk.snapshot(disk.tree)
        let new = try source.commit(["noise": noise(4 * 1024), "page.html": "2"])
        try disk.fill(leaving: 1 << 20)
        let failed = try await disk.once(source, layout)
        #expect(failed.status == 73 && failed.log.contains("free space"), "\(failed.log)")
        #expect(failed.log.contains("stage=fetch") && failed.log.contains(disk.path), "\(failed.log)")
        #expect(failed.log.contains("No space left on device"), "\(failed.log)")
        #expect(!failed.log.contains("moved aside"), "\(failed.log)")
        #expect(disk.snapshot(disk.tree) == before)
        #expect(try disk.differences(source, old) == [])
        disk.clear()
        let result = try await disk.once(source, layout)
        #expect(result.status == 0, "\(result.log)")
        #expect(try disk.differences(source, new) == [])
    }

    /// An update asks for some history; what of that does not fit holds up nothing.
    @Test func `a commit that does not fit does not keep out the next one, which takes it back`() async throws {
        let remote = try await HTTPRemote(["page.html": "1"])
        let disk = try await SmallDisk()
        func once() async throws -> (status: Int32, log: String) {
            try await Sidekick.once([remote.url(), disk.path + "/www"], wrapper: disk.wrapper)
        }
        #expect(try await once().status == 0)
        try disk.fill(leaving: 1 << 20)
        try remote.push(["noise": noise(4 * 1024), "page.html": "2"])
        let failed = try await once()
        #expect(failed.status == 73, "\(failed.log)")
        let new = try remote.push(["noise": nil, "page.html": "3"])
        let healed = try await once()
        #expect(healed.status == 0, "\(healed.log)")
        #expect(try disk.differences(remote.source, new) == [])
    }

    @Test(arguments: layouts)
    func `a disk that fills while files are made leaves the old tree, and the next pass succeeds`(
        layout: String
    ) async throws {
        let source = try GitRepository()
        let disk = try await SmallDisk("size=16m")
        let old = try source.commit(["page.html": "1"])
        #expect(try await disk.once(source, layout).status == 0)
        let before = disk.snapshot(disk.tree)
        var files: [String: String?] = ["page.html": "2"]
        for number in 0..<2000 { files["files/\(number)"] = zeros(4, "\(number)") }
        let new = try source.commit(files)
        let sidekick = try Sidekick(
            [source.path, disk.path + "/www", "--layout", layout, "--once"], wrapper: disk.wrapper)
        // As soon as the first file is made, somebody else takes the rest.
        let home = disk(".sidekick/www/")
        while sidekick.isRunning {
            let names =
                ((try? FileManager.default.contentsOfDirectory(atPath: home + "trees")) ?? [])
                + ((try? FileManager.default.contentsOfDirectory(atPath: home + "staging")) ?? [])
            if layout == "folder" ? !names.isEmpty : names.contains(where: { $0.hasPrefix(".new-") }) { break }
            usleep(500)
        }
        disk.fillUp()
        let status = try await sidekick.wait()
        #expect(status == 73, "\(sidekick.log)")
        #expect(sidekick.log.contains("stage=materialize"), "\(sidekick.log)")
        #expect(sidekick.log.contains("\(disk.path)/.sidekick/www/"), "the path is named: \(sidekick.log)")
        #expect(sidekick.log.contains("No space left on device"), "\(sidekick.log)")
        #expect(disk.snapshot(disk.tree) == before)
        #expect(try disk.differences(source, old) == [])
        disk.clear()
        let result = try await disk.once(source, layout)
        #expect(result.status == 0, "\(result.log)")
        #expect(try disk.differences(source, new) == [])
    }

    @Test(arguments: layouts)
    func `inodes that are used up are told by their number`(layout: String) async throws {
        let source = try GitRepository()
        let disk = try await SmallDisk("size=10m,nr_inodes=500")
        let old = try source.commit(["page.html": "1"])
        #expect(try await disk.once(source, layout).status == 0)
        var files: [String: String?] = ["page.html": "2"]
        for number in 0..<150 { files["file\(number)"] = "\(number)" }
        let new = try source.commit(files)
        try disk.fill(leavingInodes: 100)
        let refused = try await disk.once(source, layout)
        #expect(refused.status == 73, "\(refused.log)")
        #expect(refused.log.contains("inodes are missing"), "\(refused.log)")
        #expect(try disk.differences(source, old) == [])
        disk.clear()
        let result = try await disk.once(source, layout)
        #expect(result.status == 0, "\(result.log)")
        #expect(try disk.differences(source, new) == [])
    }

    @Test(arguments: layouts)
    func `a folder that turns read-only under a daemon is told by its path, and followed when it is writable again`(
        layout: String
    ) async throws {
        let source = try GitRepository()
        let disk = try await SmallDisk()
        let old = try source.commit(["page.html": "1", "folder/file": "x"])
        let sidekick = try Sidekick(
            [source.path, disk.path + "/www", "--layout", layout, "--delay", "100ms", "--backoff", "200ms"],
            wrapper: disk.wrapper)
        try await sidekick.prints("published")
        // A mount over it: what a process holds open for writing keeps its own from turning read-only.
        try disk.run("mount", "--bind", disk.path, disk.path)
        try disk.run("mount", "-o", "remount,bind,ro", disk.path)
        let new = try source.commit(["page.html": "2"])
        try await sidekick.prints("pass failed")
        #expect(sidekick.log.contains("Read-only file system"), "\(sidekick.log)")
        #expect(sidekick.log.contains("cause=\"") && sidekick.log.contains(disk.path), "\(sidekick.log)")
        #expect(try disk.differences(source, old) == [])
        let once = try await disk.once(source, layout)
        #expect(once.status != 0 && sidekick.isRunning, "\(once.log)")
        // Lazily: a pass may have folders of it open.
        try disk.run("umount", "--lazy", disk.path)
        try await sidekick.prints("recovered")
        try await eventually("the push shows") { try disk.differences(source, new) == [] }
        #expect(try await sidekick.stop() == 0)
        // And when no process is there.
        try disk.run("mount", "-o", "remount,ro", disk.path)
        let newest = try source.commit(["page.html": "3"])
        let refused = try await disk.once(source, layout)
        #expect(refused.status == 73, "\(refused.log)")
        #expect(refused.log.contains(disk.path) && refused.log.contains("Read-only"), "\(refused.log)")
        #expect(try disk.differences(source, new) == [])
        try disk.run("mount", "-o", "remount,rw", disk.path)
        #expect(try await disk.once(source, layout).status == 0)
        #expect(try disk.differences(source, newest) == [])
    }
}
