import Glibc

/// What of the environment is not UTF-8: names of references need not be.
enum RawEnvironment {
    /// Variables by their names, without the ends of lines that their values came with.
    static var odd: [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        var entry = environ
        while let text = entry.pointee {
            entry += 1
            let bytes = UnsafeRawBufferPointer(start: text, count: strlen(text))
            guard String(validating: bytes, as: UTF8.self) == nil, let sign = bytes.firstIndex(of: UInt8(ascii: "="))
            else {
                continue
            }
            var value = Array(bytes[(sign + 1)...])
            while let last = value.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { value.removeLast() }
            found[String(decoding: bytes[..<sign], as: UTF8.self)] = value
        }
        return found
    }
}
