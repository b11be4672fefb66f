import Foundation
import Git
import TestSupport
import Testing

@testable import Upstream

@Suite struct `Ranges of versions` {
    @Test func `versions are ordered as Semantic Versioning orders them`() throws {
        // The order of its own section 11, and numbers that are not compared as text.
        let ordered = [
            "0.9.10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
            "1.0.0-rc.1", "1.0.0", "1.0.9", "1.0.10", "1.9.0", "1.10.0", "2.0.0",
        ]
        let versions = try ordered.map { try #require(SemanticVersion($0)) }
        for (one, other) in zip(versions, versions.dropFirst()) { #expect(one < other && !(other < one)) }
        #expect(SemanticVersion("v1.2.3+build.5") == SemanticVersion("1.2.3"))
        for text in [
            "1", "1.2", "01.2.3", "1.2.3-", "1.2.3-a..b", "1.2.x", "release-1.2.3", "", "v", "1.2.3.4", "-1.2.3",
            "1.2.9007199254740992", "1.0.0-00", "1.0.0-a.01", "V1.2.3", "1.2.3-é", "1.2.3\u{301}",
        ] {
            #expect(SemanticVersion(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        ("^1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0", "1.3.0-rc.1", "2.0.0-rc.1"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "1.0.0"]), ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0", ["0.0.1", "0.9.9"], ["1.0.0"]), ("^0.0", ["0.0.9"], ["0.1.0"]), ("^1.x", ["1.0.0", "1.9.0"], ["2.0.0"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0"]), ("~1.2", ["1.2.0"], ["1.3.0"]), ("~1", ["1.9.0"], ["2.0.0"]),
        ("1.2.3", ["1.2.3"], ["1.2.4"]), ("1.2", ["1.2.0", "1.2.9"], ["1.3.0"]), ("1.x", ["1.5.0"], ["2.0.0"]),
        ("v1.2", ["1.2.4"], ["1.1.0"]), ("*", ["0.0.1", "9.9.9"], ["1.0.0-rc.1"]), ("", ["3.0.0"], ["3.0.0-a"]),
        (">=1.2 <2", ["1.2.0", "1.9.9"], ["1.1.9", "2.0.0"]), (">1.2", ["1.3.0"], ["1.2.9"]),
        ("<=1.2", ["1.2.9"], ["1.3.0"]),
        ("> 1.2.3", ["1.2.4"], ["1.2.3"]), ("1.2.3 - 1.4", ["1.2.3", "1.4.9"], ["1.5.0", "1.2.2"]),
        ("1.2.3 - 1.4.0", ["1.4.0"], ["1.4.1"]), ("^1.0 || ^3.0", ["1.5.0", "3.1.0"], ["2.0.0"]),
        ("^1.2.3-rc.1", ["1.2.3-rc.1", "1.2.3-rc.2", "1.2.3", "1.3.0"], ["1.2.3-beta", "1.3.0-rc.1"]),
        (">=1.0.0-rc.1 <1.0.0", ["1.0.0-rc.2"], ["1.0.0"]), ("=1.2.3", ["1.2.3"], ["1.2.4"]),
    ])
    func `a range takes what npm takes`(text: String, inside: [String], outside: [String]) throws {
        let range = try #require(VersionRange(text))
        for version in inside { #expect(try range.accepts(#require(SemanticVersion(version))), "\(text) \(version)") }
        for version in outside { #expect(try !range.accepts(#require(SemanticVersion(version))), "\(text) \(version)") }
    }

    @Test(arguments: ["main", "^", "1.2.3.4", ">=", "^a", "1..2", "latest", "=<1", "1.2 - ", "- 1", "^1.2.3 foo"])
    func `what is no range is none`(text: String) { #expect(VersionRange(text) == nil) }

    @Test(arguments: ["local", "old http"] + SmartRemote.Door.allCases.map(\.rawValue))
    func `the highest tag in the range is followed, annotated or not`(door: String) async throws {
        let remote = try await SmartRemote(.init(rawValue: door) ?? .http, version2: door != "old http")
        if door == "local" { remote.options.url = try RemoteURL(remote.bare) }
        remote.options.ref = try #require(RefSelection(reading: "semver:^1.2"))
        let upstream = try remote.upstream()
        func release(_ tag: String, annotated: Bool = false) async throws -> (expected: String, found: Advertisement) {
            let commit = try remote.push(["index.html": tag])
            try remote.source.git(annotated ? "tag" : "tag", annotated ? "-am\(tag)" : "--no-sign", tag)
            try remote.source.git("push", "-q", "origin", "--tags")
            return (commit, try await upstream.discover())
        }
        await #expect(throws: UpstreamError.self) { try await upstream.discover() }
        let first = try await release("v1.2.0")
        #expect(first.found.commit.description == first.expected && first.found.ref == "refs/tags/v1.2.0")
        #expect(try await release("v2.0.0").found == first.found)
        #expect(try await release("v1.9.0-rc.1").found == first.found)
        let annotated = try await release("1.10.0", annotated: true)
        #expect(annotated.found.commit.description == annotated.expected && annotated.found.ref == "refs/tags/1.10.0")
        #expect(try await release("v1.9.9").found == annotated.found)
        let folder = try TemporaryFolder()
        let id = try await remote.fetch(upstream, into: Store(path: folder("git")), depth: 1)
        #expect(id.description == annotated.expected)
    }

    @Test func `a list of many tags comes compressed where the server can, and one that comes without an end does not`()
        async throws
    {
        let remote = try await SmartRemote(.http)
        let tip = try remote.source.head
        let tags = (0..<2_000).map { "create refs/tags/v1.2.\($0) \(tip)\n" }.joined()
        try remote.bareFolder.write(tags, to: "tags")
        try Command.run(["sh", "-c", "git -C \(remote.bare) update-ref --stdin < \(remote.bareFolder("tags"))"])
        remote.options.ref = try #require(RefSelection(reading: "semver:^1.2"))
        var sizes: [Int] = []
        for compresses in [false, true] {
            let server = try await Nginx(gitRepositoriesIn: remote.bareFolder.path, compresses: compresses)
            remote.options.url = try RemoteURL("http://127.0.0.1:\(server.port)/site.git")
            #expect(try await remote.upstream().discover().ref == "refs/tags/v1.2.1999")
            func sent() -> Int? {
                let line = server.accessLog.split(separator: "\n").first { $0.contains("POST") }
                return line.flatMap { Int($0.split(separator: "\"")[2].split(separator: " ")[1]) }
            }
            try await eventually("the log is written") { sent() != nil }
            sizes.append(try #require(sent()))
        }
        #expect(sizes[0] > 100_000 && sizes[1] * 3 < sizes[0], "\(sizes)")

        // A gigabyte of the same byte, in a megabyte.
        let bomb = remote.bareFolder("bomb")
        try Command.run(["sh", "-c", "head -c 1G /dev/zero | gzip -1 > \(bomb)"])
        let body = try #require(FileManager.default.contents(atPath: bomb))
        let header =
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Encoding: gzip\r\n"
            + "Content-Length: \(body.count)\r\n\r\n"
        let trap = try HTTPTrap(always: Array(header.utf8) + Array(body))
        remote.options.url = try RemoteURL("http://127.0.0.1:\(trap.port)/site.git")
        await #expect {
            _ = try await remote.upstream().discover()
        } throws: {
            guard case UpstreamError.serverFailed = $0 else { return false }
            return true
        }
    }
}
