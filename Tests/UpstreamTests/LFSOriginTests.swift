import Foundation
import Git
import Platform
import TestSupport
import Testing

@testable import Upstream

@Suite struct `A server of Git LFS that leads elsewhere` {
    @Test func `gets our login, and the object's own address gets what the server says for it`() async throws {
        let (exchange, storage) = (try Exchange(), try LFSServer())
        for data in exchange.data { try storage.add(data) }
        exchange.server.answers { request, server in
            guard request.isBatch else { return nil }
            return server.batch(request, href: { "\(storage.url)/object/\($0)" }, action: ["header": ["X-Key": "k"]])
        }
        try await exchange.fetch(userInfo: "me:s3cr3t@")
        #expect(try exchange.has())
        let login = "Basic " + Data("me:s3cr3t".utf8).base64EncodedString()
        #expect(exchange.requests("POST").map { $0.headers["authorization"] } == [login])
        #expect(storage.requests.map { $0.headers["authorization"] } == [nil])
        #expect(storage.requests.map { $0.headers["x-key"] } == ["k"])
    }

    @Test func `has no second login beside the one that it gives itself`() async throws {
        let login = "Basic " + Data("me:s3cr3t".utf8).base64EncodedString()
        for (action, object, expected): ([String: any Sendable], [String: any Sendable], String?) in [
            ([:], [:], login), (["header": ["authorization": "Bearer t"]], [:], "Bearer t"),
            ([:], ["authenticated": true], nil),
        ] {
            let exchange = try Exchange()
            exchange.server.answers { request, server in
                request.isBatch ? server.batch(request, action: action, object: object) : nil
            }
            try await exchange.fetch(userInfo: "me:s3cr3t@")
            #expect(exchange.requests("GET").map { $0.headers["authorization"] } == [expected])
        }
    }

    /// Of two logins at one host the one that is listed for the repository's path.
    @Test func `gets the login that is listed for its path`() async throws {
        for (path, user) in [("team", "ours"), ("other", "theirs")] {
            let exchange = try Exchange()
            let host = "127.0.0.1:\(exchange.server.port)"
            try exchange.folder.write(
                "http://ours:p@\(host)/team/site.git\nhttp://theirs:p@\(host)/other\n", to: "logins")
            try await exchange.fetch({
                $0.credentials.file = exchange.folder("logins")
                $0.url = (try? RemoteURL("http://\(host)/\(path)/site.git")) ?? $0.url
            })
            #expect(try exchange.has())
            let login = "Basic " + Data("\(user):p".utf8).base64EncodedString()
            #expect(exchange.requests("POST").map { $0.headers["authorization"] } == [login])
        }
    }

