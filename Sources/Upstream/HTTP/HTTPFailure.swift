import Git
import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import Platform

/// Who is asked, as errors name it.
struct HTTPPlace: Sendable {
    /// Without a login.
    let address: String
    /// Host and port.
    let host: String
    /// After how long its silence is an error.
    let timeout: Duration

    /// The repository.
    init(_ options: UpstreamOptions) {
        (address, host, timeout) = (options.url.address, options.url.authority, options.timeout)
    }

    /// Where a server of Git LFS leads to.
    init(_ url: String, timeout: Duration) {
        address = HTTPOrigin.shown(url)
        host = HTTPOrigin(url)?.authority ?? address
        self.timeout = timeout
    }

    /// Where a redirect of the repository's server leads to.
    init(_ options: UpstreamOptions, redirectedTo url: String) {
        address = "\(options.url.address) (redirected to \(HTTPOrigin.shown(url)))"
        host = HTTPOrigin(url)?.authority ?? options.url.authority
        timeout = options.timeout
    }
}

/// What a call of the client failed with, in this room's words.
func upstreamError(_ error: any Error, at place: HTTPPlace) -> any Error {
    let (host, address) = (place.host, place.address)
    switch error {
    case is UpstreamError, is ProtocolError, is SystemError, is CancellationError: return error
    case HTTPFault.silent: return UpstreamError.stalled(host: host, time: place.timeout)
    case HTTPFault.closed: return UpstreamError.closed(host: host, reason: closedByServer)
    case HTTPFault.proxy(let reason):
        return UpstreamError.unreachable(host: host, reason: "the proxy refuses: \(reason.printable())")
    case HTTPFault.unexpected(let what): return UpstreamError.closed(host: host, reason: "it sent \(what)")
    case HTTPParserError.invalidEOFState: return UpstreamError.closed(host: host, reason: closedByServer)
    case let error as NIOConnectionError:
        guard let first = error.connectionErrors.first?.error else {
            let cause = error.dnsAError ?? error.dnsAAAAError
            return UpstreamError.hostUnknown(host: error.host, reason: cause.map { "\($0)" } ?? "it has no address")
        }
        if case .connectTimeout? = first as? ChannelError {
            return UpstreamError.stalled(host: host, time: place.timeout)
        }
        return UpstreamError.unreachable(host: host, reason: (first as? IOError)?.reason ?? "\(first)")
    case let error as ChannelError:
        if case .connectTimeout = error { return UpstreamError.stalled(host: host, time: place.timeout) }
        return UpstreamError.closed(host: host, reason: closedByServer)
    case let error as IOError where [ECONNRESET, EPIPE].contains(error.errnoCode):
        return UpstreamError.closed(host: host, reason: closedByServer)
    case let error as IOError where notReached.contains(error.errnoCode):
        return UpstreamError.unreachable(host: host, reason: error.reason)
    case let error as IOError: return UpstreamError.closed(host: host, reason: error.reason)
    case TLSFault.certificate(let reason): return UpstreamError.certificate(address: address, reason: reason)
    case TLSFault.failed(let reason): return UpstreamError.closed(host: host, reason: "TLS failed: \(reason)")
    case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
        return UpstreamError.serverFailed(address: address, reason: "its answer cannot be decompressed: \(error)")
    default: return UpstreamError.closed(host: host, reason: "\(error)".printable())
    }
}

private let notReached = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL, ENETDOWN, EHOSTDOWN]

/// Which call noticed it says nothing to a person, and differs from pass to pass.
private let closedByServer = "the other side closed it"

extension IOError {
    /// The system's words for it.
    fileprivate var reason: String { String(cString: strerror(errnoCode)) }
}

extension HTTPClient.Configuration {
    /// - Parameters:
    ///   - proxy: what stands between us and the host.
    ///   - isHome: whether it is the repository's own: nobody else is shown our certificate.
    ///   - idle: after how long an idle connection is closed.
    init(for options: UpstreamOptions, proxy: ProxyRules.Proxy?, isHome: Bool, idle: Duration) throws(UpstreamError) {
        self.init(
            tls: try TLSContext(options.tls, isHome: isHome), proxy: proxy, silence: options.timeout, idle: idle)
    }
}

/// Runs a call of the client, its failures told in this room's words.
func mappingErrors<Value>(_ place: HTTPPlace, _ work: () async throws -> Value) async throws -> Value {
    do { return try await work() } catch { throw upstreamError(error, at: place) }
}
