import FoundationEssentials
import Platform

/// Bytes in base64 between a line that names them and its counterpart (RFC 4880, section 6; PROTOCOL.sshsig).
enum Armor {
    static func begin(_ label: String) -> String { "-----BEGIN \(label)-----" }
    static func end(_ label: String) -> String { "-----END \(label)-----" }

    /// The bytes.
    ///
    /// - Parameters:
    ///   - lines: from the line that begins it on, without line feeds.
    ///   - hasHeaders: whether lines of another kind may follow the first, up to an empty one, and a check sum the last.
    static func decode(_ lines: some Sequence<ArraySlice<UInt8>>, _ label: String, hasHeaders: Bool) throws(Malformed)
        -> [UInt8]
    {
        var isInside = false
        var (isBody, isWhole) = (!hasHeaders, false)
        var text: [UInt8] = []
        for line in lines {
            let line = line.trimmingEnd
            if !isInside {
                guard line.elementsEqual(begin(label).utf8) else { throw Malformed("it does not begin as one") }
                isInside = true
            } else if line.elementsEqual(end(label).utf8) {
                isWhole = true
                break
            } else if !isBody {
                // Without headers the empty line may be left out.
                isBody = line.isEmpty || !line.contains(UInt8(ascii: ":"))
                text += line
            } else if !(hasHeaders && line.first == UInt8(ascii: "=")) {
                text += line
            }
        }
        guard isWhole else { throw Malformed("it has no end") }
        guard !text.isEmpty, let data = Data(base64Encoded: Data(text)) else { throw Malformed("it is not base64") }
        return Array(data)
    }
}

extension ArraySlice<UInt8> {
    /// Without blanks and carriage returns at its end.
    var trimmingEnd: ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 13 }
        guard let last = lastIndex(where: { !isBlank($0) }) else { return self[startIndex..<startIndex] }
        return self[...last]
    }
}
