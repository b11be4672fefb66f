import Foundation
import Git
import Synchronization
import TestSupport
import Testing

@testable import Upstream

@Suite struct `A GitHub App` {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        // The form in which GitHub hands keys out: PKCS #1.
        try Command.run(["openssl", "genrsa", "-traditional", "-out", folder("key.pem"), "2048"])
        try Command.run(["openssl", "rsa", "-in", folder("key.pem"), "-pubout", "-out", folder("public.pem")])
    }

    /// The API, and how long the tokens live that it gives out.
    private func api(living seconds: Double, status: String = "201 Created") throws -> HTTPTrap {
        let count = Mutex(0)
        return try HTTPTrap { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            let end = ISO8601DateFormatter().string(from: Date().addingTimeInterval(seconds))
            let body = #"{"token":"ghs_token\#(number)","expires_at":"\#(end)","permissions":{"contents":"read"}}"#
            return
                "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
    }

    /// A git server that refuses everybody, to see what it is sent.
    private func server() throws -> HTTPTrap {
        try HTTPTrap { _ in "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n" }
    }

    private func options(_ server: HTTPTrap, _ api: HTTPTrap) throws -> UpstreamOptions {
        var options = UpstreamOptions(
            url: try RemoteURL("http://127.0.0.1:\(server.port)/site.git"), timeout: patience)
        options.app = GitHubAppOptions(
            app: "Iv1.abc", installation: "42", key: .file(folder("key.pem")),
            api: "http://127.0.0.1:\(api.port)/api/v3")
        return options
    }

    @Test func `shows that it has the key, and its token is the password`() async throws {
        let (api, server) = (try api(living: 3_600), try server())
        await #expect(throws: UpstreamError.self) {
            try await options(server, api).makeUpstream(on: GitExecutor()).discover()
        }
        let asked = try #require(api.requests.first)
        #expect(asked.hasPrefix("POST /api/v3/app/installations/42/access_tokens HTTP/1.1\r\n"), "\(asked)")
        let jwt = try #require(
            asked.firstMatch(of: /(?i:authorization): Bearer ([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)/))
        func data(_ text: Substring) throws -> Data {
            let padded =
                text.replacing("-", with: "+").replacing("_", with: "/")
                + String(repeating: "=", count: (4 - text.count % 4) % 4)
            return try #require(Data(base64Encoded: String(padded)))
        }
        let claims = try JSONSerialization.jsonObject(with: data(jwt.2)) as? [String: Any]
        #expect(claims?["iss"] as? String == "Iv1.abc")
        let (begin, end, now) = (
            claims?["iat"] as? Double ?? 0, claims?["exp"] as? Double ?? 0, Date().timeIntervalSince1970
        )
        #expect(begin < now && end > now && end - begin <= 600, "GitHub takes ten minutes at most")
        try data(jwt.3).write(to: URL(fileURLWithPath: folder("signature")))
        try folder.write("\(jwt.1).\(jwt.2)", to: "signed")
        let verdict = try Command.run([
            "openssl", "dgst", "-sha256", "-verify", folder("public.pem"), "-signature", folder("signature"),
            folder("signed"),
        ])
        #expect(verdict.text.contains("Verified OK"))
        let login = Data("x-access-token:ghs_token1".utf8).base64EncodedString()
        #expect(server.requests.first?.contains("Basic \(login)") == true)
    }

    @Test func `a token is renewed before its end, and one that is refused is not used again`() async throws {
        for (seconds, expected) in [(3_600.0, 1), (200.0, 3)] {
            let remote = try await SmartRemote(.http)
            let api = try api(living: seconds)
            remote.options.app = GitHubAppOptions(
                app: "1", installation: "2", key: .file(folder("key.pem")), api: "http://127.0.0.1:\(api.port)")
            let upstream = try remote.upstream()
            for _ in 0..<3 { _ = try await upstream.discover() }
            #expect(api.requests.count == expected, "\(seconds)")
        }
        let (api, server) = (try api(living: 3_600), try server())
        let upstream = try options(server, api).makeUpstream(on: GitExecutor())
        for _ in 0..<2 { await #expect(throws: UpstreamError.self) { try await upstream.discover() } }
        #expect(api.requests.count == 2)
    }

    @Test func `an App that is refused, and a key that is none, are told apart`() async throws {
        let server = try server()
        let refused = try api(living: 3_600, status: "404 Not Found")
        await #expect {
            try await options(server, refused).makeUpstream(on: GitExecutor()).discover()
        } throws: {
            guard case UpstreamError.appRefused(_, 404, _) = $0 else { return false }
            return ($0 as? UpstreamError)?.isAuthentication == true
        }
        try folder.write("no key", to: "key.pem")
        await #expect {
            try await options(server, refused).makeUpstream(on: GitExecutor()).discover()
        } throws: {
            guard case UpstreamError.appKeyUnusable = $0 else { return false }
            return true
        }
        #expect(server.requests.isEmpty)
    }

    @Test(arguments: [
        ("502 Bad Gateway", "", false), ("500 Oops", "", false), ("503 Unavailable", "Retry-After: 7\r\n", false),
        ("429 Slow", "", false), ("403 Limit", "Retry-After: 7\r\n", false), ("401 No", "", true), ("403 No", "", true),
        ("422 Suspended", "", true),
    ])
    func `an API that is down or busy is not an App that is refused`(status: String, header: String, refuses: Bool)
        async throws
    {
        let server = try server()
        let body = #"{"message":"As it is."}"#
        let down = try HTTPTrap { _ in
            "HTTP/1.1 \(status)\r\n\(header)Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        let upstream = try options(server, down).makeUpstream(on: GitExecutor())
        await #expect {
            try await upstream.discover()
        } throws: {
            guard let error = $0 as? UpstreamError, "\(error)".contains("127.0.0.1:\(down.port)") else { return false }
            return error.isAuthentication == refuses && error.isTransient != refuses
                && "\(error)".hasSuffix("As it is.")
                && (error.retryAfter != nil) == !header.isEmpty
        }
        // Whoever asks to be left alone is.
        if !header.isEmpty {
            await #expect(throws: UpstreamError.self) { try await upstream.discover() }
            #expect(down.requests.count == 1)
        }
        #expect(server.requests.isEmpty)
    }

    @Test func `an API that nobody can connect to is named, and not the git server`() async throws {
        let server = try server()
        var options = try options(server, server)
        let gone = try freePort()
        options.app?.api = "http://127.0.0.1:\(gone)/api/v3"
        await #expect {
            try await options.makeUpstream(on: GitExecutor()).discover()
        } throws: {
            guard case UpstreamError.unreachable(let host, _) = $0 else { return false }
            return host == "127.0.0.1:\(gone)"
        }
    }

    @Test(arguments: [
        ("https://api.github.com", true), ("http://127.0.0.1:80/api", true), ("http://localhost", true),
        ("http://[::1]:1", true), ("http://127.0.0.1.example.org", false), ("http://example.org", false),
        ("ssh://127.0.0.1", false), ("https://user:pass@example.org", false), ("x", false),
    ])
    func `its key is shown over https alone, or on this machine`(api: String, isTaken: Bool) {
        #expect(GitHubAppOptions.accepts(api: api) == isTaken)
    }
}
