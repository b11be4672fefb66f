/// Feeds every reader of the protocol with bytes from outside, as a fuzzer does: each must end in values or an error.
///
/// The first byte says in how large pieces they arrive.
package func fuzzProtocol(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let size = Int(first % 16) + 1
    func feed(_ take: (PacketLine) throws -> Bool) {
        var decoder = PacketLineDecoder()
        for start in stride(from: 1, to: input.count, by: size) {
            decoder.append(input[start..<min(start + size, input.count)])
            do {
                while let packet = try decoder.next() { if try take(packet) { return } }
            } catch {
                // For people: it must be made without a trap, too.
                precondition("\(error)".utf8.count < 2_000)
                return
            }
        }
    }
    var greeting = CapabilityReader()
    feed { try greeting.take($0) != nil }
    var list = ListReferences(.below("refs/"))
    feed { try list.take($0) }
    var old = V0Advertisement()
    feed { try old.take($0) }
    for deepens in [true, false] {
        var answer = V0FetchAnswer(deepens: deepens)
        feed { try answer.take($0) == .end }
    }
    var answer = FetchPackAnswer()
    feed { try answer.take($0) == .end }
}
