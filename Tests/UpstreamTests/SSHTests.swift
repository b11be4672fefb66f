import Platform
import Foundation
import Git
import Synchronization
import TestSupport
import Testing

@testable import Upstream

@Suite struct `Over ssh` {
    private let server: SSHServer
    private let source: GitRepository
    private let folder: TemporaryFolder

    init() async throws {
        server = try await SSHServer()
        source = try GitRepository()
        try source.commit(["index.html": "1"])
        folder = try TemporaryFolder()
    }

    private func discover(_ url: String? = nil, _ ssh: SSHOptions, timeout: Duration = patience) async throws
        -> ObjectID
    {
        let options = UpstreamOptions(
            url: try RemoteURL(url ?? server.url(source.path + "/.git")), ssh: ssh, timeout: timeout)
        return try await options.makeUpstream(on: GitExecutor()).discover().commit
    }

    private func refusal(_ url: String? = nil, _ ssh: SSHOptions, timeout: Duration = patience) async -> UpstreamError?
    {
        do {
            _ = try await discover(url, ssh, timeout: timeout)
            return nil
        } catch {
            return error as? UpstreamError
        }
    }

    @Test(arguments: ["'", "'\u{0301}", "\u{0D4E}'", "''", "\\'"])
    func `no path runs a command on the server`(quote: String) async throws {
        let touched = folder("touched")
        let path = "/x\(quote); touch \(touched); echo \(quote)"
        for address in ["ssh://\(NSUserName())@127.0.0.1:\(server.port)\(path)", "\(NSUserName())@127.0.0.1:\(path)"] {
            let target = SSHTarget(try RemoteURL(address))
            let words = try Command.run(["sh", "-c", "printf '%s\\0' " + target.command]).output
            #expect(words.split(separator: 0).map { Array($0) } == [Array("git-upload-pack".utf8), Array(path.utf8)])
        }
        let address = server.url(path)
        _ = await refusal(address, SSHOptions(key: key, knownHosts: try known()))
        #expect(!folder.has("touched"))
    }

    private func known(_ kind: String = "ed25519") throws -> CredentialSource.Place {
        .value(Secret(try server.knownHost(kind)))
    }
    private var key: CredentialSource.Place { .file(server.folder("user_ed25519")) }

    @Test(arguments: SSHServer.kinds)
    func `keys of both kinds work, as a file, as text, and as a file that others may read`(kind: String) async throws {
        let file = server.folder("user_\(kind)")
        let head = try source.head
        let text = try server.folder.read("user_\(kind)")
        try folder.write(try server.knownHost(kind), to: "known hosts")
        let places: [CredentialSource.Place] = [.file(file), .value(Secret(text)), .value(Secret(text + "\n\n"))]
        for place in places {
            #expect(try await discover(nil, SSHOptions(key: place, knownHosts: known(kind))).description == head)
        }
        try Command.run(["chmod", "0444", file])
        let options = SSHOptions(key: .file(file), knownHosts: .file(folder("known hosts")))
        #expect(try await discover(nil, options).description == head)
    }

