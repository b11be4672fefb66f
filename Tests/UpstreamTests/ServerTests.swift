import Foundation
import Git
import Synchronization
import TestSupport
import Testing

@testable import Upstream

@Suite struct `Servers that misbehave` {
    private func upstream(
        _ url: String, user: String? = nil, password: String? = nil, timeout: Double = 2
    ) throws -> any Upstream {
        let source = CredentialSource(user: user, password: password.map { .value(Secret($0)) })
        return try UpstreamOptions(url: RemoteURL(url), credentials: source, timeout: timeout)
            .makeUpstream(on: GitExecutor())
    }

    @Test func `a redirect to another server does not take the login along`() async throws {
        let trap = try HTTPTrap { _ in
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
        }
        let port = trap.port
        let front = try HTTPTrap { request in
            let path = request.split(separator: " ").dropFirst().first ?? ""
            return "HTTP/1.1 302 Found\r\nLocation: http://localhost:\(port)\(path)\r\nContent-Length: 0\r\n\r\n"
        }
        let upstream = try upstream("http://127.0.0.1:\(front.port)/x.git", user: "reader", password: "s3cr3t")
        await #expect(throws: UpstreamError.self) { try await upstream.discover() }
        #expect(!trap.requests.isEmpty || !front.requests.isEmpty)
        #expect(!trap.requests.contains { $0.lowercased().contains("authorization") }, "\(trap.requests)")
    }

    @Test(arguments: [
        ("403 Forbidden", "forbids access"), ("404 Not Found", "there is no repository"), ("500 Oops", "failed"),
        ("502 Bad Gateway", "failed"), ("200 OK", "is no git server"),
    ])
    func `answers that are no repository are told apart`(status: String, words: String) async throws {
        let trap = try HTTPTrap { _ in
            "HTTP/1.1 \(status)\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>"
        }
        let upstream = try upstream("http://127.0.0.1:\(trap.port)/x.git")
        do {
            _ = try await upstream.discover()
            Issue.record("it was taken for a repository")
        } catch let error as UpstreamError {
            #expect("\(error)".contains(words), "\(error)")
        }
    }

    @Test func `an endless redirect ends`() async throws {
        let port = Mutex<UInt16>(0)
        let trap = try HTTPTrap { _ in
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:\(port.withLock { $0 })/again.git/info/refs?service=git-upload-pack\r\nContent-Length: 0\r\n\r\n"
        }
        port.withLock { $0 = trap.port }
        let upstream = try upstream("http://127.0.0.1:\(trap.port)/x.git")
        await #expect(throws: UpstreamError.self) { try await upstream.discover() }
        #expect(trap.requests.count < 50)
    }

    @Test func `cancellation ends a wait for a silent server at once`() async throws {
        let trap = try HTTPTrap { _ in nil }
        let upstream = try upstream("http://127.0.0.1:\(trap.port)/x.git", timeout: 60)
        let task = Task { try await upstream.discover() }
        try await eventually("the request arrives") { !trap.requests.isEmpty }
        let start = Date()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(Date().timeIntervalSince(start) < 20, "the limit is a minute")
    }

    @Test func `a host that does not answer is given up after the limit, all its addresses together`() async throws {
        // A listener whose queue is full drops what comes: connect hangs as it does at a dead host.
        let full = try FullListener()
        let upstream = try upstream("http://127.0.0.1:\(full.port)/x.git", timeout: 1)
        let start = Date()
        await #expect(throws: UpstreamError.self) { try await upstream.discover() }
        #expect(Date().timeIntervalSince(start) < 20, "the system itself would try for two minutes")
    }
}
