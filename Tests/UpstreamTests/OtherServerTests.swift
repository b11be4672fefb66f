import Platform
import Foundation
import Git
import TestSupport
import Testing

@testable import Upstream

@Suite struct `A server that is not git` {
    @Test(arguments: [true, false])
    func `is followed through updates and a force-push`(http: Bool) async throws {
        let remote = try await SmartRemote(.http)
        let server = try await Dulwich(remote.bare, http: http)
        remote.options.url = try RemoteURL("\(http ? "http" : "git")://127.0.0.1:\(server.port)/site.git")
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let upstream = try remote.upstream()
        for number in 1...3 {
            if number == 3 { try remote.source.git("reset", "-q", "--hard", "HEAD~1") }
            let tip = try remote.push(["index.html": "\(number)"])
            #expect(try await remote.fetch(upstream, into: store, depth: 1).description == tip)
            #expect(try StoreView(path: store.path).fsck() == "")
        }
    }
}

@Suite struct `Over TLS` {
    private func remote(in folder: TemporaryFolder, version2: Bool) async throws -> (SmartRemote, Nginx) {
        let remote = try await SmartRemote(.http)
        let parent = (remote.bare as NSString).deletingLastPathComponent
        let server = try await Nginx(
            gitRepositoriesIn: parent, certificate: try folder.certificate("server"), version2: version2)
        remote.options.url = try RemoteURL("https://127.0.0.1:\(server.port)/site.git")
        return (remote, server)
    }

    @Test(arguments: [true, false])
    func `an authority of one's own is trusted when it is named, and nobody else is`(version2: Bool) async throws {
        let folder = try TemporaryFolder()
        let (remote, server) = try await remote(in: folder, version2: version2)
        defer { withExtendedLifetime(server) {} }
        await #expect {
            _ = try await remote.upstream().discover()
        } throws: {
            guard case UpstreamError.certificate = $0 else { return false }
            return true
        }
        remote.options.tls.authorities = folder("server.crt")
        #expect(try await remote.upstream().discover().commit.description == remote.source.head)
        let store = Store(path: folder("git"))
        _ = try await remote.fetch(remote.upstream(), into: store, depth: 1)
        // Trusted, and somebody else's.
        let other = try await Nginx(
            gitRepositoriesIn: (remote.bare as NSString).deletingLastPathComponent,
            certificate: try folder.certificate("other", for: "DNS:other.example"), version2: version2)
        remote.options.tls.authorities = folder("other.crt")
        remote.options.url = try RemoteURL("https://127.0.0.1:\(other.port)/site.git")
        await #expect {
            _ = try await remote.upstream().discover()
        } throws: {
            guard case UpstreamError.certificate = $0 else { return false }
            return true
        }
        remote.options.tls.authorities = folder("nothing.crt")
        #expect(throws: UpstreamError.self) { try remote.upstream() }
    }

    @Test(arguments: ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"], [true, false])
    func `is TLS 1.2 or newer, in either version of git's protocol`(tls: String, version2: Bool) async throws {
        let folder = try TemporaryFolder()
        let remote = try await SmartRemote(.http)
        let server = try await Nginx(
            gitRepositoriesIn: (remote.bare as NSString).deletingLastPathComponent,
            certificate: try folder.certificate("server"), protocols: tls, version2: version2)
        remote.options.url = try RemoteURL("https://127.0.0.1:\(server.port)/site.git")
        remote.options.tls.authorities = folder("server.crt")
        // That it speaks it with who takes it.
        let oldest = tls.replacingOccurrences(of: "TLSv", with: "")
        try Command.run([
            "curl", "-sS", "--fail", "--cacert", folder("server.crt"), "--ciphers", "DEFAULT:@SECLEVEL=0",
            "--tlsv\(oldest == "1" ? "1.0" : oldest)",
            "https://127.0.0.1:\(server.port)/site.git/HEAD",
        ])
        if ["TLSv1.2", "TLSv1.3"].contains(tls) {
            #expect(try await remote.upstream().discover().commit.description == remote.source.head)
        } else {
            await #expect(throws: UpstreamError.self) { try await remote.upstream().discover() }
        }
    }

    @Test(arguments: [true, false])
    func `a server that asks for a certificate gets ours`(version2: Bool) async throws {
        let folder = try TemporaryFolder()
        _ = try folder.certificate("client")
        let remote = try await SmartRemote(.http)
        let parent = (remote.bare as NSString).deletingLastPathComponent
        let server = try await Nginx(
            gitRepositoriesIn: parent, certificate: try folder.certificate("server"), clients: folder("client.crt"),
            version2: version2
        )
        remote.options.url = try RemoteURL("https://127.0.0.1:\(server.port)/site.git")
        remote.options.tls.authorities = folder("server.crt")
        await #expect(throws: UpstreamError.self) { try await remote.upstream().discover() }
        remote.options.tls.certificate = folder("client.crt")
        remote.options.tls.key = folder("client.key")
        #expect(try await remote.upstream().discover().commit.description == remote.source.head)
    }
}

