import Foundation
import TestSupport
import Testing

@Suite struct `Over http` {
    private static let secret = "s3cr3t/p%w&d"
    private static let bearer = ["Authorization": "Bearer \(secret)"]

    private func start(
        _ url: String, _ folder: TemporaryFolder, _ arguments: [String] = [], secret: String? = Self.secret
    ) throws -> Sidekick {
        try Sidekick(
            [url, folder("www"), "--listen", "127.0.0.1:0", "--delay", "1h"] + arguments,
            environment: secret.map { ["SIDEKICK_WEBHOOK_SECRET": $0] } ?? [:])
    }

    private func push(_ ref: String = "refs/heads/main", _ commit: String? = nil) -> String {
        "{\"ref\":\"\(ref)\"\(commit.map { ",\"after\":\"\($0)\"" } ?? "")}"
    }

    @Test func `a push shows at once, and nobody else's word counts`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try start(remote.url(), folder)
        let edge = try await sidekick.edge()
        try await sidekick.prints("published")
        let commit = try remote.push(["index.html": "two"])
        for (fields, body) in [
            ([:], push()), (["Authorization": "Bearer x"], push()), (["Authorization": Self.secret], ""),
        ] {
            let answer = try edge.ask("/webhooks/generic", body: body, fields)
            #expect(answer.status == 401 && answer.body == "unauthorized\n" && !answer.header.contains("Location"))
        }
        #expect(try edge.ask("/webhooks/github", body: push(), Self.bearer).status == 401)
        #expect(try edge.ask("/webhooks/generic", body: push("refs/heads/other"), Self.bearer).body == "ignored\n")
        #expect(try edge.ask("/webhooks/generic", body: "{", Self.bearer).status == 400)
        #expect(try edge.ask("/webhooks/generic").status == 405)
        #expect(try edge.ask("/webhooks/nobody", body: push(), Self.bearer).status == 404)
        try await Task.sleep(for: .milliseconds(300))
        #expect(try folder.read("www/index.html") == "one")

        let start = Date()
        let answer = try edge.ask("/webhooks/generic", body: push("refs/heads/main", commit), Self.bearer)
        #expect(answer.status == 202 && answer.body == "accepted\n")
        try await eventually("the push shows") { try folder.read("www/index.html") == "two" }
        #expect(try shownAt(folder("www")).timeIntervalSince(start) < 2)
        let name = "sidekick_webhook_deliveries_total{provider=\"generic\",verdict="
        #expect(try edge.metric(name + "\"unauthorized\"}") == 3)
        #expect(try edge.metric(name + "\"accepted\"}") == 1)
        #expect(try edge.metric(name + "\"ignored\"}") == 1)
        #expect(try edge.metric(name + "\"malformed\"}") == 1)
        #expect(try await sidekick.stop() == 0)
        #expect(sidekick.log.split(separator: "\n").count { $0.contains("webhook refused") } == 1)
        #expect(!SecretHunt([Self.secret]).isFound(in: sidekick.log))
    }

    @Test func `whoever asks before it sends a body is told to at once, or is refused without it`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try start(source.path, folder)
        let edge = try await sidekick.edge()
        try await sidekick.prints("published")
        let asking = ["Expect": "100-continue"].merging(Self.bearer) { $1 }
        let start = Date()
        let patient = ["--expect100-timeout", "60", "-v"]
        let taken = try edge.ask("/webhooks/generic", body: push(), asking, more: patient)
        #expect(taken.status == 202 && taken.header.contains("100 Continue"), "\(taken)")
        let large = String(repeating: "x", count: 1_100_000)
        let refused = try edge.ask("/webhooks/generic", body: large, asking, more: patient)
        #expect(refused.status == 413 && !refused.header.contains("100 Continue"), "\(refused)")
        let stranger = try edge.ask(
            "/webhooks/generic", body: push(), ["Expect": "100-continue", "Authorization": "Bearer no"], more: patient)
        #expect(stranger.status == 401 && !stranger.header.contains("100 Continue"), "\(stranger)")
        #expect(Date().timeIntervalSince(start) < 60, "curl would send it all the same, later")
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `without a secret there are no webhooks, and with a file of two either is good, and read again`()
        async throws
    {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let bare = try start(source.path, folder, secret: nil)
        let edge = try await bare.edge()
        for path in ["/webhooks/github", "/webhooks/generic", "/sync"] {
            #expect(try edge.ask(path, body: "", Self.bearer).status == 404)
        }
        #expect(try await bare.stop() == 0)

        try folder.write("old\nnew\n", to: "secrets")
        let sidekick = try Sidekick(
            [source.path, folder("www"), "--listen", "127.0.0.1:0", "--delay", "1h"],
            environment: ["SIDEKICK_WEBHOOK_SECRET_FILE": folder("secrets")])
        let door = try await sidekick.edge()
        func status(_ secret: String) throws -> Int {
            try door.ask("/webhooks/generic", body: "", ["Authorization": "Bearer \(secret)"]).status
        }
        #expect(try status("old") == 202 && status("new") == 202 && status("") == 401)
        try folder.write("new\n", to: "secrets")
        #expect(try status("old") == 401 && status("new") == 202)
        try FileManager.default.removeItem(atPath: folder("secrets"))
        #expect(try status("new") == 503)
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `a push that the remote does not show yet is asked for again`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try start(remote.url(), folder)
        let edge = try await sidekick.edge()
        try await sidekick.prints("published")
        let commit = try remote.source.commit(["index.html": "two"])
        #expect(try edge.ask("/webhooks/generic", body: push("refs/heads/main", commit), Self.bearer).status == 202)
        try await eventually("the remote was asked") {
            try edge.metric("sidekick_passes_total{result=\"unchanged\"}") == 1
        }
        try remote.source.git("push", "-q", "origin", "HEAD:refs/heads/main")
        try await eventually(within: 10, "the push shows") { try folder.read("www/index.html") == "two" }
        // And not for ever.
        #expect(
            try edge.ask(
                "/webhooks/generic", body: push("refs/heads/main", String(repeating: "12", count: 20)), Self.bearer
            )
            .status == 202)
        try await Task.sleep(for: .seconds(9))
        #expect(try edge.metric("sidekick_passes_total{result=\"unchanged\"}").map { (4...6).contains($0) } == true)
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `a burst of pushes is one pass beyond the one that runs`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let proxy = try FaultProxy(to: remote.server.port)
        let folder = try TemporaryFolder()
        let sidekick = try start(remote.url(port: proxy.port), folder)
        let edge = try await sidekick.edge()
        try await sidekick.prints("published")
        try remote.push(["index.html": "two"])
        proxy.fault = .stall(after: 0)
        func push() throws { #expect(try edge.ask("/webhooks/generic", body: self.push(), Self.bearer).status == 202) }
        try push()
        try await eventually("the pass runs") {
            (try edge.ask("/status").object["running"] as? [String: Any])?["number"] as? Int == 2
        }
        for _ in 0..<25 { try push() }
        #expect(edge.passes == 1)
        // The one that runs fails by this, and the next one works.
        proxy.fault = .none
        try await eventually("the push shows") { try folder.read("www/index.html") == "two" }
        try await Task.sleep(for: .seconds(1))
        #expect((edge.passes ?? 0) <= 4)
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `sync answers with the pass that it asked for`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let proxy = try FaultProxy(to: remote.server.port)
        let folder = try TemporaryFolder()
        let sidekick = try start(remote.url(port: proxy.port), folder, ["--timeout", "30s", "--backoff", "100ms"])
        let edge = try await sidekick.edge()
        try await sidekick.prints("published")
        #expect(try edge.ask("/sync", body: "").status == 401)
        let commit = try remote.push(["index.html": "two"])
        let done = try edge.ask("/sync", body: "", Self.bearer)
        #expect(done.status == 200 && done.object["result"] as? String == "published", "\(done.body)")
        #expect(done.object["commit"] as? String == commit && done.object["trigger"] as? String == "request")
        #expect(try folder.read("www/index.html") == "two")
        #expect(try edge.ask("/sync", body: "", Self.bearer).object["result"] as? String == "unchanged")
        proxy.fault = .cut(after: 0)
        let failed = try edge.ask("/sync", body: "", Self.bearer)
        #expect(failed.status == 502 && failed.object["stage"] as? String == "discover", "\(failed.body)")
        #expect((failed.object["cause"] as? String)?.isEmpty == false)
        // One that waits at the end is told so.
        proxy.fault = .stall(after: 0)
        let waiting = Task { try edge.ask("/sync", body: "", Self.bearer).status }
        try await Task.sleep(for: .milliseconds(400))
        #expect(try await sidekick.stop() == 0)
        #expect([0, 503].contains(try await waiting.value))
    }

    @Test func `health tells a loop that runs from a site that is there and from one that is new enough`() async throws
    {
        let remote = try await HTTPRemote(["index.html": "one"])
        let proxy = try FaultProxy(to: remote.server.port, fault: .cut(after: 0))
        let folder = try TemporaryFolder()
        let sidekick = try start(remote.url(port: proxy.port), folder, ["--delay", "100ms", "--backoff", "200ms"])
        let edge = try await sidekick.edge()
        try await sidekick.prints("pass failed")
        #expect(try edge.ask("/livez").status == 200)
        #expect(try edge.ask("/readyz").status == 503)
        #expect(try edge.ask("/status").object["published"] == nil)
        proxy.fault = .none
        try await sidekick.prints("published")
        try await eventually("it is ready") { try edge.ask("/readyz").status == 200 }
        #expect(try edge.ask("/readyz?max-age=10m").status == 200)
        #expect(try edge.ask("/readyz?max-age=soon").status == 400)
        #expect(try edge.ask("/readyz", more: ["--head"]).status == 200)
        proxy.fault = .cut(after: 0)
        try await eventually("it is old") { try edge.ask("/readyz?max-age=1s").status == 503 }
        #expect(try edge.ask("/readyz").status == 200 && edge.ask("/livez").status == 200)
        let status = try edge.ask("/status").object
        #expect((status["failure"] as? [String: Any])?["stage"] as? String == "discover")
        #expect((status["attempts"] as? [[String: Any]])?.first?["result"] as? String == "failed")
        #expect(try edge.metric("sidekick_consecutive_failures").map { $0 > 0 } == true)
        let end = try await sidekick.stop()
        #expect(end == 0, "\(sidekick.log)")
    }

    @Test func `every metric is moved by what it counts`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try start(remote.url(), folder)
        let edge = try await sidekick.edge()
        try await sidekick.prints("published")
        let commit = try remote.push(["index.html": "two", "more": "bytes"])
        #expect(try edge.ask("/sync", body: "", Self.bearer).status == 200)
        let numbers = try edge.ask("/metrics").body
        for line in [
            "sidekick_build_info{version=\"", "sidekick_passes_total{result=\"published\"} 2", "sidekick_trees ",
            "sidekick_published_info{ref=\"refs/heads/main\",commit=\"\(commit)\"} 1", "sidekick_store_packs 2",
            "sidekick_written_files_total 3", "sidekick_written_bytes_total 11", "sidekick_upstream_requests_total 5",
            "sidekick_stage_duration_seconds_count{stage=\"fetch\"} 2", "sidekick_held 0",
            "sidekick_consecutive_failures 0",
        ] {
            #expect(numbers.contains("\n" + line), "\(line)\n\(numbers)")
        }
        for name in [
            "upstream_received_bytes_total", "upstream_sent_bytes_total", "store_bytes",
            "last_attempt_timestamp_seconds",
            "last_success_timestamp_seconds", "last_publish_timestamp_seconds",
        ] {
            #expect(try edge.metric("sidekick_" + name).map { $0 > 100 } == true, "\(name)")
        }
        // An operator's hold, a file that somebody changed, and a remote that is gone.
        try Command.run([Sidekick.binary, "rollback", "--destination", folder("www")])
        #expect(try edge.metric("sidekick_held") == 1)
        try Command.run([Sidekick.binary, "resume", "--destination", folder("www")])
        try Command.run([
            "sh", "-c", "echo x > \(folder("www/more.new")) && mv \(folder("www/more.new")) \(folder("www/more"))",
        ])
        try Command.run([Sidekick.binary, "verify", "--repair", folder("www")])
        #expect(try edge.ask("/sync", body: "", Self.bearer).status == 200)
        #expect(try edge.metric("sidekick_drift_repaired_paths_total").map { $0 > 0 } == true)
        remote.server.stop()
        #expect(try edge.ask("/sync", body: "", Self.bearer).status == 502)
        #expect(try edge.metric("sidekick_pass_failures_total{stage=\"discover\"}") == 1)
        #expect(try edge.metric("sidekick_passes_total{result=\"failed\"}") == 1)
        let open = try edge.ask("/metrics", ["Accept": "application/openmetrics-text; version=1.0.0"])
        #expect(open.header.contains("application/openmetrics-text") && open.body.hasSuffix("# EOF\n"))
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `it listens on a socket, and says why it cannot where something else does`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([source.path, folder("www"), "--listen", "unix:\(folder("edge.sock"))"])
        let edge = try await sidekick.edge()
        try await eventually("it is ready") { try edge.ask("/readyz").status == 200 }
        #expect(try await sidekick.stop() == 0)

        let first = try start(source.path, folder)
        let line = try #require(try await first.edge().ask("/livez").status == 200 ? first.log : nil)
        let address = try #require(line.firstMatch(of: /address=(\S+)/)?.1)
        let other = try Sidekick([source.path, folder("other"), "--listen", String(address)])
        #expect(try await other.wait() == 69)
        #expect(other.log.contains("Address already in use") && other.log.contains("SIDEKICK_LISTEN"), "\(other.log)")
        #expect(!folder.has("other"))
        #expect(try await first.stop() == 0)
        for bad in ["nowhere", "host", ":99999", "unix:relative", "::1:80"] {
            let refused = try Sidekick([source.path, folder("other"), "--listen", bad])
            #expect(try await refused.wait() == 64)
            #expect(refused.log.contains("SIDEKICK_LISTEN is \"\(bad)\""), "\(refused.log)")
        }
    }
}

extension Curl {
    fileprivate var passes: Double? {
        let numbers = ["published", "unchanged", "failed"].compactMap {
            try? metric("sidekick_passes_total{result=\"\($0)\"}")
        }
        return numbers.count == 3 ? numbers.reduce(0, +) : nil
    }
}
