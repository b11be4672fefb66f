import Foundation

/// Asks a server over http with the system's curl.
public struct Curl: Sendable {
    /// A host and a port.
    public let address: String
    private let socket: String?

    /// - Parameters:
    ///   - address: a host and a port.
    ///   - socket: a socket in the file system to connect to instead.
    public init(_ address: String, socket: String? = nil) { (self.address, self.socket) = (address, socket) }

    /// An answer.
    public struct Answer: Sendable {
        /// 0 for none.
        public let status: Int
        /// How long it took to come, as curl has measured it.
        public let seconds: Double
        /// All of it.
        public let body: String
        /// The lines before it.
        public let header: String

        /// The body as an object of JSON.
        public var object: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
        }
    }

    /// - Parameter body: `nil` asks with GET.
    public func ask(_ path: String, body: String? = nil, _ fields: [String: String] = [:], more: [String] = []) throws
        -> Answer
    {
        let folder = try TemporaryFolder()
        var arguments = ["curl", "-sS", "--max-time", "20", "-D", folder("header"), "-o", folder("body")] + more
        arguments +=
            ["-w", "%{http_code} %{time_total}", "http://\(address)\(path)"]
            + (socket.map { ["--unix-socket", $0] } ?? [])
        for (name, value) in fields { arguments += ["-H", "\(name): \(value)"] }
        if let body {
            try folder.write(body, to: "request")
            arguments += ["-X", "POST", "--data-binary", "@" + folder("request")]
        }
        let result = try Command.run(arguments, mayFail: true)
        let words = result.text.split(separator: " ")
        return Answer(
            status: words.first.flatMap { Int($0) } ?? 0, seconds: words.last.flatMap { Double($0) } ?? .infinity,
            body: (try? folder.read("body")) ?? "",
            header: (try? folder.read("header")) ?? "")
    }

    /// One number of `/metrics`, by its name and labels as they stand there.
    public func metric(_ name: String) throws -> Double? {
        try ask("/metrics").body.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
    }
}

extension Sidekick {
    /// Asks where it listens.
    public func edge() async throws -> Curl {
        try await prints("listening")
        let line = log.split(separator: "\n").first { $0.contains(" listening ") } ?? ""
        let address = line.split(separator: " ").first { $0.hasPrefix("address=") }?.dropFirst("address=".count) ?? ""
        return address.hasPrefix("unix:")
            ? Curl("localhost", socket: String(address.dropFirst("unix:".count))) : Curl(String(address))
    }
}
