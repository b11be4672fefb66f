import Git
import Glibc
import Platform
import Synchronization

/// Addresses that a server has no business to lead to: those of the link alone, where the clouds have what their machines may know
/// of themselves (RFC 3927, RFC 4291 section 2.5.6).
final class LinkLocalAddresses: Sendable {
    private let options: UpstreamOptions
    private let known = Mutex<[String: String?]>([:])

    init(_ options: UpstreamOptions) { self.options = options }

    /// Why nothing is asked of a URL's host; `nil` when it may be. A name is what it stands for, where nobody else resolves it.
    func refusal(of url: String) async throws -> String? {
        guard let host = HTTPOrigin(url)?.host else { return "which is no address of http or https" }
        if let known = known.withLock({ $0[host] }) { return known }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        var addresses = [bare]
        let proxied = (try? RemoteURL(url)).flatMap { try? options.proxies.proxy(for: $0) } ?? nil
        if proxied == nil {
            addresses += (try? await HostAddresses.all(of: bare, within: options.timeout)) ?? []
            try Task.checkCancellation()
        }
        let isRefused = addresses.contains { Self.isLinkLocal($0) }
        let reason = isRefused ? "an address of the link alone" : nil
        known.withLock { $0[host] = .some(reason) }
        return reason
    }

    /// What the clouds use that is not of the link: AWS over IPv6, Alibaba, Azure.
    private static let others = ["fd00:ec2::254", "100.100.100.200", "168.63.129.16"]

    static func isLinkLocal(_ text: String) -> Bool {
        let text = text.hasPrefix("[") ? String(text.dropFirst().dropLast()) : text
        if others.contains(text) { return true }
        var four = in_addr()
        // As connect(2) would take it: also one number, or in hexadecimal.
        if inet_aton(text, &four) == 1 {
            let bytes = withUnsafeBytes(of: four.s_addr) { Array($0) }
            return bytes[0] == 169 && bytes[1] == 254 || others.contains(bytes.map { "\($0)" }.joined(separator: "."))
        }
        var six = in6_addr()
        let name = text.utf8.prefix { $0 != UInt8(ascii: "%") }.asText
        guard inet_pton(AF_INET6, name, &six) == 1 else { return false }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        if isMapped { return isLinkLocal(bytes[12...].map { "\($0)" }.joined(separator: ".")) }
        return bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
    }
}
