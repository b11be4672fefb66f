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
