import Foundation
import Git
import Platform
import TestSupport
import Testing

@testable import Upstream

/// A server of Git LFS, a store, and what is asked for between them.
private final class Exchange: Sendable {
    let server: LFSServer
    let folder: TemporaryFolder
    let objects: [LFSObject]
    let data: [Data]

    init(_ sizes: [Int] = [5_000]) throws {
        server = try LFSServer()
        folder = try TemporaryFolder()
        var random = SeededNumbers(seed: 7)
        data = sizes.map { size in Data((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }) }
        for data in data { try server.add(data) }
        objects = try data.map { data in
            let id = try #require(LFSObjectID(hex: lfsPointer(to: data).id.utf8))
            return LFSObject(id: id, size: Int64(data.count))
        }
    }

    var store: LFSStore { LFSStore(path: folder("lfs")) }

    func fetch(
        _ change: (inout UpstreamOptions) -> Void = { _ in }, userInfo: String = "", config: String? = nil,
        ref: ReferenceName? = nil
    ) async throws {
        var options = UpstreamOptions(
            url: try RemoteURL("http://\(userInfo)127.0.0.1:\(server.port)/team/site.git"), timeout: .seconds(1))
        change(&options)
        let config = try config.map { try LFSConfig(Array("[lfs]\n\turl = \($0)\n".utf8)) }
        try await LFSRemote(of: options, counting: Traffic()).fetch(
            LFSRequest(objects: objects, store: store, ref: ref, config: config)
        ) { _ in }
    }

    /// Whether an object is here with its own bytes.
    func has(_ index: Int = 0) throws -> Bool {
        var found = Data()
        do { try store.read(objects[index]) { found.append(contentsOf: $0) } } catch is LFSObjectMissing {
            return false
        }
        return found == data[index]
    }

    func requests(_ method: String) -> [LFSServer.Request] { server.requests.filter { $0.method == method } }
}

@Suite struct `A server of Git LFS` {
    @Test func `is asked for a hundred at once, with the reference, and has each once`() async throws {
        let exchange = try Exchange((1...130).map { $0 * 10 })
        try await exchange.fetch(ref: ReferenceName("refs/heads/main"))
        for index in exchange.objects.indices { #expect(try exchange.has(index)) }
        let batches = exchange.requests("POST")
        #expect(
            batches.map(\.path) == ["/team/site.git/info/lfs/objects/batch", "/team/site.git/info/lfs/objects/batch"])
        let asked = try #require(JSONSerialization.jsonObject(with: batches[0].body) as? [String: Any])
        #expect((asked["objects"] as? [Any])?.count == 100)
        #expect((asked["ref"] as? [String: String]) == ["name": "refs/heads/main"])
        #expect(asked["hash_algo"] as? String == "sha256" && asked["operation"] as? String == "download")
        #expect(batches[0].headers["accept"] == "application/vnd.git-lfs+json")
        #expect(batches[0].headers["content-type"] == "application/vnd.git-lfs+json")
        #expect(exchange.requests("GET").count == 130)
        // Nobody else may read what is in it.
        #expect(try FileStatusOfTests.mode(exchange.store.path) == 0o700)
    }

    @Test func `goes on where it broke off, in the same pass and in the next`() async throws {
        let exchange = try Exchange([400_000])
        exchange.server.answers { request, server in
            guard request.method == "GET" else { return nil }
            var answer = server.download(request)
            if request.headers["range"] == nil { answer.end = 100_000 }
            return answer
        }
        try await exchange.fetch()
        #expect(try exchange.has())
        let ranges = exchange.requests("GET").map { $0.headers["range"] }
        #expect(ranges.count == 2 && ranges[0] == nil, "\(ranges)")
        let start = try #require(ranges[1].flatMap { Int($0.dropFirst(6).prefix { $0 != "-" }) })
        #expect(start > 0 && start <= 100_000 && ranges[1]?.hasSuffix("-399999") == true, "\(ranges)")

        // A stall ends the pass; what came of it stays.
        let other = try Exchange([400_000])
        other.server.answers { request, server in
            guard request.method == "GET" else { return nil }
            var answer = server.download(request)
            answer.stall = 150_000
            return answer
        }
        await #expect { try await other.fetch() } throws: { if case UpstreamError.stalled = $0 { true } else { false } }
        #expect(other.store.bytesHere(of: other.objects[0]) == 150_000)
        other.server.answers { _, _ in nil }
        try await other.fetch()
        #expect(try other.has())
        #expect(other.requests("GET").last?.headers["range"] == "bytes=150000-399999")
    }

