/// Fields end in a space, lines in a newline, byte strings in NUL.
struct RecordWriter {
    private(set) var bytes: [UInt8] = []

    mutating func field(_ text: String) {
        bytes += text.utf8
        bytes.append(UInt8(ascii: " "))
    }

    mutating func line(_ text: String) {
        bytes += text.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func terminated(_ string: [UInt8]) {
        bytes += string
        bytes.append(0)
    }

    mutating func raw(_ string: UnsafeRawBufferPointer) { bytes += string }
}

/// Reads what `RecordWriter` wrote; `nil` from the first thing on that is not as expected.
struct RecordReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func line() -> String? { until(UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) } }
    mutating func field() -> String? { until(UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) } }
    mutating func terminated() -> ArraySlice<UInt8>? { until(0) }

    /// A decimal number, ended by a space or a newline.
    mutating func integer() -> Int64? {
        guard let end = bytes[position...].firstIndex(where: { $0 == 32 || $0 == 10 }), end - position <= 20 else {
            return nil
        }
        defer { position = end + 1 }
        let text = String(decoding: bytes[position..<end], as: UTF8.self)
        return Int64(text) ?? UInt64(text).map { Int64(bitPattern: $0) }
    }

    /// So many bytes as they are.
    mutating func raw(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= bytes.count - position else { return nil }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    private mutating func until(_ end: UInt8) -> ArraySlice<UInt8>? {
        guard position <= bytes.count, let index = bytes[position...].firstIndex(of: end) else { return nil }
        defer { position = index + 1 }
        return bytes[position..<index]
    }
}
