/// How much of an answer may be anything but the pack. What comes slowly and for ever passes as progress otherwise.
struct Budget: Sendable {
    private var rest: Int
    private let what: String

    init(_ bytes: Int, of what: String) {
        rest = bytes
        self.what = what
    }

    /// An empty packet costs its length.
    mutating func take(_ packet: PacketLine) throws(ProtocolError) {
        rest -= 4
        if case .data(let bytes) = packet { rest -= bytes.count }
        if rest < 0 { throw .tooMuch(what) }
    }
}
