import FoundationEssentials
import Platform

/// A private key as ssh takes it, from a text as people have it: copied from a page, a variable or another system.
struct SSHKey {
    /// In lines that end in LF, the last one too: without that, ssh says "error in libcrypto".
    let text: [UInt8]

    /// - Parameters:
    ///   - secret: the key, with whatever came along: CRLF, a byte order mark, blanks around it, or `\n` for its ends of lines.
    ///   - name: where it comes from, for errors.
    /// - Throws: `UpstreamError.keyUnusable` for what is no private key, or one that asks for a passphrase.
    init(_ secret: Secret, from name: String) throws(UpstreamError) {
        let lines = Self.lines(Array(secret.reveal().utf8))
        guard let first = lines.first, first.starts(with: Self.begin), first.firstRange(of: Self.kind) != nil else {
            throw .keyUnusable(name: name, problem: Self.problem(lines))
        }
        guard !Self.isLocked(lines) else { throw .keyUnusable(name: name, problem: .passphrase) }
        text = Array(lines.joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
    }

    private static let begin = Array("-----BEGIN ".utf8)
    private static let end = Array("-----END ".utf8)
    private static let kind = Array("PRIVATE KEY-----".utf8)

    private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        var lines = bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        if lines.count == 1 { lines = inOneLine(Array(lines[0])).map { $0[...] } }
        return lines.map { Array($0.trimmingSpaces) }.filter { !$0.isEmpty }
    }

    /// A key whose ends of lines became `\n`, blanks, or nothing.
    private static func inOneLine(_ line: [UInt8]) -> [[UInt8]] {
        var line = line.trimmingSpaces
        for quote in "\"'".utf8 where line.count > 1 && line.first == quote && line.last == quote {
            line = line.dropFirst().dropLast()
        }
        var lines: [[UInt8]] = [[]]
        while let byte = line.popFirst() {
            if byte == UInt8(ascii: "\\"), let next = line.first, "nr".utf8.contains(next) {
                line = line.dropFirst()
                lines.append([])
            } else {
                lines[lines.count - 1].append(byte)
            }
        }
        guard lines.count == 1, let last = lines[0].firstRange(of: end),
            let head = lines[0].firstRange(of: kind), head.upperBound <= last.lowerBound
        else { return lines }
        let body = lines[0][head.upperBound..<last.lowerBound].split(separator: UInt8(ascii: " ")).map { Array($0) }
        return [Array(lines[0][..<head.upperBound])] + body + [Array(lines[0][last.lowerBound...])]
    }

    private static func problem(_ lines: [[UInt8]]) -> UpstreamError.KeyProblem {
        guard let first = lines.first else { return .empty }
        let isPublic =
            ["ssh-", "ecdsa-", "sk-", "-----BEGIN PUBLIC", "---- BEGIN SSH2 PUBLIC"].contains {
                first.starts(with: $0.utf8)
            }
        if isPublic { return .publicKey }
        return first.starts(with: "PuTTY-User-Key-File".utf8) ? .putty : .otherText
    }

    /// Of the three forms: openssh's own (PROTOCOL.key), which names its cipher, PKCS #8, and what came before it (RFC 1421).
    private static func isLocked(_ lines: [[UInt8]]) -> Bool {
        if lines[0].firstRange(of: "ENCRYPTED".utf8) != nil { return true }
        if lines.contains(where: { $0.starts(with: "Proc-Type:".utf8) && $0.firstRange(of: "ENCRYPTED".utf8) != nil }) {
            return true
        }
        guard lines[0].firstRange(of: "OPENSSH".utf8) != nil else { return false }
        let body = lines.dropFirst().prefix { !$0.starts(with: "-----".utf8) }.joined()
        let magic = Array("openssh-key-v1\0".utf8)
        guard let data = Data(base64Encoded: String(decoding: Array(body.prefix(64)), as: UTF8.self)),
            data.starts(with: magic), data.count > magic.count + 8
        else { return false }
        let cipher = data.dropFirst(magic.count)
        return !(cipher.prefix(4).elementsEqual([0, 0, 0, 4]) && cipher.dropFirst(4).starts(with: "none".utf8))
    }
}
