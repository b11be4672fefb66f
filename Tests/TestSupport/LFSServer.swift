public import Foundation
import Synchronization

/// A server of Git LFS that has what it is given, and does to each request what a test says.
public final class LFSServer: Sendable {
    /// A request, all of it.
    public struct Request: Sendable {
        /// `GET`, `POST`.
        public let method: String
        /// With what stands behind a `?`.
        public let path: String
        /// By names in small letters.
        public let headers: [String: String]
        /// All of it.
        public let body: Data

        /// Whether it is one of the batch API.
        public var isBatch: Bool { method == "POST" && path.hasSuffix("/objects/batch") }
    }

    /// What is answered.
    public struct Response: Sendable {
        /// 200 and so on.
        public var status: Int
        /// Its length is added.
        public var headers: [String: String]
        /// All of it, whatever of it is sent.
        public var body: Data
        /// After so many bytes of the body the connection is closed.
        public var end: Int?
        /// After so many bytes nothing more comes.
        public var stall: Int?

        /// Names its parts.
        public init(
            _ status: Int, _ headers: [String: String] = [:], _ body: Data = Data(), end: Int? = nil, stall: Int? = nil
        ) {
            (self.status, self.headers, self.body, self.end, self.stall) = (status, headers, body, end, stall)
        }
    }

    /// Where it listens.
    public let port: UInt16
    private let listener: Int32
    private let objects = Mutex<[String: Data]>([:])
    private let seen = Mutex<[Request]>([])
    private let answering: Mutex<@Sendable (Request, LFSServer) -> Response?>

    /// - Parameter answer: what is answered in place of what a server should; `nil` for that.
    public init(
        host: String = "127.0.0.1", _ answer: @escaping @Sendable (Request, LFSServer) -> Response? = { _, _ in nil }
    ) throws {
        answering = Mutex(answer)
        (listener, port) = try listeningSocket()
        Thread.detachNewThread { [weak self, listener] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                Thread.detachNewThread { [weak self] in
                    defer { close(client) }
                    var rest = Data()
                    while let request = Self.read(client, &rest), let response = self?.answer(request) {
                        guard Self.send(response, to: client) else { return }
                    }
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// From now on, in place of what a server should answer.
    public func answers(_ answer: @escaping @Sendable (Request, LFSServer) -> Response?) {
        answering.withLock { $0 = answer }
    }

    /// Where it is.
    public var url: String { "http://127.0.0.1:\(port)" }
    /// Every request so far.
    public var requests: [Request] { seen.withLock { $0 } }

    /// Has an object from now on.
    ///
    /// - Returns: the pointer to it.
    @discardableResult
    public func add(_ data: Data) throws -> String {
        let pointer = try lfsPointer(to: data)
        objects.withLock { $0[pointer.id] = data }
        return pointer.text
    }

    /// What it has by that name.
    public func object(_ id: String) -> Data? { objects.withLock { $0[id] } }

    private func answer(_ request: Request) -> Response {
        seen.withLock { $0.append(request) }
        let scripted = answering.withLock { $0 }
        return scripted(request, self) ?? (request.isBatch ? batch(request) : download(request))
    }

    /// What a server should say of a batch.
    ///
    /// - Parameters:
    ///   - href: where an object is.
    ///   - action: what else is said of each.
    public func batch(
        _ request: Request, href: (String) -> String? = { _ in nil }, action: [String: Any] = [:],
        object more: [String: Any] = [:]
    ) -> Response {
        let asked = (try? JSONSerialization.jsonObject(with: request.body) as? [String: Any]) ?? [:]
        let objects = (asked["objects"] as? [[String: Any]] ?? []).map { object -> [String: Any] in
            let id = object["oid"] as? String ?? ""
            var answer: [String: Any] = ["oid": id, "size": object["size"] ?? 0].merging(more) { $1 }
            if self.object(id) == nil {
                answer["error"] = ["code": 404, "message": "Object does not exist"]
            } else {
                answer["actions"] = [
                    "download": ["href": href(id) ?? "\(url)/object/\(id)"].merging(action) { $1 } as [String: Any]
                ]
            }
            return answer
        }
        let answer: [String: Any] = ["transfer": "basic", "objects": objects]
        return Response(
            200, ["Content-Type": "application/vnd.git-lfs+json"],
            (try? JSONSerialization.data(withJSONObject: answer)) ?? Data())
    }

    /// What a server should say to who wants an object.
    public func download(_ request: Request) -> Response {
        guard let data = object(String(request.path.split(separator: "/").last ?? "")) else { return Response(404) }
        guard let range = request.headers["range"], let start = Int(range.dropFirst(6).prefix { $0 != "-" }) else {
            return Response(200, [:], data)
        }
        guard start < data.count else { return Response(416) }
        return Response(
            206, ["Content-Range": "bytes \(start)-\(data.count - 1)/\(data.count)"], Data(data[start...]))
    }

    private static func read(_ client: Int32, _ rest: inout Data) -> Request? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        func more() -> Bool {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            rest += buffer[..<count]
            return true
        }
        let end = Data("\r\n\r\n".utf8)
        while rest.range(of: end) == nil { guard more() else { return nil } }
        let head = rest.range(of: end)!
        let lines = String(decoding: rest[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let words = lines[0].split(separator: " ")
        rest = Data(rest[head.upperBound...])
        let length = Int(headers["content-length"] ?? "0") ?? 0
        while rest.count < length { guard more() else { return nil } }
        let body = Data(rest.prefix(length))
        rest = Data(rest.dropFirst(length))
        guard words.count > 1 else { return nil }
        return Request(method: String(words[0]), path: String(words[1]), headers: headers, body: body)
    }

    /// - Returns: whether the connection goes on.
    private static func send(_ response: Response, to client: Int32) -> Bool {
        var headers = response.headers
        if headers["Transfer-Encoding"] == nil, headers["Content-Length"] == nil {
            headers["Content-Length"] = "\(response.body.count)"
        }
        let head =
            "HTTP/1.1 \(response.status) Status\r\n" + headers.map { "\($0.key): \($0.value)\r\n" }.joined() + "\r\n"
        let bytes = [UInt8](Data(head.utf8) + response.body.prefix(response.end ?? response.stall ?? .max))
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        if response.stall != nil {
            // Until whoever waits goes away.
            var byte: UInt8 = 0
            while recv(client, &byte, 1, 0) > 0 {}
            return false
        }
        return response.end == nil
    }
}

/// The pointer to an object of Git LFS, as sha256sum(1) names it.
public func lfsPointer(to data: Data) throws -> (id: String, text: String) {
    let id = String(try Command.run(["sha256sum"], input: data).text.prefix(64))
    return (id, "version https://git-lfs.github.com/spec/v1\noid sha256:\(id)\nsize \(data.count)\n")
}
