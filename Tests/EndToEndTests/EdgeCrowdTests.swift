import Foundation
import TestSupport
import Testing

/// What a port that others can reach has to bear.
@Suite struct `Whoever knocks` {
    private static let secret = "s3cr3t"

    /// A sidekick that passes ten times a second over http, so that its server's log tells its pace.
    private struct Loaded {
        let remote: HTTPRemote
        let folder: TemporaryFolder
        let sidekick: Sidekick
        let edge: Curl
        let port: UInt16

        init() async throws {
            remote = try await HTTPRemote(["index.html": "one"])
            folder = try TemporaryFolder()
            sidekick = try Sidekick(
                [remote.url(), folder("www"), "--listen", "127.0.0.1:0", "--delay", "100ms"],
                environment: ["SIDEKICK_WEBHOOK_SECRET": secret])
            edge = try await sidekick.edge()
            port = try #require(sidekick.log.firstMatch(of: /address=127\.0\.0\.1:(\d+)/).flatMap { UInt16($0.1) })
            try await sidekick.prints("published")
        }

        var passes: Int { remote.server.accessLog.split(separator: "\n").count }

        /// Megabytes.
        var memory: Int {
            let text = (try? String(contentsOfFile: "/proc/\(sidekick.pid)/status", encoding: .utf8)) ?? ""
            return (text.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) } ?? 0) / 1024
        }

        /// Passes a second.
        func pace(over seconds: Double) async throws -> Double {
            let (start, before) = (Date(), passes)
            try await Task.sleep(for: .seconds(seconds))
            return Double(passes - before) / Date().timeIntervalSince(start)
        }
    }

    @Test func `slow clients, crowds and large bodies leave the loop its pace, and the memory where it was`()
        async throws
    {
        let loaded = try await Loaded()
        let calm = try await loaded.pace(over: 2)
        let memory = loaded.memory
        #expect(calm > 5)

        // Headers that never end, a byte at a time.
        let slow = try (0..<200).map { _ in try Client(loaded.port) }
        for client in slow { client.send("GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ") }
        let dripping = Task {
            for _ in 0..<40 {
                for client in slow { client.send("a") }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        let bothered = try await loaded.pace(over: 2)
        #expect(bothered > calm * 0.5, "\(calm) passes a second became \(bothered)")
        #expect(try loaded.edge.ask("/livez").status == 200)
        try await dripping.value
        try await eventually(within: 15, "they are sent away") { slow.allSatisfy(\.isClosed) }

        // A thousand at once: each is answered.
        let crowd = try (0..<1_000).map { _ in try Client(loaded.port) }
        let during = Task { try await loaded.pace(over: 1) }
        for client in crowd { client.send("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") }
        try await eventually(within: 20, "all are answered") {
            // As clients do that have their answer.
            for client in crowd where client.received.hasPrefix("HTTP/1.1 200") { client.close() }
            return crowd.allSatisfy { $0.received.hasPrefix("HTTP/1.1 200") }
        }
        #expect(try await during.value > calm * 0.5)

        // Bodies that nobody asked for.
        let heavy = try (0..<60).map { _ in try Client(loaded.port) }
        for client in heavy {
            // What could be right as far as its header tells.
            let signature = String(repeating: "a", count: 64)
            client.send("POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256=\(signature)\r\n")
            client.send("Content-Length: 900000\r\n\r\n")
            client.send(String(repeating: "x", count: 800_000))
        }
        let busy = try await loaded.pace(over: 2)
        #expect(busy > calm * 0.5)
        #expect(loaded.memory < memory + 60 * Sanitizer.toll, "\(memory) MB became \(loaded.memory)")
        // Whoever came later needed their places.
        #expect(heavy.contains { $0.received.hasPrefix("HTTP/1.1 408") })
        for client in heavy + crowd + slow { client.close() }
        try await eventually(within: 15, "there is room again") {
            try loaded.edge.ask("/webhooks/generic", body: "", ["Authorization": "Bearer \(Self.secret)"]).status == 202
        }
        #expect(try await loaded.sidekick.stop() == 0)
    }

    @Test func `what is no request, or too large, is refused, and everything goes on`() async throws {
        let loaded = try await Loaded()
        let post = "POST /webhooks/generic HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(Self.secret)\r\n"
        let large = String(repeating: "x", count: 1_200_000)
        let cases: [(request: String, answers: [String])] = [
            ("GARBAGE\r\n\r\n", ["400", ""]), ("\r\n\r\n\r\n", ["400", ""]), ("GET\r\n\r\n", ["400", ""]),
            ("GET / HTTP/9.9\r\n\r\n", ["400", "505", "200", ""]), ("\0\0\0\0", ["400", ""]),
            ("GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", ["400", ""]),
            (
                "GET /livez HTTP/1.1\r\nHost: x\r\n\(String(repeating: "X: y\r\n", count: 2_000))\r\n",
                ["400", "431", ""]
            ),
            ("GET /livez HTTP/1.1\r\nX: \(String(repeating: "y", count: 100_000))\r\n\r\n", ["400", "431", ""]),
            ("GET /\(String(repeating: "y", count: 100_000)) HTTP/1.1\r\n\r\n", ["400", "404", "414", ""]),
            (post + "Content-Length: 1200000\r\n\r\n" + large, ["413"]),
            (post + "Transfer-Encoding: chunked\r\n\r\n124f80\r\n\(large)\r\n", ["413"]),
            (post + "Content-Length: 99999999999999999999\r\n\r\n", ["400", "413", ""]),
            (post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", ["400", ""]),
            (post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ["400", ""]),
            ("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", ["405"]),
            ("POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", ["405"]),
        ]
        for (request, answers) in cases {
            let client = try Client(loaded.port)
            client.send(request)
            client.finish()
            try await eventually(within: 15, "\(request.prefix(60)) is answered: \(client.received)") {
                client.isClosed
            }
            let status = client.received.isEmpty ? "" : String(client.received.split(separator: " ")[1])
            #expect(answers.contains(status), "\(request.prefix(80)): \(client.received)")
            #expect(!client.received.contains("GARBAGE") && !client.received.contains("xxxx"))
        }
        let odd = [
            "//livez", "/livez/", "/LIVEZ", "/livez%00", "/%6civez", "/../livez", "/./livez", "/status/../metrics",
            "/webhooks/",
            "/webhooks", "/webhooks/GitHub", "/webhooks/github/", "/webhooks/..%2fsync", "/sync/", "/index.html",
            "/.git/config",
            "/.sidekick/www/status.json", "*", "/\u{e9}", "/\\livez", "/livez;x",
        ]
        for path in odd {
            let client = try Client(loaded.port)
            client.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            try await eventually(within: 15, "\(path) is answered") { client.isClosed }
            #expect(client.received.hasPrefix("HTTP/1.1 40"), "\(path): \(client.received)")
        }
        #expect(try await loaded.pace(over: 1) > 4)
        #expect(try loaded.edge.ask("/readyz").status == 200)
        #expect(try await loaded.sidekick.stop() == 0)
    }
}

/// A connection that does as it is told.
final class Client: @unchecked Sendable {
    private let descriptor: Int32
    private let lock = NSLock()
    private var text: [UInt8] = []
    private var isOver = false

    init(_ port: UInt16) throws {
        descriptor = try connected(to: port)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { Glibc.close(descriptor) }

    /// As much of it as the other side takes.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        for _ in 0..<200 where sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 { sent += count } else if errno == EAGAIN { usleep(1_000) } else { return }
        }
    }

    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }
    func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// What came so far.
    var received: String {
        lock.withLock {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while !isOver {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count > 0 {
                    text += buffer[..<count]
                } else {
                    isOver = count == 0 || errno != EAGAIN
                    break
                }
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    var isClosed: Bool {
        _ = received
        return lock.withLock { isOver }
    }
}
