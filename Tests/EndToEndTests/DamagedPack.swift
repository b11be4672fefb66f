import TestSupport

/// A pack that no git would make, of a commit and its objects.
struct DamagedPack: Sendable, CustomStringConvertible {
    let description: String
    private let make: @Sendable (RawCommit) throws -> [UInt8]

    func bytes(of commit: RawCommit) throws -> [UInt8] { try make(commit) }

    private init(_ name: String, _ make: @escaping @Sendable (RawCommit) throws -> [UInt8]) {
        (description, self.make) = (name, make)
    }

    private init(_ name: String, adding change: @escaping @Sendable (inout PackBytes) throws -> Void) {
        self.init(name) { commit in
            var pack = PackBytes(commit.objects)
            try change(&pack)
            return try pack.whole()
        }
    }

    /// - Parameter instructions: of a delta onto a blob of eleven bytes.
    private init(_ name: String, base: Int = 11, result: Int, _ instructions: [UInt8]) {
        self.init(name) { commit in
            let blob = try RawObject.blob("hello world")
            var delta = Delta(from: base, to: result)
            delta.append(instructions)
            var pack = PackBytes(commit.objects + [blob])
            pack.add(delta, onto: blob.id)
            return try pack.whole()
        }
    }

    private static let three: Delta = {
        var delta = Delta(from: 9, to: 3)
        delta.copy(from: 0, count: 3)
        return delta
    }()

    /// Its frame or its entries cannot be read.
    static let unreadable = [
        DamagedPack("another checksum") { Array(try $0.pack().dropLast()) + [0] },
        DamagedPack("another bit") { commit in
            var bytes = try commit.pack()
            bytes[bytes.count / 2] ^= 1
            return bytes
        },
        DamagedPack("a pack cut in the middle") { Array(try $0.pack().dropLast(60)) },
        DamagedPack("a pack cut after the header") { Array(try $0.pack().prefix(12)) },
        DamagedPack("a pack cut in the header") { Array(try $0.pack().prefix(7)) },
        DamagedPack("no pack") { _ in [] },
        DamagedPack("something else") { _ in Array(repeating: UInt8(ascii: "x"), count: 400) },
        DamagedPack("version 99") { try PackBytes($0.objects).whole(version: 99) },
        DamagedPack("too few objects announced") { try PackBytes($0.objects).whole(announcing: 1) },
        DamagedPack("too many objects announced") { try PackBytes($0.objects).whole(announcing: 9) },
        DamagedPack("no zlib") { $0.add(type: 3, size: 9, deflated: Array(repeating: 0xff, count: 30)) },
        DamagedPack("a base that nobody has") { $0.add(three, onto: .unknown(1)) },
        DamagedPack("deltas onto objects that nobody has") { pack in
            pack.add(three, onto: .unknown(1))
            pack.add(three, onto: .unknown(2))
        },
        DamagedPack("a delta onto nowhere") { $0.add(three, back: 5_000) },
        DamagedPack("a delta onto itself") { $0.add(three, back: 0) },
        DamagedPack("a delta into the middle of an entry") { $0.add(three, back: 3) },
        DamagedPack("a delta for a base of another size", base: 10, result: 3, [3, 97, 98, 99]),
        DamagedPack("a delta that copies from behind the end", result: 20, [0x91, 5, 20]),
        DamagedPack("a delta that makes less than it says", result: 20, [3, 97, 98, 99]),
        DamagedPack("a delta that makes more than it says", result: 2, [3, 97, 98, 99]),
        DamagedPack("a delta that ends in an instruction", result: 20, [0xff, 1]),
        DamagedPack("a delta with the instruction 0", result: 20, [0, 0, 0]),
    ]

    /// It can be read, and has not what it was sent for.
    static let incomplete = [
        DamagedPack("another commit") { try RawCommit(["other": $0.id.description]).pack() },
        DamagedPack("a commit without its tree") { try PackBytes($0.objects.filter { $0.kind != .tree }).whole() },
        DamagedPack("a tree without its files") { try PackBytes($0.objects.filter { $0.kind != .blob }).whole() },
        DamagedPack("no objects") { _ in try PackBytes().whole() },
    ]

    /// A reader may refuse it as damaged or as too large, or need not mind.
    static let odd = [
        DamagedPack("2^31 objects announced") { try PackBytes($0.objects).whole(announcing: 1 << 31) },
        DamagedPack("2^32 - 1 objects announced") { try PackBytes($0.objects).whole(announcing: .max) },
        DamagedPack("bytes behind it") { try $0.pack() + [UInt8](repeating: 7, count: 40) },
        DamagedPack("another pack behind it") { try $0.pack() + $0.pack() },
        DamagedPack("an entry of the type 0") { $0.add(type: 0, size: 1, deflated: Deflate.stored([1])) },
        DamagedPack("an entry of the type 5") { $0.add(type: 5, size: 1, deflated: Deflate.stored([1])) },
        DamagedPack("a size that is too small") { $0.add(type: 3, size: 1, deflated: Deflate.stored([1, 2])) },
        DamagedPack("a size that is too large") { $0.add(type: 3, size: 9, deflated: Deflate.stored([1, 2])) },
        DamagedPack("a size of 2^62") { $0.add(type: 3, size: 1 << 62, deflated: Deflate.stored([1])) },
        DamagedPack("an object twice") {
            try $0.add(.blob("x")); try $0.add(.blob("x"))
        },
        DamagedPack("a delta that makes a terabyte of nothing", result: 1 << 40, []),
    ]
}
