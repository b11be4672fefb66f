import Platform

/// The full name of a reference: bytes, as git keeps them. Two names of different bytes are two names, whatever they look like.
public struct ReferenceName: Hashable, Sendable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// Not necessarily UTF-8.
    public let bytes: [UInt8]

    /// Takes bytes as they are: for names of our own, and for those of a repository on this machine.
    public init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// Takes text as UTF-8.
    public init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    /// Takes text as UTF-8.
    public init(stringLiteral text: String) { bytes = Array(text.utf8) }

    /// A name that a stranger says; `nil` for one that git does not allow.
    public init?(checking bytes: some Sequence<UInt8>) {
        self.init(bytes: bytes)
        guard isAllowed else { return nil }
    }

    /// Of what no reference names.
    public static let empty = ReferenceName(bytes: [])
    /// What HEAD is called.
    public static let head: ReferenceName = "HEAD"

    /// Linux's PATH_MAX: no file can have a longer one.
    private static let longest = 4_095

    /// Whether git allows it (git-check-ref-format(1), with --allow-onelevel).
    public var isAllowed: Bool {
        guard !bytes.isEmpty, bytes.count <= Self.longest, bytes != [UInt8(ascii: "@")], bytes.last != UInt8(ascii: ".")
        else {
            return false
        }
        let forbidden = " ~^:?*[\\".utf8
        var last: UInt8 = 0
        for byte in bytes {
            if byte < 0x20 || byte == 0x7f || forbidden.contains(byte) { return false }
            if last == UInt8(ascii: "."), byte == UInt8(ascii: ".") { return false }
            if last == UInt8(ascii: "@"), byte == UInt8(ascii: "{") { return false }
            last = byte
        }
        return bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.first != UInt8(ascii: ".") && !part.ends(with: ".lock".utf8)
        }
    }

    /// Whether it begins with these bytes.
    public func hasPrefix(_ prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }

    /// What follows a prefix; all of it where it has another one.
    public func dropping(_ prefix: String) -> ArraySlice<UInt8> {
        hasPrefix(prefix) ? bytes.dropFirst(prefix.utf8.count) : bytes[...]
    }

    /// As text, what is not UTF-8 replaced: never to be compared.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// For messages.
    public var description: String { text.printable() }

    /// Byte order.
    public static func < (left: ReferenceName, right: ReferenceName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// Lends it as C has it. Without a zero in it.
    func withCString<Value>(_ body: (UnsafePointer<CChar>) -> Value) -> Value {
        var text = bytes.map { CChar(bitPattern: $0) }
        text.append(0)
        return text.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}

extension Collection<UInt8> {
    fileprivate func ends(with end: some Collection<UInt8>) -> Bool {
        count >= end.count && suffix(end.count).elementsEqual(end)
    }
}
