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
    /// More threads than this have nothing to do where the disk is fast.
    private static let maxThreads = 4
    /// Where each call waits for the disk, as on a network's, so many wait at a time. Each holds a repository open.
    private static let maxWaitingThreads = 16

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
        var helpers = isAlone ? 0 : min(Self.maxThreads, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) - 1
        let source = contents.source
        let sum = OutputBox()
        let group = DispatchGroup()
        func help() throws {
            group.enter()
            do {
                try OwnThread.start {
                    defer { group.leave() }
                    do {
                        let contents = try source.open()
                        sum.add(Self.work(on: stack, from: contents, make) { try stack.check() })
                    } catch {
                        stack.fail(error)
                    }
                }
            } catch {
                group.leave()
                throw error
            }
        }
        // One thread is enough, if there are no more.
        for _ in 0..<helpers { try? help() }
        var pace = DiskPace()
        // Only this thread is the task's, and knows when it was cancelled; its failure ends the others.
        sum.add(
            Self.work(on: stack, from: contents, make) {
                try buildMode.check()
                try stack.check()
                guard !isAlone, helpers + 1 < Self.maxWaitingThreads, pace.waitsForDisk() else { return }
                for _ in 0...helpers where helpers + 1 < Self.maxWaitingThreads {
                    try? help()
                    helpers += 1
                }
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

/// Whether a thread spends its time in waiting for a disk that answers each call late.
private struct DiskPace {
    private var calls = 0
    private var last = Sample()

    private struct Sample {
        let time = ContinuousClock.now
        let usage: rusage = {
            var usage = rusage()
            // RUSAGE_THREAD of getrusage(2).
            getrusage(__rusage_who_t(1), &usage)
            return usage
        }()

        /// Of the thread itself.
        var cpu: Duration {
            .seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                + .microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        }
    }

    /// Leaves between two looks.
    private static let stride = 16

    /// Asked once for each leaf: whether the last ones waited more than once each, and for most of their time.
    mutating func waitsForDisk() -> Bool {
        calls += 1
        guard calls % Self.stride == 0 else { return false }
        let (before, now) = (last, Sample())
        last = now
        return now.usage.ru_nvcsw - before.usage.ru_nvcsw >= Self.stride
            && (now.cpu - before.cpu) * 4 < now.time - before.time
    }
}

/// Where threads leave what they made.
private final class OutputBox: Sendable {
    private let sum = Mutex(TreeBuild.Output())

    func add(_ output: TreeBuild.Output) { sum.withLock { $0.add(output) } }
    var value: TreeBuild.Output { sum.withLock { $0 } }
}
