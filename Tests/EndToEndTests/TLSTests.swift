import Foundation
import TestSupport
import Testing

@Suite struct `Over TLS` {
    /// A repository behind nginx with a certificate that nobody on this machine trusts.
    private struct Server {
        let source: GitRepository
        let folder: TemporaryFolder
        let nginx: Nginx

        init(login: (user: String, password: String)? = nil) async throws {
            source = try GitRepository()
            try source.commit(["index.html": "secure"])
            folder = try source.bareClone().folder
            let certificate = try folder.certificate("localhost", for: "DNS:localhost,IP:127.0.0.1")
            nginx = try await Nginx(gitRepositoriesIn: folder.path, login: login, certificate: certificate)
        }

        func url(_ port: UInt16? = nil) -> String { "https://localhost:\(port ?? nginx.port)/site.git" }

        /// Runs what follows where the machine's authorities are this one certificate.
        var trusting: [String] {
            let mount = "mount --bind \(folder("localhost.crt")) /etc/ssl/certs/ca-certificates.crt"
            return ["unshare", "--mount", "sh", "-c", mount + " && exec \"$0\" \"$@\""]
        }
    }

    /// A container's root may not.
    private static let mayMount = (try? Command.run(["unshare", "--mount", "true"], mayFail: true).status) == 0

    @Test func `a certificate that is not trusted is refused`() async throws {
        let server = try await Server()
        let folder = try TemporaryFolder()
        let result = try await Sidekick.once([server.url(), folder("www")])
        #expect(result.status == 69, "\(result.log)")
        #expect(result.log.contains("certificate"), "\(result.log)")
        #expect(!folder.has("www"))
    }

    @Test(arguments: ["SSL_CERT_FILE", "SSL_CERT_DIR", "SIDEKICK_CA_FILE"])
    func `an authority is trusted that is named as OpenSSL's programs have it`(variable: String) async throws {
        let server = try await Server()
        let folder = try TemporaryFolder()
        var value = server.folder("localhost.crt")
        if variable == "SSL_CERT_DIR" {
            try FileManager.default.createDirectory(atPath: folder("certificates"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: value, toPath: folder("certificates/one.crt"))
            try Command.run(["openssl", "rehash", folder("certificates")])
            value = folder("certificates")
        }
        let result = try await Sidekick.once([server.url(), folder("www")], environment: [variable: value])
        #expect(result.status == 0, "\(result.log)")
        #expect(try folder.read("www/index.html") == "secure")
    }

    @Test func `a key that is not its certificate's ends the start, and says so`() async throws {
        let folder = try TemporaryFolder()
        for name in ["one", "two"] { _ = try folder.certificate(name) }
        let result = try await Sidekick.once(
            [
                "https://localhost:9/site.git", folder("www"), "--tls-cert-file", folder("one.crt"), "--tls-key-file",
                folder("two.key"),
            ])
        #expect(result.status == 69, "\(result.log)")
        #expect(
            result.log.contains("two.key cannot be used: it is not the key of \(folder("one.crt"))"), "\(result.log)")
        #expect(!folder.has("www"))
    }

    /// A connection that ends without TLS's own end (RFC 8446, 6.1) may have been cut by anybody.
    @Test func `what is cut off in the middle is no answer, and what was published stays`() async throws {
        let server = try await Server()
        let proxy = try FaultProxy(to: server.nginx.port)
        let folder = try TemporaryFolder()
        let authority = ["SSL_CERT_FILE": server.folder("localhost.crt")]
        let arguments = [server.url(proxy.port), folder("www"), "--timeout", "5s"]
        let worked = try await Sidekick.once(arguments, environment: authority)
        #expect(worked.status == 0, "\(worked.log)")
        try server.source.commit(["index.html": "two"])
        try server.source.git("push", "-q", server.folder("site.git"), "HEAD:main")
        for bytes in stride(from: 0, to: 4_000, by: 400) {
            proxy.fault = .cut(after: bytes)
            let cut = try await Sidekick.once(arguments, environment: authority)
            if cut.status == 0 { continue }
            #expect(cut.status == 69, "\(bytes): \(cut.log)")
            #expect(try folder.read("www/index.html") == "secure", "\(bytes): \(cut.log)")
        }
        proxy.fault = .none
        let after = try await Sidekick.once(arguments, environment: authority)
        #expect(try after.status == 0 && folder.read("www/index.html") == "two", "\(after.log)")
    }

    @Test(.enabled(if: mayMount, "trusting a certificate for one process needs root and its mounts"))
    func `a trusted server is followed, with a login, and one that falls silent is given up`() async throws {
        let server = try await Server(login: (user: "reader", password: "s3cr3t"))
        let proxy = try FaultProxy(to: server.nginx.port)
        let folder = try TemporaryFolder()
        let login = ["SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD": "s3cr3t"]
        let arguments = [server.url(proxy.port), folder("www"), "--timeout", "1s"]
        let worked = try await Sidekick.once(arguments, environment: login, wrapper: server.trusting)
        #expect(worked.status == 0, "\(worked.log)")
        #expect(try folder.read("www/index.html") == "secure")
        // In the middle of the handshake, and after it.
        for bytes in [0, 500, 1600] {
            proxy.fault = .stall(after: bytes)
            let silent = try await Sidekick.once(arguments, environment: login, wrapper: server.trusting)
            #expect(silent.status == 69, "\(bytes): \(silent.log)")
            #expect(silent.log.contains("sent nothing for 1 s"), "\(bytes): \(silent.log)")
        }
        #expect(try folder.read("www/index.html") == "secure")
    }
}
