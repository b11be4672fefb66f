import Foundation
import TestSupport
import Testing

@Suite struct `A webhook to one replica` {
    private static let secret = "s3cr3t/p%w&d"
    private static let bearer = ["Authorization": "Bearer \(secret)"]

    private func replica(
        of url: String, at port: UInt16, _ folder: TemporaryFolder, peers: String, more: [String: String] = [:]
    ) throws -> Sidekick {
        try FileManager.default.createDirectory(atPath: folder("\(port)"), withIntermediateDirectories: true)
        return try Sidekick(
            [url, folder("\(port)/www"), "--listen", "127.0.0.1:\(port)", "--delay", "1h", "--peers", peers],
            environment: ["SIDEKICK_WEBHOOK_SECRET": Self.secret].merging(more) { $1 })
    }

    private func relays(_ port: UInt16, _ result: String) throws -> Double? {
        try Curl("127.0.0.1:\(port)").metric("sidekick_webhook_relays_total{result=\"\(result)\"}")
    }

    @Test func `reaches all of them, goes no further, and costs each one question`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let ports = try [freePort(), freePort(), freePort()]
        // By names as well, and with its own among them. A proxy is for the world outside.
        let peers = "127.0.0.1:\(ports[0]), localhost:\(ports[1]),127.0.0.1:\(ports[2])"
        let replicas = try ports.map {
            try replica(
                of: remote.url(), at: $0, folder, peers: peers,
                more: ["ALL_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"])
        }
        for replica in replicas { try await replica.prints("published") }
        let commit = try remote.push(["index.html": "two"])
        let body = "{\"ref\":\"refs/heads/main\",\"after\":\"\(commit)\"}"
        let start = Date()
        #expect(try Curl("127.0.0.1:\(ports[0])").ask("/webhooks/generic", body: body, Self.bearer).status == 202)
        for port in ports {
            try await eventually("\(port) shows it") { try folder.read("\(port)/www/index.html") == "two" }
            #expect(try shownAt(folder("\(port)/www")).timeIntervalSince(start) < 5)
        }
        try await eventually("all have answered") { try relays(ports[0], "accepted") ?? 0 >= 3 }
        #expect(try relays(ports[0], "failed") == 0 || relays(ports[0], "failed") == 1, "localhost may be ::1 as well")
        for port in ports {
            let edge = Curl("127.0.0.1:\(port)")
            #expect(try edge.metric("sidekick_passes_total{result=\"published\"}") == 2)
            #expect(try edge.metric("sidekick_passes_total{result=\"unchanged\"}") == 0)
            if port == ports[0] { continue }
            #expect(try edge.metric("sidekick_webhook_deliveries_total{provider=\"peer\",verdict=\"accepted\"}") == 1)
            #expect(try relays(port, "accepted") == 0)
        }
        for replica in replicas { #expect(try await replica.stop() == 0) }
    }

    @Test func `is not lost on the others when one of them is gone, and shows nobody the secret`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let (port, gone) = (try freePort(), try freePort())
        let listening = try HTTPTrap { _ in "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n" }
        let refusing = try HTTPTrap { _ in "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n" }
        let silent = try HTTPTrap { _ in nil }
        let ports = [gone, refusing.port, silent.port, listening.port]
        let sidekick = try replica(
            of: remote.url(), at: port, folder,
            peers: ports.map { "127.0.0.1:\($0)" }.joined(separator: ",") + ",no-such-host.invalid:80")
        try await sidekick.prints("published")
        let edge = Curl("127.0.0.1:\(port)")
        for _ in 0..<20 {
            #expect(try edge.ask("/webhooks/generic", body: "", Self.bearer).status == 202)
        }
        try await eventually("those that are there have it") {
            listening.everything.contains("POST /webhooks/peer ") && listening.everything.contains("{\"kind\"")
        }
        // The last of them as well, though others let themselves be waited for.
        let newest = String(repeating: "ab", count: 20)
        let push = "{\"ref\":\"refs/heads/main\",\"after\":\"\(newest)\"}"
        let start = ContinuousClock.now
        #expect(try edge.ask("/webhooks/generic", body: push, Self.bearer).status == 202)
        func came() -> ContinuousClock.Instant? {
            zip(listening.requests, listening.times).first { $0.0.contains(newest) }?.1
        }
        try await eventually("the newest is passed on") { came() != nil }
        #expect(try #require(came()) - start < .seconds(4), "one that is silent has five seconds")
        try await eventually(within: 30, "the others have had their time") { try relays(port, "failed") ?? 0 >= 4 }
        let signature = try #require(listening.everything.firstMatch(of: /webhook-signature: (\S+)/)).1
        let id = try #require(listening.everything.firstMatch(of: /webhook-id: (\S+)/)).1
        #expect(signature.hasPrefix("v1,"))
        for trap in [listening, refusing, silent] {
            #expect(!SecretHunt([Self.secret]).isFound(in: trap.everything))
        }
        #expect(sidekick.log.split(separator: "\n").count { $0.contains("webhook not passed on") } == 1)

        // What was heard on the way cannot be made into something else, and is good once, and not much later.
        let body = "{\"kind\":\"sidekick.push\"}"
        let time = try #require(listening.everything.firstMatch(of: /webhook-timestamp: (\S+)/)).1
        let heard = [
            "webhook-id": String(id), "webhook-timestamp": String(time), "webhook-signature": String(signature),
        ]
        #expect(try edge.ask("/webhooks/peer", body: body, heard).body == "known\n", "its own")
        let other = try self.replica(of: remote.url(), at: freePort(), folder, peers: "127.0.0.1:\(gone)")
        let second = try await other.edge()
        for (field, value) in [("webhook-id", "x"), ("webhook-timestamp", "\((Int(time) ?? 0) - 1_000)")] {
            #expect(try second.ask("/webhooks/peer", body: body, heard.merging([field: value]) { $1 }).status == 401)
        }
        #expect(try second.ask("/webhooks/peer", body: body + " ", heard).status == 401)
        #expect(try second.ask("/webhooks/peer", body: body).status == 401)
        #expect(try second.ask("/webhooks/peer", body: body, Self.bearer).status == 401)
        #expect(try second.ask("/webhooks/peer", body: body, heard).status == 202)
        #expect(try second.ask("/webhooks/peer", body: body, heard).body == "known\n")
        #expect(try await other.stop() == 0)
        #expect(try await sidekick.stop() == 0)
    }

    @Test(arguments: [
        ("8081", "give HOST:PORT"), ("a:0", "give HOST:PORT"), (":8081", "give HOST:PORT"), ("a:1,", ""),
        ("http://a:1", "give HOST:PORT"), ("a:1,b", "give HOST:PORT"),
    ])
    func `is passed on to hosts and ports and to nothing else`(peers: String, words: String) async throws {
        let folder = try TemporaryFolder()
        let result = try await Sidekick.once(
            [folder.path, folder("www"), "--peers", peers], environment: ["SIDEKICK_WEBHOOK_SECRET": "x"])
        #expect(result.status == 64, "\(result.log)")
        #expect(result.log.contains(words.isEmpty ? "SIDEKICK_PEERS passes webhooks on: give SIDEKICK_LISTEN" : words))
    }
}
