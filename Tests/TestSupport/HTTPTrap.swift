import Foundation
import Synchronization

/// A server that answers whatever it is told to, and remembers what it was asked.
public final class HTTPTrap: Sendable {
    /// Where it listens.
    public let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[(request: String, time: ContinuousClock.Instant)]>([])
    private let all = Mutex("")

    /// - Parameter answer: the bytes for a request; `nil` says nothing and keeps the connection open.
    public convenience init(_ answer: @escaping @Sendable (String) -> String?) throws {
        try self.init(on: listeningSocket()) { answer($0).map { Array($0.utf8) } }
    }

    /// Answers always the same.
    public convenience init(always answer: [UInt8]) throws { try self.init(on: listeningSocket()) { _ in answer } }

    private init(on socket: (Int32, UInt16), _ answer: @escaping @Sendable (String) -> [UInt8]?) throws {
        (listener, port) = socket
        Thread.detachNewThread { [weak self, listener] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                Thread.detachNewThread { [weak self] in
                    defer { close(client) }
                    var request = ""
                    var buffer = [UInt8](repeating: 0, count: 65_536)
                    while true {
                        let count = recv(client, &buffer, buffer.count, 0)
                        guard count > 0 else { return }
                        let text = String(decoding: buffer[..<count], as: UTF8.self)
                        self?.all.withLock { $0 += text }
                        request += text
                        guard request.contains("\r\n\r\n") else { continue }
                        self?.seen.withLock { $0.append((request, .now)) }
                        guard let bytes = answer(request) else { continue }
                        var sent = 0
                        while sent < bytes.count {
                            let count = bytes[sent...].withUnsafeBytes {
                                send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                            }
                            guard count > 0 else { return }
                            sent += count
                        }
                        if String(decoding: bytes.prefix(2_000), as: UTF8.self).contains("Connection: close") { return }
                        request = ""
                    }
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// Every byte so far.
    public var everything: String { all.withLock { $0 } }

    /// Every request so far, with its header.
    public var requests: [String] { seen.withLock { $0.map(\.request) } }

    /// When each request came.
    public var times: [ContinuousClock.Instant] { seen.withLock { $0.map(\.time) } }
}

/// A port on which connections are neither accepted nor refused.
public final class FullListener: Sendable {
    /// Where it is.
    public let port: UInt16
    private let descriptors: [Int32]

    /// Fills its own queue.
    public init() throws {
        let (listener, port) = try listeningSocket()
        listen(listener, 0)
        var descriptors = [listener]
        for _ in 0..<8 {
            guard let client = startConnecting(to: port) else { break }
            descriptors.append(client)
        }
        self.port = port
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
