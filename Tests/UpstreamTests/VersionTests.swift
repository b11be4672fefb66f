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
            "1.2.99999999999",
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

    @Test(arguments: ["local", "old"] + SmartRemote.Door.allCases.map(\.rawValue))
    func `the highest tag in the range is followed, annotated or not`(door: String) async throws {
        let remote = try await SmartRemote(.init(rawValue: door) ?? .http, version2: door != "old")
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
}
