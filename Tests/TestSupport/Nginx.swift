import Foundation

/// A real nginx on loopback.
public final class Nginx: Sendable {
    /// Where it listens.
    public let port: UInt16
    private let processes: [ChildProcess]
    private let folder: TemporaryFolder

    /// The project's own folder, found from this file.
    public static let project: String = {
        var path = #filePath
        for _ in 0..<3 { path = (path as NSString).deletingLastPathComponent }
        return path
    }()

    /// Serves a DESTINATION with the project's web.conf; only its port and its root are replaced.
    ///
    /// - Parameter additions: what a setup adds.
    public convenience init(serving destination: String, adding additions: String = "") async throws {
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: Self.project + "/web.conf", encoding: .utf8)
        let (parent, name) = (
            (destination as NSString).deletingLastPathComponent, (destination as NSString).lastPathComponent
        )
        let previous = "\(parent)/.sidekick/\(name)/previous"
        try await self.init(folder) { port in
            text.replacingOccurrences(of: "include /etc/nginx/pair.d/*.conf;", with: additions)
                .replacingOccurrences(of: "listen 8080;", with: "listen 127.0.0.1:\(port);")
                .replacingOccurrences(of: "root /srv/www;", with: "root \(destination);")
                .replacingOccurrences(of: "root /srv/.sidekick/www/previous;", with: "root \(previous);")
        }
    }

    /// Serves a DESTINATION by an ordinary configuration: with Last-Modified, and 304 for what is not younger than what a client
    /// names.
    public convenience init(byTime destination: String) async throws {
        try await self.init(try TemporaryFolder()) { port in
            "server { listen 127.0.0.1:\(port); root \(destination); if_modified_since before; }"
        }
    }

    /// Serves the bare repositories of a folder through `git http-backend`.
    ///
    /// - Parameters:
    ///   - login: the one user and password that it lets in.
    ///   - certificate: with its key in one file; nginx speaks TLS then.
    ///   - protocols: the versions of TLS that it speaks, in nginx's words; any by default.
    ///   - clients: the authority of the certificates that clients must have.
    ///   - compresses: whether it compresses what it is asked to.
    ///   - version2: whether git is told what version of its protocol a client asks for.
    ///   - lfs: what has the objects of Git LFS of all of them, behind the same login.
    ///   - host: where it listens.
    public convenience init(
        gitRepositoriesIn root: String, login: (user: String, password: String)? = nil, certificate: String? = nil,
        protocols: String? = nil, clients: String? = nil, compresses: Bool = false, version2: Bool = true,
        lfs: Giftless? = nil, host: String = "127.0.0.1"
    ) async throws {
        let folder = try TemporaryFolder()
        let objects = lfs.map { lfs in
            """
            client_max_body_size 0;
            proxy_set_header Host $http_host;
            proxy_set_header Authorization "";
            location ~ ^/(?<name>[^/]+)\\.git/info/lfs/(?<rest>.*)$ {
                proxy_pass http://127.0.0.1:\(lfs.port)/org/$name.git/info/lfs/$rest;
            }
            # It says of its links that they need no login.
            location /org/ { auth_basic off; proxy_pass http://127.0.0.1:\(lfs.port); }
            """
        }
        let socket = folder("fcgi.sock")
        let wrapper = try ChildProcess(
            ["fcgiwrap", "-c", "2", "-s", "unix:\(socket)"],
            environment: ["PATH": GitRepository.searchPath + ":/usr/sbin"])
        let programs = try GitRepository.programs()
        try await eventually("fcgiwrap listens") { FileManager.default.fileExists(atPath: socket) }
        chmod(socket, 0o777)
        var auth = ""
        if let login {
            let hash = try Command.run(["openssl", "passwd", "-apr1", login.password]).text
            try folder.write("\(login.user):\(hash)", to: "htpasswd")
            auth = "auth_basic git; auth_basic_user_file \(folder("htpasswd"));"
        }
        try await self.init(folder, at: host, beside: wrapper) { port in
            """
            server {
                listen \(host):\(port)\(certificate == nil ? "" : " ssl");
                \(certificate.map { "ssl_certificate \($0); ssl_certificate_key \($0);" } ?? "")
                \(protocols.map { "ssl_protocols \($0); ssl_ciphers ALL:@SECLEVEL=0;" } ?? "")
                \(clients.map { "ssl_verify_client on; ssl_client_certificate \($0);" } ?? "")
                \(auth)
                \(objects ?? "")
                \(compresses ? "gzip on; gzip_min_length 0; gzip_types *;" : "")
                location / {
                    client_max_body_size 0;
                    fastcgi_pass unix:\(socket);
                    fastcgi_param SCRIPT_FILENAME \(programs)/git-http-backend;
                    fastcgi_param GIT_PROJECT_ROOT \(root);
                    fastcgi_param GIT_HTTP_EXPORT_ALL 1;
                    fastcgi_param GIT_CONFIG_COUNT 1;
                    fastcgi_param GIT_CONFIG_KEY_0 safe.directory;
                    fastcgi_param GIT_CONFIG_VALUE_0 *;
                    fastcgi_param PATH_INFO $uri;
                    fastcgi_param QUERY_STRING $query_string;
                    fastcgi_param REQUEST_METHOD $request_method;
                    fastcgi_param CONTENT_TYPE $content_type;
                    fastcgi_param CONTENT_LENGTH $content_length;
                    fastcgi_param HTTP_GIT_PROTOCOL "\(version2 ? "$http_git_protocol" : "")";
                    fastcgi_param REMOTE_USER $remote_user;
                    fastcgi_param REMOTE_ADDR $remote_addr;
                }
            }
            """
        }
    }

    /// - Parameter server: the server block for a port.
    private init(
        _ folder: TemporaryFolder, at host: String = "127.0.0.1", beside helper: ChildProcess? = nil,
        _ server: (UInt16) -> String
    ) async throws {
        var failure = ""
        for _ in 0..<5 {
            let port = try freePort()
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            try folder.write(
                """
                daemon off; worker_processes 2; pid \(folder("nginx.pid")); error_log \(folder("error.log"));
                \(geteuid() == 0 ? "user root;" : "")
                events { worker_connections 256; }
                http {
                    include /etc/nginx/mime.types;
                    access_log \(folder("access.log"));
                    \(temporary.map { "\($0)_temp_path \(folder($0));" }.joined(separator: " "))
                    \(server(port))
                }
                """, to: "nginx.conf")
            let process = try ChildProcess(
                ["nginx", "-p", folder.path, "-c", folder("nginx.conf"), "-e", folder("error.log")],
                environment: ["PATH": "/usr/sbin:/usr/bin:/bin"])
            do {
                try await eventually(within: 5, "nginx listens") {
                    guard process.status == nil else { throw TestFailure("nginx ended") }
                    // It tries again for seconds where somebody else listens, and writes this when it does itself.
                    guard (try? folder.read("nginx.pid"))?.isEmpty == false else { return false }
                    return (try? connected(to: port, at: host)).map { close($0) } != nil
                }
                self.port = port
                self.folder = folder
                processes = [process, helper].compactMap { $0 }
                return
            } catch {
                process.kill()
                failure = (try? folder.read("error.log")) ?? "\(error)"
            }
        }
        throw TestFailure("nginx does not start: \(failure)")
    }

    deinit { stop() }

    /// Every request that it answered, a line each.
    public var accessLog: String { (try? folder.read("access.log")) ?? "" }

    /// Ends it.
    public func stop() { for process in processes { process.kill() } }
}
