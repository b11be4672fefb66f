import Platform
import Foundation
import Git
import Synchronization
import TestSupport
import Testing

@testable import Upstream

@Suite struct `Servers that misbehave` {
    private func upstream(
        _ url: String, user: String? = nil, password: String? = nil, timeout: Duration = patience
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

    /// What a forge says when it refuses, as git repeats it.
    @Test(arguments: [
        ("401 Unauthorized", "text/plain; charset=utf-8", "The token has expired.\nMore.", "The token has expired."),
        (
            "403 Forbidden", "text/plain", "\r\n\r\n  The IP address 192.0.2.7 is not allowed. \r\n",
            "The IP address 192.0.2.7 is not allowed."
        ),
        ("404 Not Found", "TEXT/PLAIN", "Not here: \u{1b}[2K\u{202e}", "Not here: \\u{1B}[2K\\u{202E}"),
        ("429 Too Many Requests", "text/plain", "slow down", "slow down"),
        ("500 Oops", "text/plain", "disk is full", "disk is full"),
        ("503 Unavailable", "application/json", #"{"message":"We are down.\nSorry."}"#, "We are down."),
        (
            "403 Forbidden", "text/plain", String(repeating: "x", count: 100_000),
            String(repeating: "x", count: 300) + "…"
        ),
    ])
    func `what it says for itself is told, in one line`(status: String, type: String, body: String, words: String)
        async throws
    {
        let trap = try HTTPTrap { _ in
            "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        }
        for password in [nil, "s3cr3t"] {
            let upstream = try upstream("http://127.0.0.1:\(trap.port)/x.git", password: password)
            await #expect {
                try await upstream.discover()
            } throws: {
                "\($0)".hasSuffix(": " + words)
            }
        }
    }

    @Test(arguments: [
        ("text/html", "<html>go away</html>"), ("text/plain", " <!DOCTYPE html><p>go away"), ("text/plain", ""),
        ("application/json", "[1, 2]"), ("image/png", "go away"), ("text/plain", "you sent s3cr3t"),
        ("text/plain", "you sent cmVhZGVyOnMzY3IzdA==, go away"),
    ])
    func `a page for people, a text of another kind and what was sent to it are not repeated`(
        type: String, body: String
    )
        async throws
    {
        let trap = try HTTPTrap { _ in
            "HTTP/1.1 403 Forbidden\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        }
        let upstream = try upstream("http://127.0.0.1:\(trap.port)/x.git", user: "reader", password: "s3cr3t")
        await #expect {
            try await upstream.discover()
        } throws: {
            "\($0)".hasSuffix("forbids access")
        }
    }

    @Test(arguments: [true, false], ["s3cr3t", nil])
    func `a login that is for another origin is not blamed, and the new place is named`(asks: Bool, password: String?)
        async throws
    {
        let trap = try HTTPTrap { _ in
            "HTTP/1.1 \(asks ? "401 No" : "404 No")\r\nContent-Length: 0\r\n\r\n"
        }
        let port = trap.port
        let front = try HTTPTrap { request in
            let path = request.split(separator: " ").dropFirst().first ?? ""
            return
                "HTTP/1.1 302 Found\r\nLocation: http://localhost:\(port)\(path)\r\nContent-Length: 0\r\n\r\n"
        }
        let upstream = try upstream("http://127.0.0.1:\(front.port)/x.git", user: "reader", password: password)
        await #expect {
            try await upstream.discover()
        } throws: {
            let text = "\($0)"
            guard text.contains("(redirected to http://localhost:\(port)/x.git)") else { return false }
            switch ($0, asks, password) {
            case (UpstreamError.loginKeptBack, true, _?): return ($0 as? UpstreamError)?.isAuthentication == true
            case (UpstreamError.authentication(_, false, _), true, nil): return true
            case (UpstreamError.repositoryNotFound, false, _): return true
            default: return false
            }
        }
    }

    @Test func `a host that is redirected to and does not answer is the one that is named`() async throws {
        let gone = try freePort()
        let front = try HTTPTrap { request in
            let path = request.split(separator: " ").dropFirst().first ?? ""
            return
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:\(gone)\(path)\r\nContent-Length: 0\r\n\r\n"
        }
        let upstream = try upstream("http://127.0.0.1:\(front.port)/x.git")
        await #expect {
            try await upstream.discover()
        } throws: {
            guard case UpstreamError.unreachable(let host, _) = $0 else { return false }
            return host == "127.0.0.1:\(gone)"
        }
    }

    @Test(arguments: [
        ("http://h/a/b.git/info/refs?service=x", "/c", "http://h/c"),
        ("http://h/a/b.git/info/refs", "../../c.git/info/refs?q=../x", "http://h/a/c.git/info/refs?q=../x"),
        ("http://h/a/b.git/info/refs", "../../../../../c", "http://h/c"),
        ("http://h/a/b.git/info/refs", "./c/./d/..", "http://h/a/b.git/info/c/"),
        ("http://h/a/b", "//other:80/x", "http://other:80/x"), ("http://h/a/b", "?q", "http://h/a/b?q"),
        ("http://h", "c", "http://h/c"), ("https://h:1/x/", "HTTP://g/y", "HTTP://g/y"),
        ("http://h/a", "javascript:x", nil), ("http://h/a", "ftp://g/y", nil), ("http://h/a", "/b c", nil),
        ("http://h/a", "http://user@g/y", nil), ("http://h/a", "//user@g/y", nil),
    ])
    func `a redirect leads where it leads for a browser`(from: String, location: String, to: String?) {
        #expect(HTTPOrigin.resolve(location, against: from) == to)
    }

    @Test(arguments: [
        ("http://user:s3cr3t@h:1/x.git/info/refs?service=git-upload-pack", "http://h:1/x.git"),
        ("https://h/x?token=s3cr3t#s3cr3t", "https://h/x"), ("/x.git/git-upload-pack?s3cr3t", "/x.git/git-upload-pack"),
        ("https://a@b@h/y", "https://h/y"), ("https://h/\u{1b}", "https://h/\\u{1B}"),
    ])
    func `an address that it names is shown without what may be secret`(address: String, shown: String) {
        #expect(HTTPOrigin.shown(address) == shown)
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `one that sends a question elsewhere is told with the new address`(status: Int) async throws {
        let greeting =
            "001e# service=git-upload-pack\n0000000eversion 2\n0015agent=git/2.39.0\n0013ls-refs=unborn\n0012fetch=shallow\n0017object-format=sha1\n0000"
        let trap = try HTTPTrap { request in
            if request.hasPrefix("GET ") {
                return
                    "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: \(greeting.utf8.count)\r\n\r\n\(greeting)"
            }
            return "HTTP/1.1 \(status) Moved\r\nLocation: /new.git/git-upload-pack\r\nContent-Length: 0\r\n\r\n"
        }
        let upstream = try upstream("http://127.0.0.1:\(trap.port)/x.git")
        await #expect {
            try await upstream.discover()
        } throws: {
            guard case UpstreamError.moved(_, let location) = $0 else { return false }
            return location == "http://127.0.0.1:\(trap.port)/new.git"
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
        let upstream = try upstream("http://127.0.0.1:\(trap.port)/x.git")
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
        let upstream = try upstream("http://127.0.0.1:\(full.port)/x.git", timeout: .seconds(1))
        let start = Date()
        await #expect(throws: UpstreamError.self) { try await upstream.discover() }
        #expect(Date().timeIntervalSince(start) < 20, "the system itself would try for two minutes")
    }
}
