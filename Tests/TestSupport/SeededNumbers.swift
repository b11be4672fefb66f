import Foundation

/// The same numbers for the same seed, on every machine (SplitMix64).
public struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    /// `SIDEKICK_SEED`, which makes random tests take another way.
    public static let seed = ProcessInfo.processInfo.environment["SIDEKICK_SEED"].flatMap { UInt64($0) } ?? 20_261_123

    /// Begins at a seed.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// True once in so many times.
    public mutating func isOne(in times: Int) -> Bool { Int.random(in: 0..<times, using: &self) == 0 }

    /// One of them.
    public mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &self)! }

    /// Changes a text here and there: takes a letter of it away, repeats one, or puts one of others in.
    public mutating func mutate(_ text: String, with others: [String]) -> String {
        var letters = text.unicodeScalars.map { String($0) }
        for _ in 0..<Int.random(in: 1...2, using: &self) {
            let place = Int.random(in: 0...letters.count, using: &self)
            switch Int.random(in: 0..<3, using: &self) {
            case 0 where place < letters.count: letters.remove(at: place)
            case 1 where place < letters.count: letters.insert(letters[place], at: place)
            default: letters.insert(pick(others), at: place)
            }
        }
        return letters.joined()
    }
}

/// How our readers are compared with the programs that everybody knows, on random texts.
public enum Differential {
    /// How many texts to compare: as many as a test has time for, or `SIDEKICK_DIFFERENTIAL_COUNT`.
    public static func count(_ standard: Int) -> Int {
        ProcessInfo.processInfo.environment["SIDEKICK_DIFFERENTIAL_COUNT"].flatMap { Int($0) } ?? standard
    }
}