    @Test func `a host that nothing vouches for is refused with its fingerprint and the line that makes it known`()
        async throws
    {
        let options = SSHOptions(key: key, knownHosts: .value(Secret("")))
        let error = try #require(await refusal(nil, options))
        guard case .hostKeyUnknown(let host, let fingerprint?, let line?) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(host == "[127.0.0.1]:\(server.port)")
        let shown = ["ed25519", "rsa"].map { kind in
            try? Command.run(["ssh-keygen", "-l", "-f", server.folder("host_\(kind).pub")]).text
        }
        #expect(shown.contains { $0?.contains(fingerprint) == true }, "\(fingerprint)")
        #expect("\(error)".contains(fingerprint) && error.remedy.contains(line))
        #expect(
            try await discover(nil, SSHOptions(key: key, knownHosts: .value(Secret(line)))).description == source.head)
    }

    @Test func `a host whose key changed is refused, whatever it is told`() async throws {
        let other = try server.folder.read("other_ed25519.pub").split(separator: " ").prefix(2).joined(separator: " ")
        let line = "[127.0.0.1]:\(server.port) \(other)\n"
        let error = try #require(await refusal(nil, SSHOptions(key: key, knownHosts: .value(Secret(line)))))
        guard case .hostKeyChanged = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test func `a key that is not let in is an authentication error, told in ssh's own words`() async throws {
        let other = CredentialSource.Place.file(server.folder("other_ed25519"))
        let error = try #require(await refusal(nil, SSHOptions(key: other, knownHosts: known())))
        #expect(error.isAuthentication, "\(error)")
        #expect("\(error)".contains("Permission denied"), "\(error)")
        // One that ssh alone can tell is broken.
        let text = try server.folder.read("user_ed25519").split(separator: "\n")
        let broken = (text.prefix(3) + text.suffix(1)).joined(separator: "\n")
        let first = try #require(
            await refusal(nil, SSHOptions(key: .value(Secret(broken)), knownHosts: known())))
        #expect(first.isAuthentication && "\(first)".contains("the key cannot be used, "), "\(first)")
        #expect(!"\(first)".contains("/proc/"), "\(first)")
        let missing = SSHOptions(key: .file(folder("nowhere")), knownHosts: try known())
        guard case .secretUnreadable? = await refusal(nil, missing) else {
            Issue.record("a key that is not there")
            return
        }
    }

    @Test(arguments: [
        "a b", "quote's", "$(touch pwned)", "`touch pwned`", "a;touch pwned", "-n", "\"double\"", "back\\slash",
    ])
    func `no path can leave its quotes, and every path is found`(name: String) async throws {
        try Command.run(["git", "clone", "-q", "--bare", "--", source.path, folder(name)])
        let options = SSHOptions(key: key, knownHosts: try known())
        let encoded = try #require(folder(name).addingPercentEncoding(withAllowedCharacters: .urlPathAllowed))
        #expect(try await discover(server.url(encoded), options).description == source.head)
        // The short form takes the path as it stands, but has no port.
        let target = SSHTarget(try RemoteURL("git@host:\(folder(name))"))
        let said = try Command.run(["sh", "-c", "set -- \(target.command); printf %s \"$2\""]).text
        #expect(said == folder(name))
        #expect(!FileManager.default.fileExists(atPath: NSHomeDirectory() + "/pwned"))
    }

    @Test(arguments: [
        "ssh://-oProxyCommand=touch%20x/p", "-oProxyCommand=x:p", "ssh://-l@host/p", "-x@host:p", "ssh://host/%00",
        "host:-p",
        "ssh://%2DoProxyCommand=x/p", "[-oProxyCommand=x]:p", "[-x@host]:p", "-x@[host]:p",
    ])
    func `no address can smuggle in an option`(url: String) {
        #expect(throws: RemoteURL.Invalid.self) { try RemoteURL(url) }
    }

    @Test
    func
        `a sshd that takes no variables is spoken to in protocol v2 where there is a shell, and in the old one where there is none`()
        async throws
    {
        let strict = try await SSHServer(takesVersion: false)
        let options = UpstreamOptions(
            url: try RemoteURL(strict.url(source.path + "/.git")),
            ssh: SSHOptions(
                key: .file(strict.folder("user_ed25519")), knownHosts: .value(Secret(try strict.knownHost()))))
        let upstream = try options.makeUpstream(on: GitExecutor())
        for _ in 0..<2 { #expect(try await upstream.discover().commit.description == source.head) }
        try strict.allowOnlyGit()
        let told = Mutex<[String]>([])
        let other = try options.makeUpstream(on: GitExecutor()) { text in told.withLock { $0.append(text) } }
        let store = Store(path: folder("old"))
        for number in 1...3 {
            let tip = try source.commit(["index.html": "\(number)"])
            let advertisement = try await other.discover()
            #expect(advertisement.commit.description == tip && advertisement.ref == "refs/heads/main")
            try await other.fetch(
                FetchRequest(advertisement: advertisement, store: store, depth: 1, mustFollow: nil)
            ) { _ in }
            #expect(try StoreView(path: store.path).fsck() == "")
        }
        #expect(try StoreView(path: store.path).count("commit") == 3, "to its depth")
        // A chain of commits that are here, in whatever order: the server knows each.
        for number in 4...9 {
            let tip = try source.commit(["index.html": "\(number)"])
            let advertisement = try await other.discover()
            try await other.fetch(
                FetchRequest(advertisement: advertisement, store: store, depth: 0, mustFollow: nil)
            ) { _ in }
            try store.open().notePublished(advertisement.commit)
            #expect(advertisement.commit.description == tip)
            #expect(try StoreView(path: store.path).fsck() == "")
        }
        #expect(told.withLock { $0 }.count == 1, "\(told.withLock { $0 })")
    }

    @Test func `the forms of an address mean what they mean to git`() throws {
        let forms: [(String, user: String?, host: String, port: Int?, path: String)] = [
            ("git@example.org:group/site.git", "git", "example.org", nil, "group/site.git"),
            ("example.org:site.git", nil, "example.org", nil, "site.git"),
            ("git@example.org:/srv/site.git", "git", "example.org", nil, "/srv/site.git"),
            ("git@example.org:~bob/site", "git", "example.org", nil, "~bob/site"),
            ("ssh://git@example.org/srv/site.git", "git", "example.org", nil, "/srv/site.git"),
            ("ssh://git@example.org:2222/~bob/site", "git", "example.org", 2222, "~bob/site"),
            ("ssh://[::1]:22/x", nil, "::1", 22, "/x"), ("git+ssh://h/x%20y", nil, "h", nil, "/x y"),
            ("git@[::1]:x", "git", "::1", nil, "x"), ("[git@example.org:2222]:x", "git", "example.org", 2222, "x"),
            ("git@[example.org:2222]:~bob/x", "git", "example.org", 2222, "~bob/x"),
            ("example.org:/~bob/site", nil, "example.org", nil, "~bob/site"),
            ("ssh://git@example.org:/~bob/x", "git", "example.org", nil, "~bob/x"),
            ("ssh://me%40example.org@h%6fst/x", "me@example.org", "host", nil, "/x"),
            ("ssh://[fe80::1%25eth0]/x", nil, "fe80::1%eth0", nil, "/x"),
        ]
        for form in forms {
            let target = SSHTarget(try RemoteURL(form.0))
            #expect(
                target.user == form.user && target.host == form.host && target.port == form.port, "\(form.0): \(target)"
            )
            #expect(target.path == form.path, "\(form.0): \(target.path)")
        }
    }

    @Test func `a server that is silent, gone, or not there at all is told in bounded time`() async throws {
        let options = SSHOptions(key: key, knownHosts: try known())
        let port = try freePort()
        let refused = await refusal("ssh://127.0.0.1:\(port)/x", options)
        guard case .unreachable? = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        let proxy = try FaultProxy(to: server.port, fault: .stall(after: 0))
        let start = Date()
        let silent = await refusal("ssh://127.0.0.1:\(proxy.port)/x", options, timeout: .seconds(1))
        guard case .stalled? = silent else {
            Issue.record("\(String(describing: silent))")
            return
        }
        #expect(Date().timeIntervalSince(start) < 30, "the system itself would wait for ever")
        let unknown = await refusal("ssh://no-such-host.invalid/x", options)
        guard case .hostUnknown? = unknown else {
            Issue.record("\(String(describing: unknown))")
            return
        }
    }

    @Test func `cancelling ends ssh at once`() async throws {
        let proxy = try FaultProxy(to: server.port, fault: .stall(after: 0))
        let options = SSHOptions(key: key, knownHosts: try known())
        let task = Task { try await discover("ssh://127.0.0.1:\(proxy.port)/x", options) }
        func children() -> Int {
            let list =
                (try? Command.run(
                    ["pgrep", "-f", "-P", "\(getpid())", "127.0.0.1 git-upload-pack '/x'"], mayFail: true))
            return list?.text.split(separator: "\n").count ?? 0
        }
        try await eventually("ssh runs") { proxy.connectionCount > 0 }
        let start = Date()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(Date().timeIntervalSince(start) < 30, "the limit is a minute")
        try await eventually("ssh has ended") { children() == 0 }
    }

    @Test func `a stall in the middle of the answer is noticed`() async throws {
        // The handshake goes through, and some of the talk.
        let options = SSHOptions(
            key: key, knownHosts: .value(Secret("* " + (try server.folder.read("host_ed25519.pub")))))
        var stalls = 0
        for bytes in stride(from: 1_500, through: 4_000, by: 500) {
            let proxy = try FaultProxy(to: server.port, fault: .stall(after: bytes))
            let url = "ssh://\(NSUserName())@127.0.0.1:\(proxy.port)\(source.path)/.git"
            if case .stalled? = await refusal(url, options, timeout: .seconds(1)) { stalls += 1 }
        }
        #expect(stalls > 0)
    }
}
