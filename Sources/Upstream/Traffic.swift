import Synchronization

/// Counts what a remote is asked and what goes over the line for it: bodies over http, as they are when they have
/// been decompressed, commands and answers elsewhere.
public final class Traffic: Sendable {
    private let asked = Atomic(0)
    private let came = Atomic(0)
    private let went = Atomic(0)
    private let chatted = Atomic(0)

    /// All at zero.
    public init() {}

    /// Questions that were asked.
    public var requests: Int { asked.load(ordering: .relaxed) }
    /// Bytes that came.
    public var received: Int { came.load(ordering: .relaxed) }
    /// Bytes that came and were not only the server's words about its work.
    public var useful: Int { received - chatted.load(ordering: .relaxed) }
    /// Bytes that went.
    public var sent: Int { went.load(ordering: .relaxed) }

    func ask(_ bytes: Int) {
        asked.add(1, ordering: .relaxed)
        send(bytes)
    }

    func send(_ bytes: Int) { went.add(bytes, ordering: .relaxed) }
    func chat(_ bytes: Int) { chatted.add(bytes, ordering: .relaxed) }
    func receive(_ bytes: Int) { came.add(bytes, ordering: .relaxed) }
}
