import FoundationEssentials
import Glibc
import Publishing
import Platform

/// What an operator asks of a DESTINATION.
public enum Order: Codable, Sendable, Equatable {
    /// Publish a commit out of the store and hold it; `nil` is the one that was published before.
    case rollback(commit: String?)
    /// Follow the remote again.
    case resume
    /// Compare every byte with the commit, and make anew what differs.
    case repair
    /// Ask the remote now.
    case sync
}

/// What became of an order.
public struct Answer: Codable, Sendable, Equatable {
    /// Whether it was carried out.
    public var isDone: Bool
    /// One sentence a line.
    public var lines: [String]
    /// The exit status, where it is another than success and failure.
    public var exitStatus: ExitStatus?
}

/// Orders to the process that owns a DESTINATION: files in its state folder, because a container has no other door.
struct OrderBox: Sendable {
    private let path: String

    init(_ destination: Destination) { path = destination.stateFolder + "/orders" }

    // Root may ask a process that is not.
    private func order(_ id: String) -> StateFile<Order> { StateFile("\(path)/\(id).order", mode: 0o644) }
    private func answer(_ id: String) -> StateFile<Answer> { StateFile("\(path)/\(id).answer", mode: 0o644) }

    /// Names of orders and answers, also while they are written, by older programs too.
    private static func isOurs(_ name: String) -> Bool {
        let parts = name.parts(at: ".", atMost: 2)
        let kinds = ["order", "answer"].flatMap { [$0, $0 + WholeFile.temporarySuffix] }
        return parts.count == 2 && UUID(uuidString: String(parts[0])) != nil && kinds.contains(String(parts[1]))
            || name.hasPrefix(".dat.nosync")
    }

    // MARK: the side that asks

    /// - Returns: what to ask for the answer by.
    func put(_ order: Order) throws -> String {
        let id = UUID().uuidString.lowercased()
        mkdir(path, 0o755)
        try self.order(id).write(order)
        return id
    }

    /// `nil` while there is none. It is taken away.
    func takeAnswer(_ id: String) -> Answer? {
        guard let found = try? answer(id).read() else { return nil }
        answer(id).remove()
        return found
    }

    /// - Returns: whether nobody had taken it yet.
    @discardableResult
    func withdraw(_ id: String) -> Bool { order(id).remove() }

    // MARK: the side that answers

    /// What was asked since the last time, oldest first. An order is taken once, whatever becomes of it.
    func take() -> [(id: String, order: Order)] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [] }
        var orders: [(id: String, order: Order, age: Int)] = []
        for name in names where name.hasSuffix(".order") {
            let id = String(name.dropLast(".order".count))
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size < 4096
            else { continue }
            let found = try? self.order(id).read()
            guard self.order(id).remove(), let order = found else { continue }
            orders.append((id, order, status.st_mtim.tv_sec))
        }
        return orders.sorted { $0.age < $1.age }.map { ($0.id, $0.order) }
    }

    func answer(_ id: String, _ answer: Answer) { try? self.answer(id).write(answer) }

    /// Seconds that whoever asks waits for an answer.
    static let patience = 600.0

    /// Answers that nobody took, and orders of somebody who was killed. Whoever may still wait is waited for: an order that comes
    /// while this process starts is one to it.
    func sweep() {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return }
        for name in names where Self.isOurs(name) {
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            if wallSeconds() - Double(status.st_mtim.tv_sec) > Self.patience { unlink("\(path)/\(name)") }
        }
    }
}
