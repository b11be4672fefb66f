import Glibc
import Platform

/// What NO_PROXY names: hosts that are asked without a proxy. It means what it means to curl(1), version 7.86 and later:
///
/// - `example.org` is that host and all below it, and so is `.example.org`, which to Go's net/http is only what is below it.
///   A dot at the end, here or of the host, says nothing.
/// - `10.0.0.0/8` and `fd00::/8` are the addresses of a network, `10.0.0.1` and `fd00::1` one address. They are compared with
///   hosts that are addresses, by their value, and names are not: none is looked up for this. Of zero bits is one address.
/// - White space separates as a comma does.
///
/// What curl has no meaning for is what it is to Go: `host:port` is that port only, `[fd00::1]` an address as in a URL,
/// `*.example.org` all below it and not itself, and `*` among others every host, as it is to curl by itself.
struct ProxyException: Sendable, Equatable {
    private struct Network: Equatable {
        /// Four bytes or sixteen.
        let address: [UInt8]
        /// So many count.
        let bits: Int

        func contains(_ other: [UInt8]) -> Bool {
            guard other.count == address.count, bits <= 8 * address.count else { return false }
            return zip(address, other).enumerated().allSatisfy { number, pair in
                let rest = bits - 8 * number
                return rest <= 0 || (pair.0 ^ pair.1) & (rest >= 8 ? 0xff : ~(0xff >> rest)) == 0
            }
        }
    }

    /// A host, as it is connected to.
    enum Host {
        case address([UInt8])
        /// In lower case, without the dot at its end.
        case name([UInt8])

        /// - Parameter text: without brackets.
        init(_ text: String) {
            var address = in_addr()
            // Every form that is connected to as an address, such as `127.1`.
            if inet_aton(text, &address) == 1 {
                self = .address(withUnsafeBytes(of: address) { Array($0) })
            } else if let address = ProxyException.address(text.utf8.prefix { $0 != UInt8(ascii: "%") }) {
                self = .address(address)
            } else {
                self = .name(Array(ProxyException.withoutLastDot(text.utf8.lowercasedASCII[...])))
            }
        }
    }

    private let isEverything: Bool
    /// For hosts that are addresses.
    private let network: Network?
    /// For hosts that are names; in lower case, without dots around it.
    private let name: [UInt8]
    private let isItselfCovered: Bool
    private let port: Int?

    static func list(_ text: String) -> [ProxyException] {
        text.utf8.split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") || (9...13).contains($0) }.map {
            ProxyException($0.lowercasedASCII[...])
        }
    }

    private init(_ word: ArraySlice<UInt8>) {
        isEverything = word.elementsEqual("*".utf8)
        let (place, port) = Self.withoutPort(word)
        self.port = port
        network = Self.network(place)
        isItselfCovered = !place.starts(with: "*.".utf8)
        var name = Self.withoutLastDot(isItselfCovered ? place : place.dropFirst(2))
        if name.first == UInt8(ascii: ".") { name = name.dropFirst() }
        self.name = Array(name)
    }

    func covers(_ host: Host, _ port: Int) -> Bool {
        if isEverything { return true }
        guard self.port ?? port == port else { return false }
        switch host {
        case .address(let address): return network?.contains(address) == true
        case .name(let host):
            guard !name.isEmpty, host.suffix(name.count) == name[...] else { return false }
            return host.count == name.count ? isItselfCovered : host.dropLast(name.count).last == UInt8(ascii: ".")
        }
    }

    /// Of `host:port` and `[address]:port`.
    private static func withoutPort(_ word: ArraySlice<UInt8>) -> (place: ArraySlice<UInt8>, port: Int?) {
        guard !word.contains(UInt8(ascii: "/")) else { return (word, nil) }
        var (place, rest) = (word, word[word.endIndex...])
        if word.first == UInt8(ascii: "["), let close = word.firstIndex(of: UInt8(ascii: "]")) {
            (place, rest) = (word[..<close].dropFirst(), word[(close + 1)...])
        } else if let colon = word.firstIndex(of: UInt8(ascii: ":")), colon == word.lastIndex(of: UInt8(ascii: ":")) {
            (place, rest) = (word[..<colon], word[colon...])
        }
        // To Go, a colon by itself is none.
        if rest.isEmpty || rest.elementsEqual(":".utf8) { return (place, nil) }
        guard rest.first == UInt8(ascii: ":"), rest.dropFirst().allSatisfy(\.isDigit),
            let port = UInt16(rest.dropFirst().asText)
        else { return (word, nil) }
        return (place, Int(port))
    }

    private static func network(_ text: ArraySlice<UInt8>) -> Network? {
        let slash = text.firstIndex(of: UInt8(ascii: "/"))
        guard let address = address(text[..<(slash ?? text.endIndex)]) else { return nil }
        let all = 8 * address.count
        guard let slash else { return Network(address: address, bits: all) }
        // As atoi(3) reads it; none are all.
        let bits = text[(slash + 1)...]
        let isSigned = bits.first == UInt8(ascii: "-")
        let digits = (isSigned || bits.first == UInt8(ascii: "+") ? bits.dropFirst() : bits).prefix(while: \.isDigit)
        guard let number = digits.isEmpty ? 0 : Int(digits.asText), number == 0 || !isSigned else { return nil }
        return Network(address: address, bits: number == 0 ? all : number)
    }

    private static func address(_ text: some Collection<UInt8>) -> [UInt8]? {
        let text = text.asText
        var (four, six) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }

    private static func withoutLastDot(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        name.last == UInt8(ascii: ".") ? name.dropLast() : name
    }
}
