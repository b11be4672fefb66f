import Foundation

/// What happens at a call that changes the disk.
public enum Fault: String, Sendable, CaseIterable {
    /// The process is killed.
    case kill
    /// The disk is full from then on.
    case full
    /// The quota is used up from then on.
    case quota
    /// That one call fails: a bad sector, a cable.
    case broken

    /// What the process is to say about it; `nil` for nothing.
    public var message: String? {
        switch self {
        case .kill: nil
        case .full: String(cString: strerror(ENOSPC))
        case .quota: String(cString: strerror(EDQUOT))
        case .broken: String(cString: strerror(EIO))
        }
    }

    fileprivate func environment(at call: Int) -> [String: String] {
        let at = ["FAULT_AT": "\(call)"]
        switch self {
        case .kill: return at
        case .full: return at.merging(["FAULT_ERRNO": "\(ENOSPC)", "FAULT_STICKY": "1"]) { $1 }
        case .quota: return at.merging(["FAULT_ERRNO": "\(EDQUOT)", "FAULT_STICKY": "1"]) { $1 }
        case .broken: return at.merging(["FAULT_ERRNO": "\(EIO)"]) { $1 }
        }
    }

    /// Whether it can happen at a call: on a full disk, what takes no space works.
    public func concerns(_ call: FaultShim.Call) -> Bool {
        switch self {
        case .kill, .broken: true
        case .full, .quota: !call.needsNoSpace
        }
    }
}

/// Runs a program under `Tests/Faults/fault.c`, which counts the calls that change the disk and makes one of them fail.
public struct FaultShim: Sendable {
    private let folder: TemporaryFolder

    /// The one that all tests share.
    public static let shared = Result { try FaultShim() }

    private init() throws {
        folder = try TemporaryFolder()
        try Command.run([
            "clang", "-shared", "-fPIC", "-O1", "-o", folder("fault.so"), Nginx.project + "/Tests/Faults/fault.c",
            "-ldl",
        ])
    }

    /// A call that changes the disk.
    public struct Call: Sendable, CustomStringConvertible {
        /// As the libc calls it.
        public let name: String
        /// One, or two where something gets another name.
        public let paths: [String]
        /// Whether the shim made it fail, or the last one.
        public let isHit: Bool

        fileprivate init?(_ line: Substring) {
            let fields = line.split(separator: "\t").map(String.init)
            guard fields.count >= 3 else { return nil }
            (name, paths, isHit) = (fields[2], Array(fields[3...]), fields[1] != "-")
        }

        fileprivate var needsNoSpace: Bool {
            ["unlink", "unlinkat", "rmdir", "ftruncate", "chmod", "fchmod", "futimens", "utimensat"].contains(name)
        }

        /// With its paths.
        public var description: String { "\(name) \(paths.joined(separator: " -> "))" }
    }

    /// Runs a program; nothing else of this machine's environment reaches it.
    ///
    /// - Parameters:
    ///   - fault: `nil` only counts.
    ///   - graves: a folder that gets what is needed to take back what it did.
    /// - Returns: how it ended and what it did, in order.
    public func run(
        _ arguments: [String], fault: (Fault, at: Int)? = nil, graves: String? = nil
    ) throws -> (Command.Result, [Call]) {
        let files = try TemporaryFolder()
        var environment = environment(fault, log: files("log"))
        environment["FAULT_GRAVES"] = graves
        let result = try Command.run(arguments, environment: environment, mayFail: true)
        return (result, calls(in: files))
    }

    /// Runs a program that does not end by itself: it is asked to when the fault, if any, has happened and then it has
    /// changed nothing for half a second, in which no thread of it waited for a processor: what has the lowest priority may wait long.
    public func follow(
        _ arguments: [String], fault: (Fault, at: Int)? = nil, graves: String? = nil
    ) throws -> (Command.Result, [Call]) {
        let files = try TemporaryFolder()
        try files.write("", to: "error")
        var environment = environment(fault, log: files("log"))
        environment["FAULT_GRAVES"] = graves
        let process = try ChildProcess(arguments, environment: environment, error: files("error"))
        let end = Date().addingTimeInterval(60)
        var (size, quiet) = (0, 0)
        while process.status == nil, quiet < 10 {
            usleep(50_000)
            let log = (try? files.read("log")) ?? ""
            let isAwaited = log.isEmpty || (fault != nil && !calls(in: files).contains(where: \.isHit))
            quiet = isAwaited || log.utf8.count != size || Self.isAtWork(process.pid) ? 0 : quiet + 1
            size = log.utf8.count
            guard Date() < end else { throw TestFailure("no end of \(arguments): \(try files.read("error"))\n\(log)") }
        }
        process.send(SIGTERM)
        let status = process.waitForEnd()
        return (Command.Result(status: status, output: Data(), error: try files.read("error")), calls(in: files))
    }

    /// Whether a thread runs, would run, or waits for a disk (proc(5)).
    private static func isAtWork(_ pid: Int32) -> Bool {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return threads.contains { thread in
            let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/stat", encoding: .utf8)) ?? ""
            // The name before it may have anything in it.
            guard let end = text.lastIndex(of: ")") else { return false }
            return ["R", "D"].contains(text[end...].dropFirst(2).prefix(1))
        }
    }

    /// What makes the disk of a program hang for as long as a file exists.
    public func environment(hangingWhile file: String) -> [String: String] {
        ["LD_PRELOAD": folder("fault.so"), "FAULT_HANG": file]
    }

    /// What makes every read of files whose path has this in it fail.
    public func environment(failingToRead part: String) -> [String: String] {
        ["LD_PRELOAD": folder("fault.so"), "FAULT_READ": part]
    }

    private func environment(_ fault: (Fault, at: Int)?, log: String) -> [String: String] {
        let always = [
            "PATH": "/usr/bin:/bin", "LD_PRELOAD": folder("fault.so"), "FAULT_LOG": log, "FAULT_SKIP_SYNC": "1",
        ]
        guard let (fault, call) = fault else { return always }
        return always.merging(fault.environment(at: call)) { $1 }
    }

    private func calls(in files: TemporaryFolder) -> [Call] {
        ((try? files.read("log")) ?? "").split(separator: "\n").compactMap { Call($0) }
    }
}
