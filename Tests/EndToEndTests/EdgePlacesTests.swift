import Platform
import Foundation
import TestSupport
import Testing

/// Places at the edge for those who have a reason to be there.
@Suite struct `A crowd at the edge` {
    private static let secret = "s3cr3t-and-long"

    private struct Site {
        let source: GitRepository
        let folder: TemporaryFolder
        let sidekick: Sidekick
        let edge: Curl
        let port: UInt16

        init() async throws {
            source = try GitRepository()
            try source.commit(["index.html": "one"])
            folder = try TemporaryFolder()
            sidekick = try Sidekick(
                [source.path, folder("www"), "--listen", "127.0.0.1:0", "--delay", "1h"],
                environment: ["SIDEKICK_WEBHOOK_SECRET": secret])
            edge = try await sidekick.edge()
            port = try #require(sidekick.log.firstMatch(of: /address=127\.0\.0\.1:(\d+)/).flatMap { UInt16($0.1) })
            try await sidekick.prints("published")
        }
    }

    private static func send(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func signature(_ body: String) -> String {
        let code = MessageCode(of: Array(body.utf8), key: secret.utf8).bytes
        return "sha256=" + code.map { String(format: "%02x", $0) }.joined()
    }

    @Test func `who sends bodies slowly and without a secret shuts nobody out who has one`() async throws {
        let site = try await Site()
        let zeros = String(repeating: "0", count: 64)
        let strangers = try (0..<60).map { _ in try connected(to: site.port) }
        defer { for stranger in strangers { close(stranger) } }
        for stranger in strangers {
            Self.send(
                "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\nX-GitHub-Event: push\r\n"
                    + "X-Hub-Signature-256: sha256=\(zeros)\r\n\r\n{", to: stranger)
        }
        try await Task.sleep(for: .milliseconds(500))
        let body = #"{"zen": "x"}"#
        let signed = try site.edge.ask(
            "/webhooks/github", body: body, ["X-GitHub-Event": "ping", "X-Hub-Signature-256": Self.signature(body)])
        #expect(signed.status == 200, "\(signed)")
        let bearer = try site.edge.ask("/webhooks/generic", body: "{}", ["Authorization": "Bearer \(Self.secret)"])
        #expect(bearer.status == 202, "\(bearer)")
    }

    @Test func `who opens connections and asks nothing leaves liveness its answer`() async throws {
        let site = try await Site()
        var strangers: [Int32] = []
        defer { for stranger in strangers { close(stranger) } }
        for number in 0..<600 {
            guard let stranger = try? connected(to: site.port) else { break }
            strangers.append(stranger)
            if number % 50 == 0 { #expect(try site.edge.ask("/livez").status == 200, "\(number)") }
        }
        #expect(strangers.count > 300)
        for _ in 0..<5 { #expect(try site.edge.ask("/livez").status == 200) }
    }

    @Test func `a connection has one answer, however many questions it sends at once`() async throws {
        let site = try await Site()
        for count in [1, 5, 2_000] {
            let client = try connected(to: site.port)
            defer { close(client) }
            Self.send(String(repeating: "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", count: count), to: client)
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let received = recv(client, &buffer, buffer.count, 0)
                guard received > 0 else { break }
                answer += buffer[..<received]
            }
            let text = String(decoding: answer, as: UTF8.self)
            #expect(text.components(separatedBy: "HTTP/1.1 ").count == 2, "\(count): \(text.prefix(400))")
        }
    }

    @Test(arguments: [" \n", "whsec_\n", "\t\r\n \nwhsec_\r\n"])
    func `what is no secret lets nobody in`(file: String) async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        try folder.write(file + Self.secret + "\n", to: "secret")
        let sidekick = try Sidekick(
            [source.path, folder("www"), "--listen", "127.0.0.1:0", "--delay", "1h"],
            environment: ["SIDEKICK_WEBHOOK_SECRET_FILE": folder("secret")])
        let edge = try await sidekick.edge()
        for token in [" ", "", "whsec_", "\t"] {
            #expect(
                try edge.ask("/webhooks/gitlab", body: "{}", ["X-Gitlab-Token": token, "X-Gitlab-Event": "Push Hook"])
                    .status == 401)
            let code = MessageCode(of: Array("{}".utf8), key: (token == "whsec_" ? "" : token).utf8).bytes
            let signature = "sha256=" + code.map { String(format: "%02x", $0) }.joined()
            let answer = try edge.ask(
                "/webhooks/github", body: "{}", ["X-GitHub-Event": "ping", "X-Hub-Signature-256": signature])
            #expect(answer.status == 401, "\(token.debugDescription)")
        }
        #expect(try edge.ask("/webhooks/generic", body: "{}", ["Authorization": "Bearer \(Self.secret)"]).status == 202)
    }
}
