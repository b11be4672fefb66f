import Git

/// Which names a tree may hold. git refuses the same ones on checkout; a server need not have been git.
enum EntryRules {
    /// Linux's NAME_MAX.
    static let maxName = 255

    /// Why an entry of that name must not be made; `nil` when it may.
    static func refusal(of name: EntryName) -> String? {
        let bytes = name.bytes
        if bytes.isEmpty { return "an empty name" }
        if bytes == [46] || bytes == [46, 46] { return "a name that means this folder or the one above" }
        if bytes.contains(UInt8(ascii: "/")) { return "a name with a slash" }
        if bytes.contains(0) { return "a name with a NUL" }
        if bytes.count > maxName { return "a name of more than \(maxName) bytes" }
        let folded = folded(bytes)
        if folded == ".git" || folded == "git~1" { return "a name that is git's own, .git" }
        if folded == ".sidekick" { return "a name that is sidekick's own, .sidekick" }
        return nil
    }

    /// The name as HFS+ or NTFS would take it: case folded, ignorable code points gone; cut at the first `:` or `\`,
    /// trailing dots and spaces gone (git's protectHFS and protectNTFS).
    private static func folded(_ bytes: [UInt8]) -> String {
        // Nearly every name: neither a dot at the start, nor `git~1`, nor anything that could be folded into one.
        guard let first = bytes.first,
            first == UInt8(ascii: ".") || first == UInt8(ascii: "g") || first == UInt8(ascii: "G") || first >= 0x80
        else { return "" }
        var text = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if ignorable.contains(scalar.value) { continue }
            if scalar == ":" || scalar == "\\" { break }
            text += scalar.properties.lowercaseMapping
        }
        while text.last == " " || text.last == "." { text.removeLast() }
        return text
    }

    /// The code points that HFS+ ignores in names.
    private static let ignorable: Set<UInt32> = [
        0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x206a, 0x206b, 0x206c, 0x206d, 0x206e,
        0x206f, 0xfeff,
    ]
}
