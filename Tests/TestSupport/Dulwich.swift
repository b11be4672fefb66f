import Foundation

/// A git server that shares no code with git: dulwich, in Python.
public final class Dulwich: Sendable {
    /// Where it listens.
    public let port: UInt16
    private let process: ChildProcess

    /// Serves one repository as `/site.git`, over http or git://.
    public init(_ repository: String, http: Bool) async throws {
        let port = try freePort()
        self.port = port
        let serve =
            http
            ? """
            from dulwich.web import make_wsgi_chain, WSGIRequestHandlerLogger, WSGIServerLogger
            from wsgiref.simple_server import make_server
            make_server("127.0.0.1", int(sys.argv[2]), make_wsgi_chain(backend), handler_class=WSGIRequestHandlerLogger,
                        server_class=WSGIServerLogger).serve_forever()
            """
            : """
            from dulwich.server import TCPGitServer
            TCPGitServer(backend, "127.0.0.1", int(sys.argv[2])).serve_forever()
            """
        let script = """
            import sys
            from dulwich.repo import Repo
            from dulwich.server import DictBackend
            backend = DictBackend({"/site.git": Repo(sys.argv[1]), b"/site.git": Repo(sys.argv[1])})
            \(serve)
            """
        process = try ChildProcess(["/usr/bin/python3", "-c", script, repository, "\(port)"])
        try await eventually("dulwich listens") { (try? connected(to: port)).map { close($0) } != nil }
    }

    deinit { process.kill() }
}
