import Content
import Dispatch
import Glibc
import Platform
import Synchronization

/// Several threads that take work from one stack, each with contents of its own.
struct BuildThreads {
    let buildMode: BuildMode

    /// For fewer leaves one thread is as fast.
    private static let minForThreads = 64
    /// More threads than this wait for the disk, and each holds a repository open.
    private static let maxThreads = 4

    /// - Parameters:
    ///   - count: how many leaves there are in all.
    ///   - make: does one piece of work, and returns what it leads to. It asks often whether to go on, by what it is given for that.
    func run<Work: Sendable>(
        _ first: [Work], count: Int, from contents: borrowing Contents,
        _ make:
            @escaping @Sendable (Work, borrowing Contents, inout TreeBuild.Output, () throws -> Void) throws -> [Work]
    ) throws -> TreeBuild.Output {
        guard count > 0 else { return TreeBuild.Output() }
        let stack = WorkStack(first)
        let isAlone = count < Self.minForThreads || !buildMode.usesThreads
        let helpers = isAlone ? 0 : min(Self.maxThreads, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) - 1
        let source = contents.source
        let sum = OutputBox()
        let group = DispatchGroup()
        for _ in 0..<helpers {
            DispatchQueue.global().async(group: group) {
                DiskThread.run {
                    do {
                        let contents = try source.open()
                        sum.add(Self.work(on: stack, from: contents, make) { try stack.check() })
                    } catch {
                        stack.fail(error)
                    }
                }
            }
        }
        // Only this thread is the task's, and knows when it was cancelled; its failure ends the others.
        sum.add(
            Self.work(on: stack, from: contents, make) {
                try buildMode.check()
                try stack.check()
            })
        group.wait()
        try stack.check()
        return sum.value
    }

    private static func work<Work: Sendable>(
        on stack: WorkStack<Work>, from contents: borrowing Contents,
        _ make: @escaping (Work, borrowing Contents, inout TreeBuild.Output, () throws -> Void) throws -> [Work],
        check: () throws -> Void
    ) -> TreeBuild.Output {
        var output = TreeBuild.Output()
        stack.work { try make($0, contents, &output, check) }
        return output
    }
}

/// Where threads leave what they made.
private final class OutputBox: Sendable {
    private let sum = Mutex(TreeBuild.Output())

    func add(_ output: TreeBuild.Output) { sum.withLock { $0.add(output) } }
    var value: TreeBuild.Output { sum.withLock { $0 } }
}
