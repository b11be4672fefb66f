import Foundation
import Git
import Platform
import TestSupport
import Testing

@testable import Upstream

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
        #expect(try mode(exchange.store.path) == 0o700)
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
        await #expect { try await other.fetch({ $0.timeout = .seconds(1) }) } throws: {
            if case UpstreamError.stalled = $0 { true } else { false }
        }
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

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }
}
