import FoundationEssentials
import Platform

/// A line of an allowed signers file (ssh-keygen(1), ALLOWED SIGNERS), or of an authorized_keys file, which names no principals.
struct AllowedSigner: Sendable {
    let key: SSHPublicKey
    /// The principals, or the comment where there are none.
    let name: String
    /// For what it may sign; `nil` for anything.
    let namespaces: [UInt8]?
    /// Seconds since 1970.
    let validAfter: Int64?
    let validBefore: Int64?

    /// - Parameter line: neither empty nor a comment.
    /// - Returns: `nil` for an authority of certificates, which are not verified.
    init?(_ line: ArraySlice<UInt8>) throws(Malformed) {
        var rest = line.trimmingSpaces
        var principals: [UInt8]?
        if !SSHPublicKey.isType(rest.prefix { $0 != 32 && $0 != 9 }) {
            principals = try Self.word(&rest)
            guard !rest.isEmpty else { throw Malformed("it has no key") }
        }
        var options = Options()
        if !SSHPublicKey.isType(rest.prefix { $0 != 32 && $0 != 9 }) { options = try Options(Self.options(&rest)) }
        let type = try Self.word(&rest)
        guard SSHPublicKey.isType(type) else { throw Malformed("it has no key") }
        let text = try Self.word(&rest)
        guard let blob = Data(base64Encoded: Data(text)) else { throw Malformed("its key is not base64") }
        guard !options.isAuthority else { return nil }
        key = try SSHPublicKey(Array(blob))
        var reader = ByteReader(blob)
        guard try reader.string() == type else { throw Malformed("its key is of another kind than it says") }
        name = (principals ?? Array(rest)).asText.printable(limit: 100)
        (namespaces, validAfter, validBefore) = (options.namespaces, options.validAfter, options.validBefore)
    }

    /// Whether it may sign for git at a time.
    ///
    /// - Parameter time: seconds since 1970.
    /// - Throws: `Refusal`.
    func allow(at time: Int64) throws(Refusal) -> Signer {
        if let namespaces, !Pattern.list(namespaces, matches: SSHSignature.namespace) {
            throw .wrongNamespace("\(key.fingerprint) may sign for \(namespaces.asText.printable(limit: 60))")
        }
        if let validBefore, time > validBefore { throw .expired(key.fingerprint, "the key is not valid any more") }
        if let validAfter, time < validAfter { throw .expired(key.fingerprint, "the key is not valid yet") }
        return Signer(name: name, fingerprint: key.fingerprint)
    }

    /// Up to a blank, without the quotes around it or a part of it.
    private static func word(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> [UInt8] {
        var word: [UInt8] = []
        if rest.first == UInt8(ascii: "\"") {
            let inside = rest.dropFirst()
            guard let end = inside.firstIndex(of: UInt8(ascii: "\"")) else { throw Malformed("a quote has no end") }
            word = Array(inside[..<end])
            rest = rest[(end + 1)...]
        } else {
            word = Array(rest.prefix { $0 != 32 && $0 != 9 })
            rest = rest.dropFirst(word.count)
        }
        rest = rest.drop { $0 == 32 || $0 == 9 }
        guard !word.isEmpty else { throw Malformed("it has no key") }
        return word
    }

    /// Up to a blank that is in no quotes.
    private static func options(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> ArraySlice<UInt8> {
        var isQuoted = false
        var previous: UInt8 = 0
        var end = rest.startIndex
        for byte in rest {
            if byte == UInt8(ascii: "\""), previous != UInt8(ascii: "\\") { isQuoted.toggle() }
            if !isQuoted, byte == 32 || byte == 9 { break }
            previous = byte
            end += 1
        }
        guard !isQuoted else { throw Malformed("a quote has no end") }
        let options = rest[..<end]
        rest = rest[end...].drop { $0 == 32 || $0 == 9 }
        return options
    }

    private struct Options {
        var isAuthority = false
        var namespaces: [UInt8]?
        var validAfter: Int64?
        var validBefore: Int64?

        init() {}

        init(_ text: ArraySlice<UInt8>) throws(Malformed) {
            var rest = text
            while !rest.isEmpty {
                let name = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ",") }
                rest = rest.dropFirst(name.count)
                switch name.lowercasedASCII.asText {
                case "cert-authority": isAuthority = true
                case "namespaces":
                    guard namespaces == nil else { throw Malformed("namespaces stands twice") }
                    namespaces = try Self.quoted(&rest, "namespaces")
                case "valid-after":
                    guard validAfter == nil else { throw Malformed("valid-after stands twice") }
                    validAfter = try Self.time(&rest, "valid-after")
                case "valid-before":
                    guard validBefore == nil else { throw Malformed("valid-before stands twice") }
                    validBefore = try Self.time(&rest, "valid-before")
                default: throw Malformed("it has an option that is not known: \(name.asText.printable(limit: 40))")
                }
                guard let comma = rest.first else { break }
                guard comma == UInt8(ascii: ","), rest.count > 1 else { throw Malformed("its options are malformed") }
                rest = rest.dropFirst()
            }
            if let validAfter, let validBefore, validAfter >= validBefore {
                throw Malformed("valid-before is not after valid-after")
            }
        }

        /// A value in quotes, behind `=`.
        private static func quoted(_ rest: inout ArraySlice<UInt8>, _ name: String) throws(Malformed) -> [UInt8] {
            guard rest.starts(with: "=\"".utf8) else { throw Malformed("\(name) needs a value in quotes") }
            rest = rest.dropFirst(2)
            var value: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "\"") {
                    value.append(rest.removeFirst())
                } else if byte == UInt8(ascii: "\"") {
                    return value
                } else {
                    value.append(byte)
                }
            }
            throw Malformed("\(name) needs a value in quotes")
        }

        private static func time(_ rest: inout ArraySlice<UInt8>, _ name: String) throws(Malformed) -> Int64 {
            guard let time = SSHTime.read(try quoted(&rest, name)) else {
                throw Malformed("\(name) is no time of the form YYYYMMDD[HHMM[SS]][Z]")
            }
            return time
        }
    }
}

/// Patterns as ssh has them (ssh_config(5), PATTERNS).
enum Pattern {
    /// Whether a list with commas has a pattern that matches, and none after `!` that does.
    static func list(_ list: [UInt8], matches text: [UInt8]) -> Bool {
        var isMatched = false
        for part in list.split(separator: UInt8(ascii: ",")) {
            if part.first == UInt8(ascii: "!") {
                if matches(part.dropFirst(), text[...]) { return false }
            } else if matches(part, text[...]) {
                isMatched = true
            }
        }
        return isMatched
    }

    /// `*` stands for anything and `?` for one byte.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var (pattern, text) = (pattern, text)
        var again: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
        while true {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                again = (pattern, text)
            } else if let byte = text.first, let wanted = pattern.first, wanted == UInt8(ascii: "?") || wanted == byte {
                (pattern, text) = (pattern.dropFirst(), text.dropFirst())
            } else if pattern.isEmpty, text.isEmpty {
                return true
            } else if let last = again, !last.text.isEmpty {
                // The last star takes one byte more.
                (pattern, text) = (last.pattern, last.text.dropFirst())
                again = (pattern, text)
            } else {
                return false
            }
        }
    }
}
