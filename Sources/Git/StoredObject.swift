import CLibgit2

/// An object in memory: read from a pack here, or by libgit2.
final class StoredObject {
    let kind: ObjectKind
    let bytes: UnsafeRawBufferPointer
    private let memory: Memory

    private enum Memory {
        case ours(ObjectBuffer)
        case libgit2(OpaquePointer)
    }

    init(_ kind: ObjectKind, _ buffer: ObjectBuffer) {
        (self.kind, bytes, memory) = (kind, buffer.contents, .ours(buffer))
    }

    /// - Parameter object: what `git_odb_read` returned.
    init(_ kind: ObjectKind, owning object: OpaquePointer) {
        self.kind = kind
        bytes = UnsafeRawBufferPointer(start: git_odb_object_data(object), count: git_odb_object_size(object))
        memory = .libgit2(object)
    }

    deinit { if case .libgit2(let object) = memory { git_odb_object_free(object) } }
}

extension StoredObject {
    /// More bytes are deflated piece by piece.
    private static let wholeSize = 16 << 20

    /// Lends it as an entry of a pack, piece by piece.
    func asEntry(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try PackEntryHead.bytes(kind: kind.rawValue, size: UInt64(bytes.count)).withUnsafeBytes(body)
        if bytes.count <= Self.wholeSize, let deflated = Deflater.deflated(bytes) {
            try deflated.withUnsafeBytes(body)
        } else {
            var deflation = try Deflation()
            try deflation.take(bytes, isLast: true, body)
        }
    }
}
