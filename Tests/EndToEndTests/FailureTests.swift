import Foundation
import TestSupport
import Testing

@Suite struct `When the remote fails` {
    @Test func `a remote that is down at the start is awaited`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let proxy = try FaultProxy(to: remote.server.port, fault: .cut(after: 0))
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([
            remote.url(port: proxy.port), folder("www"), "--delay", "200ms", "--backoff", "300ms",
        ])
        try await sidekick.prints("pass failed, will retry")
        #expect(!folder.has("www"))
        proxy.fault = .none
        try await sidekick.prints("recovered")
        #expect(try folder.read("www/index.html") == "one")
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `a remote that goes away later leaves the site up, is told once, and is followed when it returns`()
        async throws
    {
        let remote = try await HTTPRemote(["index.html": "one"])
        let proxy = try FaultProxy(to: remote.server.port)
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([
            remote.url(port: proxy.port), folder("www"), "--delay", "100ms", "--backoff", "150ms",
        ])
        try await sidekick.prints("published")
        proxy.fault = .cut(after: 0)
        try await sidekick.prints("pass failed, will retry")
        let connections = proxy.connectionCount
        try await eventually("more passes fail") { proxy.connectionCount > connections + 5 }
        #expect(sidekick.log.components(separatedBy: "pass failed, will retry").count == 2, "\(sidekick.log)")
        #expect(try folder.read("www/index.html") == "one")
        try remote.push(["index.html": "two"])
        proxy.fault = .none
        try await sidekick.prints("recovered")
        try await eventually("the push shows") { try folder.read("www/index.html") == "two" }
        #expect(try await sidekick.stop() == 0)
    }

    @Test(arguments: [0, 200])
    func `a server that accepts and then says nothing is given up, and the next pass works`(bytes: Int) async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let proxy = try FaultProxy(to: remote.server.port, fault: .stall(after: bytes))
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([
            remote.url(port: proxy.port), folder("www"), "--delay", "100ms", "--timeout", "1s",
        ])
        try await sidekick.prints("sent nothing for 1 s", within: 10)
        proxy.fault = .none
        try await sidekick.prints("published")
        #expect(try await sidekick.stop() == 0)
    }

    @Test(arguments: ["stall", "slow"])
    func `SIGTERM in the middle of a fetch ends it within two seconds with status 0`(kind: String) async throws {
        let remote = try await HTTPRemote([
            "index.html": "one", "large": String(repeating: UUID().uuidString, count: 50_000),
        ])
        let proxy = try FaultProxy(
            to: remote.server.port, fault: kind == "stall" ? .stall(after: 2000) : .slow(bytesPerSecond: 2000))
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([remote.url(port: proxy.port), folder("www")])
        // Two connections or one: the fetch is under way when bytes of a pack lie in the store.
        try await eventually("a transfer is under way") {
            proxy.connectionCount >= 1 && folder.has(".sidekick/www/lock")
        }
        try await Task.sleep(for: .milliseconds(kind == "stall" ? 200 : 1500))
        let start = Date()
        sidekick.send(SIGTERM)
        #expect(try await sidekick.wait(within: 5) == 0, "\(sidekick.log)")
        #expect(try #require(sidekick.endTime).timeIntervalSince(start) < 2)
        proxy.fault = .none
        #expect(try await Sidekick.once([remote.url(port: proxy.port), folder("www")]).status == 0)
    }

    @Test func `answers that break off anywhere are failures that mend themselves`() async throws {
        let remote = try await HTTPRemote(["index.html": (0..<300).map { _ in UUID().uuidString }.joined()])
        let proxy = try FaultProxy(to: remote.server.port)
        for bytes in [1, 20, 150, 400, 600, 900, 2000] {
            let folder = try TemporaryFolder()
            proxy.fault = .cut(after: bytes)
            let failed = try await Sidekick.once([remote.url(port: proxy.port), folder("www"), "--timeout", "5s"])
            #expect(failed.status == 69, "\(bytes): \(failed.log)")
            #expect(!folder.has("www"))
            proxy.fault = .none
            let worked = try await Sidekick.once([remote.url(port: proxy.port), folder("www")])
            #expect(worked.status == 0, "\(bytes): \(worked.log)")
        }
    }

    @Test
    func `a pass that takes longer than the deadline is ended, the first one only when it brings next to nothing`()
        async throws
    {
        let first = (0..<600).map { _ in UUID().uuidString }.joined()
        let remote = try await HTTPRemote(["index.html": first])
        let proxy = try FaultProxy(to: remote.server.port, fault: .slow(bytesPerSecond: 6_000))
        let folder = try TemporaryFolder()
        let arguments = [remote.url(port: proxy.port), folder("www"), "--deadline", "1s"]
        let begin = ContinuousClock.now
        let slow = try await Sidekick.once(arguments)
        #expect(slow.status == 0, "\(slow.log)")
        #expect(ContinuousClock.now - begin > .seconds(1), "what is to be shown takes longer than the deadline")
        try remote.push(["index.html": (0..<600).map { _ in UUID().uuidString }.joined()])
        let late = try await Sidekick.once(arguments)
        #expect(late.status == 75, "\(late.log)")
        #expect(late.log.contains("SIDEKICK_DEADLINE"))
        #expect(try folder.read("www/index.html") == first)
    }

    @Test func `a damaged store is moved aside and fetched anew while the site stays up`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let arguments = [remote.url(), folder("www"), "--delay", "100ms"]
        #expect(try await Sidekick.once(arguments).status == 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder(".sidekick/www/git/objects/pack")) {
            chmod(folder(".sidekick/www/git/objects/pack/\(name)"), 0o644)
            try folder.write("damaged", to: ".sidekick/www/git/objects/pack/\(name)")
        }
        try remote.push(["index.html": "two"])
        let sidekick = try Sidekick(arguments)
        try await sidekick.prints("published")
        #expect(try folder.read("www/index.html") == "two")
        #expect(try await sidekick.stop() == 0)
    }
}

