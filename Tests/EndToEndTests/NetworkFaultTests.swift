import Foundation
import TestSupport
import Testing

/// What a network and a server can do to a pass, each once.
@Suite struct `Whatever the network does` {
    private static let password = "s3cr3t/p%w&d"
    private static let user = "reader"

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let fault: FaultProxy.Fault
        /// What the log says, one of these.
        let says: [String]
        /// Whether a pass may get through in spite of it.
        var mayWork = false
        var testDescription: String { name }
    }

    private static func http(_ status: String, _ fields: String = "", _ body: String = "") -> String {
        "HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static let cases: [Case] =
        [
            Case(
                name: "401", fault: .answer(http("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n")),
                says: ["refused the credentials"]),
            Case(name: "403", fault: .answer(http("403 Forbidden")), says: ["forbids access"]),
            Case(name: "404", fault: .answer(http("404 Not Found")), says: ["there is no repository"]),
            Case(
                name: "429", fault: .answer(http("429 Slow down", "Retry-After: 7\r\n")),
                says: ["too busy (status 429)"]),
            Case(name: "503", fault: .answer(http("503 Busy")), says: ["too busy (status 503)"]),
            Case(name: "500", fault: .answer(http("500 Oops")), says: ["status 500"]),
            Case(name: "502", fault: .answer(http("502 Bad Gateway")), says: ["status 502"]),
            Case(
                name: "a page for people",
                fault: .answer(http("200 OK", "Content-Type: text/html\r\n", "<html>Please log in</html>")),
                says: ["no git server"]),
            Case(
                name: "a page that calls itself git",
                fault: .answer(
                    http(
                        "200 OK", "Content-Type: application/x-git-upload-pack-advertisement\r\n",
                        "<html>Please log in</html>")),
                says: ["malformed"]),
            Case(
                name: "an endless body",
                fault: .endless("HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n"),
                says: ["malformed"]),
            Case(
                name: "an endless greeting",
                fault: .endless(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n000eversion 2\nfff0"
                ),
                says: ["malformed"]),
            Case(name: "an endless header", fault: .endless("HTTP/1.1 200 OK\r\nX-"), says: ["broke"]),
            Case(name: "no http", fault: .answer("SSH-2.0-OpenSSH_9.2\r\n"), says: ["broke"]),
            Case(
                name: "a redirect to something else", fault: .answer(http("302 Found", "Location: /login\r\n")),
                says: ["redirects"]),
            Case(
                name: "a redirect to itself",
                fault: .answer(
                    http("302 Found", "Connection: close\r\nLocation: /site.git/info/refs?service=git-upload-pack\r\n")),
                says: ["redirects without end"]),
            Case(name: "silence", fault: .stall(after: 0), says: ["sent nothing for 1 s"]),
            Case(name: "a slow line", fault: .slow(bytesPerSecond: 1_000), says: [], mayWork: true),
        ]
        + [20, 150, 250, 400, 700, 900, 1_100].flatMap { bytes in
            [
                Case(
                    name: "silence after \(bytes)", fault: .stall(after: bytes), says: ["sent nothing for 1 s"],
                    mayWork: true),
                Case(
                    name: "an end after \(bytes)", fault: .cut(after: bytes), says: ["broke"],
                    mayWork: true),
            ]
        }
        + [5, 300, 500, 800, 900, 1_000, 1_050].map { place in
            Case(
                name: "another bit at \(place)", fault: .flip(at: place),
                says: [
                    "broke", "no git server", "malformed", "there is no repository", "names a branch that is not there",
                    "damaged", "not delivered",
                ],
                mayWork: true)
        }

    @Test(arguments: cases, [true, false])
    func `a pass ends in time and says why, the old tree stays, nothing secret is told, and the next pass works`(
        fault: Case, version2: Bool
    )
        async throws
    {
        let remote = try await HTTPRemote(
            ["index.html": "old"], login: (Self.user, Self.password), version2: version2)
        let proxy = try FaultProxy(to: remote.server.port)
        let (folder, secrets) = (try TemporaryFolder(), try TemporaryFolder())
        try secrets.write(Self.password + "\n", to: "password")
        let arguments = [remote.url(port: proxy.port), folder("www"), "--log-level", "debug"]
        let environment = ["SIDEKICK_USERNAME": Self.user, "SIDEKICK_PASSWORD_FILE": secrets("password")]
        let first = try await Sidekick.once(arguments, environment: environment)
        #expect(first.status == 0, "\(first.log)")
        let noise = (0..<200).map { _ in UUID().uuidString }.joined()
        try remote.push(["index.html": "new", "noise": noise])

        proxy.fault = fault.fault
        let start = Date()
        let sidekick = try Sidekick(arguments + ["--timeout", "1s", "--once"], environment: environment)
        let command = (try? String(contentsOfFile: "/proc/\(sidekick.pid)/cmdline", encoding: .utf8)) ?? ""
        let status = try await sidekick.wait(within: 60)
        let log = sidekick.log
        let hunt = SecretHunt([Self.password], users: [Self.user])
        #expect(!hunt.isFound(in: command + log + first.log), "\(log)")
        #expect(hunt.files(in: folder.path) == [])
        if status == 0 {
            #expect(fault.mayWork, "\(log)")
            #expect(try folder.read("www/index.html") == "new")
        } else {
            #expect(Date().timeIntervalSince(start) < 15, "\(log)")
            #expect(fault.says.contains { Sidekick.cause(log).contains($0) }, "\(log)")
            #expect(log.contains("remedy="), "\(log)")
            #expect(!log.contains("report this as a bug"), "\(log)")
            #expect(try folder.read("www/index.html") == "old")
        }
        proxy.fault = .none
        var last = try await Sidekick.once(arguments, environment: environment)
        // A store that was found damaged is filled by the pass after the one that found it so.
        if last.status != 0 { last = try await Sidekick.once(arguments, environment: environment) }
        #expect(last.status == 0, "\(log)\n\(last.log)")
        #expect(try folder.read("www/index.html") == "new")
        #expect(!hunt.isFound(in: last.log) && hunt.files(in: folder.path) == [])
    }

    @Test(arguments: cases)
    func `a first fetch ends in time and says why, nothing is served, and the next one works`(fault: Case) async throws
    {
        let noise = (0..<60).map { _ in UUID().uuidString }.joined()
        let remote = try await HTTPRemote(["index.html": "new", "noise": noise], login: (Self.user, Self.password))
        let proxy = try FaultProxy(to: remote.server.port, fault: fault.fault)
        let folder = try TemporaryFolder()
        let arguments = [remote.url(port: proxy.port), folder("www")]
        let login = ["SIDEKICK_USERNAME": Self.user, "SIDEKICK_PASSWORD": Self.password]
        let start = Date()
        let first = try await Sidekick.once(arguments + ["--timeout", "1s"], environment: login)
        if first.status == 0 {
            #expect(fault.mayWork, "\(first.log)")
        } else {
            #expect(Date().timeIntervalSince(start) < 15, "\(first.log)")
            #expect(fault.says.contains { Sidekick.cause(first.log).contains($0) }, "\(first.log)")
            #expect(first.log.contains("remedy=") && !first.log.contains("report this as a bug"), "\(first.log)")
            #expect(!folder.has("www"))
        }
        // And before there is a pass `check` says the same.
        if !fault.mayWork {
            let check = try Sidekick.check(arguments + ["--timeout", "1s", "--plan"], environment: login)
            #expect(check.status == first.status, "\(check.text)")
            #expect(Array(check.failures.values) == [Sidekick.cause(first.log)], "\(check.text)")
        }
        proxy.fault = .none
        let last = try await Sidekick.once(arguments, environment: login)
        #expect(last.status == 0, "\(first.log)\n\(last.log)")
        #expect(try folder.read("www/index.html") == "new")
    }

    @Test func `a server that asks to be left alone is, whatever a signal says`() async throws {
        let remote = try await HTTPRemote(["index.html": "old"])
        let proxy = try FaultProxy(to: remote.server.port)
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([
            remote.url(port: proxy.port), folder("www"), "--delay", "100ms", "--backoff", "100ms",
        ])
        try await sidekick.prints("published")
        proxy.fault = .answer("HTTP/1.1 429 Slow down\r\nRetry-After: 4\r\nContent-Length: 0\r\n\r\n")
        try await sidekick.prints("too busy")
        try remote.push(["index.html": "new"])
        proxy.fault = .none
        for _ in 0..<5 {
            sidekick.send(SIGHUP)
            try await Task.sleep(for: .milliseconds(200))
        }
        try await eventually("it is asked again") { try folder.read("www/index.html") == "new" }
        // Once more the same, where this machine is slow to take the fault away.
        let times = proxy.connectionTimes.drop { !$0.isAnswered }
        let busy = try #require(times.lastIndex { $0.isAnswered })
        for (one, next) in zip(times[...busy], times.dropFirst()) {
            #expect((.seconds(3.9)..<(.seconds(8))).contains(next.time - one.time))
        }
        #expect(try await sidekick.stop() == 0)
    }

    /// A network of its own, in which the one name server takes questions and answers none.
    private static let nowhere = """
        ip link set lo up
        echo nameserver 127.0.0.53 >"$RESOLVER"
        mount --bind "$RESOLVER" /etc/resolv.conf
        python3 -c 'import socket, sys, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.53", 53)); open(sys.argv[1], "w"); time.sleep(60)' "$RESOLVER.listens" &
        server=$!
        until [ -e "$RESOLVER.listens" ]; do sleep 0.02; done
        "$0" "$@" && status=0 || status=$?
        kill "$server"
        exit "$status"
        """

    @Test(
        .enabled(if: geteuid() == 0, "a network of its own needs root"),
        arguments: ["http://git.example/x.git", "git://git.example/x.git", "ssh://git@git.example/x.git"])
    func `name servers that are silent are told as such, in time`(url: String) async throws {
        let folder = try TemporaryFolder()
        let start = Date()
        let result = try await Sidekick.once(
            [url, folder("www"), "--timeout", "1s"], environment: ["RESOLVER": folder("resolv.conf")],
            wrapper: ["unshare", "--mount", "--net", "sh", "-c", Self.nowhere])
        #expect(result.status == 69 && Date().timeIntervalSince(start) < 15, "\(result.log)")
        #expect(
            result.log.contains("the name git.example cannot be resolved: no name server answered"), "\(result.log)")
    }
}