    @Test(arguments: ["200 in place of 206", "206 at another place", "416", "206 without a place"])
    func `that cannot go on there begins anew`(fault: String) async throws {
        let exchange = try Exchange([50_000])
        exchange.server.answers { request, server in
            guard request.method == "GET" else { return nil }
            var answer = server.download(request)
            guard request.headers["range"] != nil else {
                if server.requests.count == 2 { answer.end = 20_000 }
                return answer
            }
            switch fault {
            case "200 in place of 206": return .init(200, [:], server.object(String(request.path.dropFirst(8)))!)
            case "206 at another place": answer.headers["Content-Range"] = "bytes 10-49999/50000"
            case "416": return .init(416)
            default: answer.headers["Content-Range"] = nil
            }
            return answer
        }
        try await exchange.fetch()
        #expect(try exchange.has(), "\(fault)")
    }

    @Test(arguments: ["other bytes", "more", "other bytes after a break"])
    func `that sends what it should not is not believed`(fault: String) async throws {
        let exchange = try Exchange([50_000])
        exchange.server.answers { request, server in
            guard request.method == "GET" else { return nil }
            var answer = server.download(request)
            switch fault {
            case "more": answer.body += Data([0])
            case "other bytes": answer.body[answer.body.startIndex + 49_000] ^= 1
            default:
                if request.headers["range"] == nil { answer.end = 20_000 }
                answer.body = Data(answer.body.map { $0 ^ 1 })
            }
            return answer
        }
        await #expect { try await exchange.fetch() } throws: {
            if case LFSError.wrongBytes = $0 { true } else { false }
        }
        #expect(try !exchange.has())
        #expect(!exchange.store.contains(exchange.objects[0]))
        exchange.server.answers { _, _ in nil }
        try await exchange.fetch()
        #expect(try exchange.has())
    }

    @Test func `says how it is when an object is not there, which is named`() async throws {
        let exchange = try Exchange()
        exchange.server.answers { request, _ in
            request.isBatch
                ? .init(
                    200, ["Content-Type": "application/vnd.git-lfs+json; charset=utf-8"],
                    Data(
                        #"{"objects":[{"oid":"\#(exchange.objects[0].id)","size":5000,"error":{"code":404,"message":"gone"}}]}"#
                            .utf8)) : nil
        }
        await #expect { try await exchange.fetch() } throws: { error in
            guard case LFSError.missing(let object, _, let words) = error else { return false }
            return object == exchange.objects[0] && words == "gone"
        }
        for body in [
            #"{"objects":[]}"#, #"{"objects":[{"oid":"\#(exchange.objects[0].id)","size":5000}]}"#,
            #"{"objects":[{"oid":"\#(exchange.objects[0].id)","size":5000,"actions":{}}]}"#,
        ] {
            exchange.server.answers { request, _ in request.isBatch ? .init(200, [:], Data(body.utf8)) : nil }
            await #expect { try await exchange.fetch() } throws: {
                if case LFSError.missing = $0 { true } else { false }
            }
        }
    }

    /// giftless says 404 of a batch of which it has none, and 422 when all sizes differ; others 413 when it is too large.
    @Test(arguments: [404, 413, 422])
    func `that refuses a batch is asked for halves of it`(status: Int) async throws {
        let exchange = try Exchange([10, 20, 30, 40, 50])
        exchange.server.answers { request, server in
            guard request.isBatch, server.batch(request).body.count > 600 else { return nil }
            return .init(status)
        }
        try await exchange.fetch()
        for index in exchange.objects.indices { #expect(try exchange.has(index)) }
        exchange.server.answers { _, _ in
            .init(status, ["Content-Type": "application/json"], Data(#"{"message":"no"}"#.utf8))
        }
        let other = try Exchange([60])
        other.server.answers { _, _ in
            .init(status, ["Content-Type": "application/json"], Data(#"{"message":"no"}"#.utf8))
        }
        await #expect { try await other.fetch() } throws: { error in
            switch error {
            case LFSError.missing(_, _, let words): status == 404 && words == "no"
            case LFSError.refused(_, _, let code, let words): status != 404 && code == status && words == "no"
            default: false
            }
        }
    }

    @Test(arguments: [401, 403, 406, 429, 500, 501, 503, 507, 509])
    func `means by a status what it says`(status: Int) async throws {
        let exchange = try Exchange()
        exchange.server.answers { request, _ in request.isBatch ? .init(status, ["Retry-After": "7"]) : nil }
        await #expect { try await exchange.fetch() } throws: { error in
            switch (status, error) {
            case (401, UpstreamError.authentication), (406, LFSError.notLFS), (501, LFSError.notLFS),
                (500, UpstreamError.serverFailed), (507, LFSError.quota), (509, LFSError.quota):
                true
            case (403, UpstreamError.busy(_, _, let time, _)), (429, UpstreamError.busy(_, _, let time, _)),
                (503, UpstreamError.busy(_, _, let time, _)):
                time == .seconds(7)
            default: false
            }
        }
        // Of an object as well; a server that failed is asked again.
        exchange.server.answers { request, _ in request.isBatch ? nil : .init(status) }
        await #expect { try await exchange.fetch() } throws: { _ in true }
        #expect(
            exchange.requests("GET").count
                == ([429, 500, 503].contains(status) ? 4 : [401, 403].contains(status) ? 2 : 1))
    }

    @Test func `renews a link that is over, and once more one that is refused`() async throws {
        let exchange = try Exchange()
        exchange.server.answers { request, server in
            guard request.isBatch else { return nil }
            let isFirst = server.requests.filter(\.isBatch).count == 1
            return server.batch(request, action: ["expires_in": isFirst ? 1 : 600])
        }
        try await exchange.fetch()
        #expect(exchange.requests("POST").count == 2 && exchange.requests("GET").count == 1)

        let other = try Exchange()
        other.server.answers { request, server in
            if request.isBatch {
                let at = server.requests.filter(\.isBatch).count == 1 ? "2016-11-10T15:29:07Z" : "2100-01-01T00:00:00Z"
                return server.batch(request, action: ["expires_at": at])
            }
            return server.requests.filter { $0.method == "GET" }.count == 1 ? .init(403) : nil
        }
        try await other.fetch()
        #expect(other.requests("POST").count == 3 && other.requests("GET").count == 2)
    }

    @Test func `is no server of Git LFS when it answers with something else`() async throws {
        let exchange = try Exchange()
        for (type, body) in [("text/html", "<html>"), ("application/json", "{}"), ("application/json", "")] {
            exchange.server.answers { request, _ in
                request.isBatch ? .init(200, ["Content-Type": type], Data(body.utf8)) : nil
            }
            await #expect { try await exchange.fetch() } throws: {
                if case LFSError.notLFS = $0 { true } else { false }
            }
        }
        for body in [#"{"transfer":"tus","objects":[]}"#, #"{"hash_algo":"sha512","objects":[]}"#] {
            exchange.server.answers { request, _ in request.isBatch ? .init(200, [:], Data(body.utf8)) : nil }
            await #expect { try await exchange.fetch() } throws: {
                if case LFSError.unsupported = $0 { true } else { false }
            }
        }
    }

    // MARK: who is told what

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

enum FileStatusOfTests {
    static func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }
}