@Suite struct `Logins` {
    let login = (user: "reader", password: "s3cr3t p@ss")

    @Test func `user and password come from the address, the environment or a file`() async throws {
        let remote = try await HTTPRemote(["index.html": "private"], login: login)
        let secrets = try TemporaryFolder()
        try secrets.write("\(login.password)\n", to: "password")
        for environment in [
            ["REPOSITORY": remote.url(userInfo: "reader:s3cr3t%20p%40ss@")],
            ["REPOSITORY": remote.url(), "SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD": login.password],
            ["REPOSITORY": remote.url(), "SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD_FILE": secrets("password")],
            ["REPOSITORY": remote.url(userInfo: "reader@"), "SIDEKICK_TOKEN_FILE": secrets("password")],
        ] {
            let folder = try TemporaryFolder()
            let result = try await Sidekick.once(
                [], environment: environment.merging(["DESTINATION": folder("www")]) { $1 })
            #expect(result.status == 0, "\(result.log)")
            #expect(try folder.read("www/index.html") == "private")
            for leak in ["s3cr3t", "cGFzcw", "czNjcjN0"] {
                #expect(!result.log.contains(leak))
                #expect(try !folder.read(".sidekick/www/status.json").contains(leak))
                let found = try Command.run(["grep", "-r", "-l", leak, folder(".sidekick")], mayFail: true)
                #expect(found.text == "")
            }
        }
    }

    @Test func `a refusal is one attempt, an authentication failure, and says nothing secret`() async throws {
        let remote = try await HTTPRemote(["index.html": "private"], login: login)
        for (environment, words) in [
            (["SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD": "wr0ng"], "refused the credentials"),
            ([:], "asks for a login"),
        ] {
            let folder = try TemporaryFolder()
            let before = remote.server.accessLog.split(separator: "\n").count
            let result = try await Sidekick.once([remote.url(), folder("www")], environment: environment)
            #expect(result.status == 77, "\(result.log)")
            #expect(result.log.contains(words))
            #expect(!result.log.contains("wr0ng"))
            let requests = remote.server.accessLog.split(separator: "\n").count - before
            #expect(requests <= 2, "one without a login, at most one with it")
            #expect(!folder.has("www"))
        }
    }

    @Test func `a rotated secret needs no restart`() async throws {
        let remote = try await HTTPRemote(["index.html": "private"], login: login)
        let secrets = try TemporaryFolder()
        try secrets.write("old", to: "password")
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick(
            [remote.url(), folder("www"), "--delay", "100ms", "--backoff", "200ms"],
            environment: ["SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD_FILE": secrets("password")])
        try await sidekick.prints("refused the credentials")
        try secrets.write(login.password, to: "password")
        try await sidekick.prints("published")
        #expect(try await sidekick.stop() == 0)
    }
}