@Suite struct `Logins and proxies` {
    private func pair(_ source: CredentialSource, _ url: String) throws -> String? {
        try source.credential(for: RemoteURL(url)).map { "\($0.user):\($0.password)" }
    }

    @Test func `a list of logins is asked by scheme, host and port, and by path where it has one`() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            https://bob:s%40fe%3A1@git.example.org
            https://eve:port@git.example.org:8443
            http://plain:http@git.example.org
            https://team:deep@forge.example.org/group/site.git
            https://all:shallow@forge.example.org/
            not a line
            https://nopassword@other.example.org
            """, to: "credentials")
        var source = CredentialSource()
        source.file = folder("credentials")
        #expect(try pair(source, "https://git.example.org/x.git") == "bob:s@fe:1")
        #expect(try pair(source, "https://GIT.example.org:443/x.git") == "bob:s@fe:1")
        #expect(try pair(source, "https://git.example.org:8443/x.git") == "eve:port")
        #expect(try pair(source, "http://git.example.org/x.git") == "plain:http")
        #expect(try pair(source, "https://forge.example.org/group/site.git") == "team:deep")
        #expect(try pair(source, "https://forge.example.org/group/site.git2") == "all:shallow")
        #expect(try pair(source, "https://other.example.org/x") == nil)
        #expect(try pair(source, "https://example.org/x") == nil)
        #expect(try pair(source, "https://alice@git.example.org/x.git") == nil)
        // What is given for this repository comes first.
        source.password = .value(Secret("given"))
        #expect(try pair(source, "https://alice@git.example.org/x.git") == "alice:given")
        source.password = nil
        source.file = folder("nothing")
        #expect(throws: UpstreamError.self) { try pair(source, "https://git.example.org/x.git") }
    }

    @Test func `netrc is the last to be asked, and need not be there`() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            # a comment
            machine git.example.org
                login bob
                password one
            machine git.example.org login eve password two
            default login any password three
            """, to: "netrc")
        var source = CredentialSource()
        source.netrc = folder("netrc")
        #expect(try pair(source, "https://git.example.org/x.git") == "bob:one")
        #expect(try pair(source, "https://eve@git.example.org/x.git") == "eve:two")
        #expect(try pair(source, "https://example.org/x.git") == "any:three")
        func elsewhere(_ address: String) throws -> String? {
            try source.listed(for: address, user: nil, isHome: false).map { "\($0.user):\($0.password)" }
        }
        #expect(try elsewhere("https://git.example.org/x") == "bob:one")
        // Where a redirect leads, the login for everybody is for nobody; and a host is what is connected to.
        #expect(try elsewhere("https://example.org/x") == nil)
        for trick in [
            "https://evil.example?@git.example.org/x", "https://evil.example#@git.example.org/x",
            "https://evil.example/@git.example.org/x",
        ] {
            #expect(try elsewhere(trick) == nil, "\(trick)")
        }
        try folder.write("machine a login u password #x\nmachine b login v password w\n", to: "netrc")
        #expect(try elsewhere("https://a/x") == "u:#x" && elsewhere("https://b/x") == "v:w")
        source.netrc = folder("nothing")
        #expect(try pair(source, "https://git.example.org/x.git") == nil)
    }

    @Test func `the variables of proxies mean what they mean to curl`() throws {
        func proxy(_ environment: [String: String], _ url: String) throws -> String? {
            try ProxyRules(environment).proxy(for: RemoteURL(url)).map {
                "\($0.kind) \($0.host):\($0.port) \($0.login?.user ?? "-")"
            }
        }
        let all = [
            "HTTPS_PROXY": "http://secure:3128", "http_proxy": "http://me:pw@plain",
            "NO_PROXY": ".internal,10.0.0.1, host:8443",
        ]
        #expect(try proxy(all, "https://example.org/x") == "http secure:3128 -")
        #expect(try proxy(all, "http://example.org/x") == "http plain:80 me")
        #expect(try proxy(["ALL_PROXY": "socks5://s:1080"], "https://example.org/x") == "socks s:1080 -")
        #expect(try proxy(["https_proxy": "bare:8080"], "https://example.org/x") == "http bare:8080 -")
        for url in ["https://git.internal/x", "https://internal/x", "https://10.0.0.1/x", "https://host:8443/x"] {
            #expect(try proxy(all, url) == nil, "\(url)")
        }
        for url in ["https://notinternal/x", "https://host/x", "https://10.0.0.11/x"] {
            #expect(try proxy(all, url) != nil, "\(url)")
        }
        #expect(try proxy(["ALL_PROXY": "http://p", "no_proxy": "*"], "https://example.org/x") == nil)
        #expect(throws: UpstreamError.self) { try proxy(["HTTPS_PROXY": "ftp://x"], "https://example.org/x") }
    }

    /// Whatever the server speaks is known only behind the proxy.
    @Test(arguments: [true, false])
    func `what is behind a proxy is followed in either version`(version2: Bool) async throws {
        let remote = try await SmartRemote(version2 ? .http : .oldHTTP)
        let server = try #require(remote.nginx)
        let proxy = try FaultProxy(to: server.port, isConnectProxy: true)
        remote.options.proxies = ProxyRules(["http_proxy": "http://me:proxypw@127.0.0.1:\(proxy.port)"])
        remote.options.url = try RemoteURL("http://git.example.org/site.git")
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        for number in 0..<2 {
            let tip = try remote.push(["index.html": "\(number)"])
            #expect(try await remote.fetch(remote.upstream(), into: store, depth: 1).description == tip)
        }
        #expect(proxy.connectionCount >= 1 && server.accessLog.contains("POST /site.git/git-upload-pack"))
    }

    @Test func `a proxy of SOCKS 5 finds the name and keeps the connection`() async throws {
        let remote = try await SmartRemote(.http)
        let server = try #require(remote.nginx)
        let ssh = try await SSHServer()
        let port = try freePort()
        try ssh.folder.write(try ssh.knownHost(), to: "known_hosts")
        let tunnel = try ChildProcess([
            "ssh", "-N", "-D", "127.0.0.1:\(port)", "-o", "UserKnownHostsFile=\(ssh.folder("known_hosts"))", "-o",
            "BatchMode=yes", "-i", ssh.folder("user_ed25519"), "-p", "\(ssh.port)", "\(NSUserName())@127.0.0.1",
        ])
        defer { tunnel.kill() }
        try await eventually("the proxy listens") { (try? connected(to: port)).map { close($0) } != nil }
        remote.options.proxies = ProxyRules(["http_proxy": "socks5h://127.0.0.1:\(port)"])
        remote.options.url = try RemoteURL("http://localhost:\(server.port)/site.git")
        let store = Store(path: ssh.folder("git"))
        let upstream = try remote.upstream()
        for number in 0..<2 {
            let tip = try remote.push(["index.html": "\(number)"])
            #expect(try await remote.fetch(upstream, into: store, depth: 1).description == tip)
        }
        // ssh says yes to everything, and then hangs up.
        remote.options.url = try RemoteURL("http://127.0.0.1:\(try freePort())/site.git")
        await #expect(throws: UpstreamError.self) { try await remote.upstream().discover() }
    }

    @Test func `a proxy is asked for the server, with its own login and not the server's`() async throws {
        let trap = try HTTPTrap { _ in "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n" }
        for scheme in ["http", "https"] {
            var options = UpstreamOptions(
                url: try RemoteURL("\(scheme)://git.example.org/site.git"),
                credentials: CredentialSource(user: "reader", password: .value(Secret("s3cr3t"))), timeout: patience)
            options.proxies = ProxyRules(["ALL_PROXY": "http://me:proxypw@127.0.0.1:\(trap.port)"])
            await #expect(throws: UpstreamError.self) { try await options.makeUpstream(on: GitExecutor()).discover() }
        }
        let own = Data("me:proxypw".utf8).base64EncodedString()
        let servers = Data("reader:s3cr3t".utf8).base64EncodedString()
        for port in [80, 443] {
            let connect = trap.requests.first { $0.hasPrefix("CONNECT git.example.org:\(port) ") }
            #expect(connect?.contains(own) == true, "\(trap.requests)")
        }
        #expect(!trap.requests.contains { $0.contains(servers) })
    }
}
