import Platform
import Glibc
import Synchronization

/// One address to connect to.
struct SocketAddress: Sendable {
    let family: Int32
    private let bytes: [UInt8]

    init(_ info: addrinfo) {
        family = info.ai_family
        bytes = Array(UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen)))
    }

    /// As it stands in a URL.
    var text: String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = withPointer { getnameinfo($0, $1, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) }
        guard code == 0 else { return nil }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return family == AF_INET6 ? "[\(text)]" : text
    }

    func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            body(buffer.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
        }
    }
}

/// getaddrinfo(3) can be neither limited nor interrupted, so it gets a thread that may be left behind.
enum Resolver {
    private enum Answer: Sendable {
        case addresses([SocketAddress])
        case failure(String)
    }

    static func resolve(host: String, port: String, timeout: Duration, wake: WakePipe) throws -> [SocketAddress] {
        switch try ask(host, port, within: timeout, wake: wake) {
        case .addresses(let addresses): return addresses
        case .failure(let reason): throw UpstreamError.hostUnknown(host: host, reason: reason)
        case nil: throw UpstreamError.hostUnknown(host: host, reason: silence)
        }
    }

    /// How silent name servers are told.
    static let silence = "no name server answered"

    /// Whether there is an answer of any kind, in a time in which a second name server is asked as well when the first is silent.
    static func answers(for host: String) async -> Bool {
        guard let wake = try? WakePipe() else { return true }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { answered in
                do {
                    try OwnThread.start {
                        let isSilent = (try? ask(host, "0", within: patience, wake: wake) == nil) ?? false
                        answered.resume(returning: !isSilent)
                    }
                } catch {
                    answered.resume(returning: true)
                }
            }
        } onCancel: {
            wake.signal()
        }
    }

    /// The C library turns to the second name server after five (resolv.conf(5)).
    private static let patience = Duration.seconds(7)

    /// - Returns: `nil` when there was no answer in time.
    private static func ask(_ host: String, _ port: String, within timeout: Duration, wake: WakePipe) throws -> Answer?
    {
        let done = try WakePipe()
        let box = AnswerBox()
        try OwnThread.start {
            let answer = look(up: host, port)
            box.value.withLock { $0 = answer }
            done.signal()
        }
        if case .cancelled = Wait.forEvents(Int16(POLLIN), on: done.reading, wake: wake, atMost: timeout) {
            throw CancellationError()
        }
        return withExtendedLifetime(done) { box.value.withLock { $0 } }
    }

    private final class AnswerBox: Sendable {
        let value = Mutex<Answer?>(nil)
    }

    private static func look(up host: String, _ port: String) -> Answer {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        // libgit2 leaves the brackets around an IPv6 address.
        let name = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        var list: UnsafeMutablePointer<addrinfo>?
        var code = getaddrinfo(name, port, &hints, &list)
        if code != 0 {
            // A machine with nothing but loopback has no configured address at all.
            hints.ai_flags = 0
            code = getaddrinfo(name, port, &hints, &list)
        }
        guard code == 0 else { return .failure(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        return .addresses(
            sequence(first: list) { $0?.pointee.ai_next }.prefix { $0 != nil }.compactMap {
                $0.map { SocketAddress($0.pointee) }
            })
    }
}