    @Test func `may redirect to another origin, which is told nothing`() async throws {
        let (exchange, storage) = (try Exchange(), try LFSServer())
        for data in exchange.data { try storage.add(data) }
        exchange.server.answers { request, server in
            if request.isBatch { return server.batch(request, action: ["header": ["X-Key": "k"]]) }
            if request.path.hasPrefix("/object/") { return .init(302, ["Location": "/here" + request.path]) }
            return .init(307, ["Location": storage.url + request.path])
        }
        try await exchange.fetch(userInfo: "me:s3cr3t@")
        #expect(try exchange.has())
        // As long as it stays where it is, it is who it was.
        #expect(exchange.requests("GET").map { $0.headers["x-key"] } == ["k", "k"])
        #expect(storage.requests.count == 1)
        #expect(storage.requests.allSatisfy { $0.headers["x-key"] == nil && $0.headers["authorization"] == nil })
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/x", "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/x",
        "http://[::ffff:169.254.169.254]/x", "http://2852039166/x", "http://0xa9fea9fe/x",
        "http://0251.0376.0251.0376/x",
        "http://[fd00:ec2::254]/x", "http://100.100.100.200/x", "//169.254.169.254/x", "gopher:x",
    ])
    func `leads to no file and to no address of the link`(place: String) async throws {
        let isRefused: @Sendable (any Error) -> Bool = { if case LFSError.placeRefused = $0 { true } else { false } }
        let exchange = try Exchange()
        exchange.server.answers { request, _ in request.isBatch ? nil : .init(302, ["Location": place]) }
        await #expect { try await exchange.fetch() } throws: { isRefused($0) }
        exchange.server.answers { request, server in server.batch(request, href: { _ in place }) }
        await #expect { try await exchange.fetch() } throws: { isRefused($0) }
        exchange.server.answers { _, _ in .init(302, ["Location": place]) }
        await #expect { try await exchange.fetch() } throws: { isRefused($0) }
        #expect(exchange.requests("GET").count == 1)
    }

    @Test func `redirects without end are given up`() async throws {
        let exchange = try Exchange()
        exchange.server.answers { request, _ in request.isBatch ? nil : .init(302, ["Location": request.path]) }
        await #expect { try await exchange.fetch() } throws: { _ in true }
        #expect(exchange.requests("GET").count < 60)
    }

    // MARK: where it is

    @Test func `is the repository's own, whatever a commit says`() async throws {
        let (exchange, other) = (try Exchange(), try LFSServer())
        for address in [other.url, "https://127.0.0.1:\(exchange.server.port)/x", "file:///tmp/x", "../x", ""] {
            await #expect { try await exchange.fetch(userInfo: "me:s3cr3t@", config: address) } throws: {
                if case LFSError.otherServer = $0 { true } else { false }
            }
        }
        #expect(other.requests.isEmpty && exchange.server.requests.isEmpty)
        // At the same place it says where.
        try await exchange.fetch(config: "\(exchange.server.url)/elsewhere/")
        #expect(exchange.requests("POST").map(\.path) == ["/elsewhere/objects/batch"])
        // The operator may name any, and the repository's login is not for it.
        let operators = try Exchange()
        for data in operators.data { try other.add(data) }
        try await operators.fetch({ $0.lfs = LFSAddress(other.url + "/") }, userInfo: "me:s3cr3t@", config: "file:///x")
        #expect(try operators.has())
        #expect(other.requests.filter(\.isBatch).map(\.path) == ["/objects/batch"])
        #expect(other.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    /// Against git-lfs: what it says of where it would look.
    @Test func `is looked for where git-lfs looks`() throws {
        let repository = try GitRepository()
        try repository.git("remote", "add", "origin", "x")
        var random = SeededNumbers(seed: SeededNumbers.seed)
        let hosts = ["example.org", "h", "10.0.0.1", "[::1]", "h:8080", "EXAMPLE.org"]
        let paths = ["a/b", "a/b.git", "b", "a/b/", "a/b.git/", "a.git/b", "a/b.GIT", "a/.git", "~me/b", "a/b.gitx"]
        for _ in 0..<60 {
            let (host, path) = (hosts.randomElement(using: &random)!, paths.randomElement(using: &random)!)
            let bare = String(host.split(separator: ":").first ?? "h")
            let address = [
                "https://\(host)/\(path)", "http://\(host)/\(path)", "ssh://git@\(host)/\(path)",
                "git://\(host)/\(path)",
                "git@\(bare):\(path)",
            ].randomElement(using: &random)!
            guard let url = try? RemoteURL(address) else { continue }
            // It does not take away the slash there, and knows no such host but over http.
            if url.transport == .ssh, address.hasSuffix("/") { continue }
            if url.transport != .http, url.transport != .https, host.hasPrefix("[") { continue }
            try repository.git("remote", "set-url", "origin", address)
            let said = try repository.git("lfs", "env")
            let line = try #require(said.split(separator: "\n").first { $0.hasPrefix("Endpoint=") })
            let expected = line.dropFirst(9).prefix { $0 != " " }
            #expect(url.lfsAddress?.url ?? "" == expected, "\(address)")
        }
    }
}
