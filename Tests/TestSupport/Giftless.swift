import Foundation

/// A real server of Git LFS: giftless, in Python. Anybody may read and write.
public final class Giftless: Sendable {
    /// Where it listens.
    public let port: UInt16
    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// Where `deploy/setup test` has it.
    private static let python = Nginx.project + "/.build-giftless/bin/python"

    /// Starts it with nothing in it.
    public init() async throws {
        let script = """
            import sys
            from giftless.app import init_app
            from werkzeug.serving import run_simple
            app = init_app(additional_config={
                "AUTH_PROVIDERS": ["giftless.auth.allow_anon:read_write"], "LEGACY_ENDPOINTS": False})
            run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
            """
        folder = try TemporaryFolder()
        port = try freePort()
        try folder.write("", to: "log")
        process = try ChildProcess(
            [Self.python, "-c", script, "\(port)"], in: folder.path, output: folder("log"), error: folder("log"))
        let (port, log) = (port, folder("log"))
        do {
            try await eventually("giftless listens") { (try? connected(to: port)).map { close($0) } != nil }
        } catch {
            throw TestFailure("giftless: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
        }
    }

    deinit { process.kill() }

    /// The address of a repository's server.
    public func url(_ repository: String) -> String { "http://127.0.0.1:\(port)/org/\(repository).git/info/lfs" }
}

extension GitRepository {
    /// From now on pictures are kept by Git LFS.
    public func trackPictures() throws {
        try git("lfs", "install", "--local", "--skip-repo")
        // It would push objects to wherever commits go.
        try git("config", "core.hooksPath", "/dev/null")
        try folder.write("*.png filter=lfs diff=lfs merge=lfs -text\n", to: ".gitattributes")
    }

    /// Pushes objects of Git LFS.
    public func pushObjects(to server: String) throws {
        try git("-c", "lfs.url=\(server)", "-c", "lfs.locksverify=false", "lfs", "push", "--all", "x://nowhere")
    }
}
