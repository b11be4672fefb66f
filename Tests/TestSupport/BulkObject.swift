import Foundation

/// An object of hundreds of megabytes in a few bytes of a pack: made and compressed by python, which holds none of it.
public struct BulkObject: Sendable {
    /// What it says that it is.
    public let kind: RawObject.Kind
    /// Its name.
    public let id: RawID
    /// In bytes, when it is unpacked.
    public let size: Int
    /// As it stands in a pack.
    public let deflated: [UInt8]

    /// A part of it.
    public enum Part: Sendable {
        /// These bytes so many times.
        case repeated([UInt8], Int)
        /// So many rows of a tree, with names of a length that rise.
        case rows(Int, mode: String, nameLength: Int, RawID)

        fileprivate var words: [String] {
            switch self {
            case .repeated(let bytes, let count): [RawID(bytes: bytes).description, "", "\(count)", "0"]
            case .rows(let count, let mode, let length, let id):
                [
                    RawID(bytes: Array("\(mode) ".utf8)).description, RawID(bytes: [0] + id.bytes).description,
                    "\(count)", "\(length)",
                ]
            }
        }
    }

    private static let script = """
        import hashlib, sys, zlib
        kind, target = sys.argv[1:3]
        words = sys.argv[3:]
        parts = [(bytes.fromhex(words[i]), bytes.fromhex(words[i + 1]), int(words[i + 2]), int(words[i + 3]))
                 for i in range(0, len(words), 4)]
        size = sum((len(before) + digits + len(after)) * count for before, after, count, digits in parts)
        hash = hashlib.sha1(b"%s %d\\0" % (kind.encode(), size))
        pack = zlib.compressobj(1)
        with open(target, "wb") as file:
            for before, after, count, digits in parts:
                step = max(1, min(count, (4 << 20) // (len(before) + digits + len(after))))
                # Names differ in their last eight digits, which never shrink in number.
                head = before + b"n" * (digits - 8) if digits else before
                piece = before * step
                for start in range(0, count, step):
                    number = min(step, count - start)
                    if digits:
                        piece = b"".join([head + b"%08d" % i + after for i in range(start, start + number)])
                    elif number < step:
                        piece = before * number
                    hash.update(piece)
                    file.write(pack.compress(piece))
            file.write(pack.flush())
        print(hash.hexdigest(), size)
        """

    /// Makes it of its parts.
    public init(_ kind: RawObject.Kind, _ parts: [Part]) throws {
        let folder = try TemporaryFolder()
        let words = parts.flatMap(\.words)
        let result = try Command.run(["/usr/bin/python3", "-c", Self.script, kind.rawValue, folder("body")] + words)
        let fields = result.text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let size = Int(fields[1]) else { throw TestFailure("python: \(result.text)") }
        self.kind = kind
        self.size = size
        id = RawID(hex: String(fields[0]))
        deflated = Array(try Data(contentsOf: URL(fileURLWithPath: folder("body"))))
    }

    /// So many blobs of four bytes, each another one, as entries of a pack.
    public static func tinyBlobs(_ count: Int) throws -> [UInt8] {
        let script = """
            import sys, zlib
            adler = zlib.adler32
            with open(sys.argv[2], "wb") as file:
                count = int(sys.argv[1])
                for start in range(0, count, 100000):
                    numbers = range(start, min(start + 100000, count))
                    bodies = [i.to_bytes(4, "big") for i in numbers]
                    file.write(b"".join([b"\\x34\\x78\\x01\\x01\\x04\\x00\\xfb\\xff" + b + adler(b).to_bytes(4, "big") for b in bodies]))
            """
        let folder = try TemporaryFolder()
        try Command.run(["/usr/bin/python3", "-c", script, "\(count)", folder("entries")])
        return Array(try Data(contentsOf: URL(fileURLWithPath: folder("entries"))))
    }
}
