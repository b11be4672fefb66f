/// One thread's part of a resolution: goes down from an object to what differs from it, and from that on, and keeps the bytes of those
/// on the way for as long as something below them is to be made.
final class DeltaResolver {
    private let resolution: DeltaResolution
    private let inflater = Inflater()
    private var input: [UInt8] = []
    private var way: [Step] = []
    /// Bytes of the objects on the way that are in memory.
    private var kept = 0

    private struct Step {
        let entry: Int
        let children: [Int]
        var next = 0
        var bytes: ObjectBuffer?

        init(_ entry: Int, _ children: [Int], _ bytes: ObjectBuffer? = nil) {
            (self.entry, self.children, self.bytes) = (entry, children, bytes)
        }
    }

    init(_ resolution: DeltaResolution) { self.resolution = resolution }

    /// Makes all that begins with an object that is known.
    func resolve(below root: Int) throws {
        guard let kind = resolution.kind(of: root) else { return }
        push(Step(root, resolution.children(of: root)))
        while let step = way.last {
            guard step.next < step.children.count else {
                pop()
                continue
            }
            let child = step.children[step.next]
            way[way.count - 1].next += 1
            guard resolution.claim(child, from: step.entry) else { continue }
            try resolution.check()
            let result = try make(child, from: bytesOfLast())
            resolution.note(try ObjectID(of: result.contents, as: kind), kind, of: child)
            // Its bytes are needed no more, which makes a chain of any length cost two objects.
            if step.next + 1 == step.children.count { pop() }
            let children = resolution.children(of: child)
            if !children.isEmpty { push(Step(child, children, result)) }
        }
    }

    private func push(_ step: Step) {
        way.append(step)
        kept += step.bytes?.bytes.count ?? 0
        if kept > resolution.maxKept { forget() }
    }

    private func pop() {
        let last = way.removeLast()
        kept -= last.bytes?.bytes.count ?? 0
    }

    /// Of all but the last.
    private func forget() {
        for index in way.indices.dropLast() where way[index].bytes != nil {
            kept -= way[index].bytes?.bytes.count ?? 0
            way[index].bytes = nil
        }
    }

    private func bytesOfLast() throws -> ObjectBuffer {
        let last = way.count - 1
        if let bytes = way[last].bytes { return bytes }
        let bytes = try object(way[last].entry)
        way[last].bytes = bytes
        kept += bytes.bytes.count
        return bytes
    }

    /// An object once more, from the whole one that its chain begins with.
    private func object(_ entry: Int) throws -> ObjectBuffer {
        var (chain, next) = ([Int](), entry)
        while resolution.base(of: next) >= 0 {
            chain.append(next)
            next = resolution.base(of: next)
        }
        var bytes = try resolution.inflated(next, with: inflater, &input)
        for entry in chain.reversed() {
            try resolution.check()
            bytes = try make(entry, from: bytes)
        }
        return bytes
    }

    private func make(_ entry: Int, from base: ObjectBuffer) throws -> ObjectBuffer {
        do {
            return try apply(entry, to: base)
        } catch let error as GitError where error.exceeded?.kind == .memory && way.count > 1 {
            forget()
            return try apply(entry, to: base)
        }
    }

    private func apply(_ entry: Int, to base: ObjectBuffer) throws -> ObjectBuffer {
        let bytes = try resolution.inflated(entry, with: inflater, &input)
        guard let delta = PackDelta(bytes.contents) else { throw IncomingPack.damage("has a difference that is none") }
        let result = try ObjectBuffer(size: delta.resultSize)
        guard delta.apply(to: base.contents, into: result.bytes) else {
            throw IncomingPack.damage("has a difference that does not fit what it is from")
        }
        return result
    }
}
