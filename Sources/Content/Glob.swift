/// Shift-And (Baeza-Yates and Gonnet 1992; with stars as in Wu and Manber 1992), a bit-parallel automaton: wildcards as a machine that reads a text once, whatever stars they have: a bit for each place of the pattern that a
/// match may have come to. Its time is the text's length times the pattern's, the latter in words of 64.
struct Glob: Sendable, Hashable {
    /// Words that hold a bit for each place.
    private let words: Int
    /// The place behind the last token.
    private let end: Int
    /// For each byte, the tokens that it is a match of and that it leads on from.
    private let step: [UInt64]
    /// For each byte, the tokens that it is a part of and that it stays at.
    private let stay: [UInt64]
    /// Tokens that match nothing too, at any time: stars.
    private let stars: [UInt64]
    /// Tokens that match nothing too, but only where nothing of them was read: `**/`.
    private let folders: [UInt64]

    /// A star does not follow another, nor `**/` itself.
    init(_ tokens: [GlobToken]) {
        let slash = UInt8(ascii: "/")
        let words = tokens.count / 64 + 1
        var (step, stay) = ([UInt64](repeating: 0, count: 256 * words), [UInt64](repeating: 0, count: 256 * words))
        var (stars, folders) = ([UInt64](repeating: 0, count: words), [UInt64](repeating: 0, count: words))
        for (place, token) in tokens.enumerated() {
            let (word, bit) = (place / 64, UInt64(1) << UInt64(place % 64))
            switch token {
            case .byte(let byte): step[Int(byte) * words + word] |= bit
            case .one(let bytes): for byte in bytes where byte != slash { step[Int(byte) * words + word] |= bit }
            case .star:
                stars[word] |= bit
                for byte in 0...255 where byte != slash { stay[byte * words + word] |= bit }
            case .deep:
                stars[word] |= bit
                for byte in 0...255 { stay[byte * words + word] |= bit }
            case .folders:
                folders[word] |= bit
                step[Int(slash) * words + word] |= bit
                for byte in 0...255 { stay[byte * words + word] |= bit }
            }
        }
        self.words = words
        self.end = tokens.count
        self.step = step
        self.stay = stay
        self.stars = stars
        self.folders = folders
    }

    /// Whether all of the text is a match.
    func matches(_ text: Span<UInt8>) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { places in
            guard read(text, places) else { return false }
            return places[end / 64] >> UInt64(end % 64) & 1 == 1
        }
    }

    /// Whether a longer text that begins with this one and a slash may be a match.
    func mayMatch(below text: Span<UInt8>) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { places in
            read(text, places) && advance(places, over: UInt8(ascii: "/"))
        }
    }

    /// Goes from the start over all of the text; false when no place is left.
    private func read(_ text: Span<UInt8>, _ places: UnsafeMutableBufferPointer<UInt64>) -> Bool {
        places.initialize(repeating: 0)
        places[0] = 1
        if folders[0] & 1 == 1 { places[0] |= 2 }
        carryStars(places)
        for index in text.indices where !advance(places, over: text[index]) { return false }
        return true
    }

    private func advance(_ places: UnsafeMutableBufferPointer<UInt64>, over byte: UInt8) -> Bool {
        let row = Int(byte) * words
        var (entering, skipping, passing, any) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        for word in 0..<words {
            let moved = places[word] & step[row + word]
            let entered = moved << 1 | entering
            entering = moved >> 63
            let skipped = entered & folders[word]
            let reached = entered | skipped << 1 | skipping | places[word] & stay[row + word]
            skipping = skipped >> 63
            let passed = reached & stars[word]
            places[word] = reached | passed << 1 | passing
            passing = passed >> 63
            any |= places[word]
        }
        return any != 0
    }

    private func carryStars(_ places: UnsafeMutableBufferPointer<UInt64>) {
        // At the start only the first two places can be marked.
        places[0] |= (places[0] & stars[0]) << 1
    }
}
