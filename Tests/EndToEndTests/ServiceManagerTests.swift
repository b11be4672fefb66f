import Foundation
import Synchronization
import TestSupport
import Testing

/// What systemd is told (sd_notify(3)), heard at a socket of our own.
@Suite struct `A service manager` {
    private final class Listener: Sendable {
        private let file: Int32
        private let heard = Mutex<[String]>([])

        /// - Parameter name: a path, or `@` and a name.
        init(_ name: String) throws {
            let file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            self.file = file
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var bytes = Array(name.utf8)
            if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            let size = socklen_t(2 + bytes.count)
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(file, $0, size) }
            }
            guard status == 0 else { throw TestFailure("bind: \(String(cString: strerror(errno)))") }
            Thread.detachNewThread { [weak self] in
                var buffer = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = recv(file, &buffer, buffer.count, 0)
                    guard count > 0, let self else { return }
                    self.heard.withLock { $0.append(String(decoding: buffer[..<count], as: UTF8.self)) }
                }
            }
        }

        deinit { shutdown(file, Int32(SHUT_RDWR)) }

        var all: [String] { heard.withLock { $0 } }
        func has(_ start: String) -> Bool { all.contains { $0.hasPrefix(start) } }
    }

    @Test(arguments: [true, false])
    func `hears that it is ready, how each pass ended, that it lives and that it stops`(isAbstract: Bool) async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        try source.commit(["index.html": "one"])
        let name = isAbstract ? "@sidekick-test-\(UUID().uuidString)" : folder("notify")
        let listener = try Listener(name)
        // What a hook says is not for it.
        try folder.write("env > \(folder("hook"))\n", to: "hook.sh")
        let sidekick = try Sidekick(
            [
                source.path, folder("www"), "--delay", "200ms", "--on-publish",
                "[\"/bin/sh\", \"\(folder("hook.sh"))\"]",
            ],
            environment: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"])
        try await eventually("it says so") { listener.has("READY=1") && listener.has("STATUS=serving ") }
        try await eventually("it lives") { listener.all.count { $0 == "WATCHDOG=1" } > 2 }
        try FileManager.default.moveItem(atPath: source.path + "/.git", toPath: source.path + "/gone")
        try await eventually("it tells of a failure") { listener.has("STATUS=failing at discover, 1 in a row: ") }
        try await eventually("the hook has run") { folder.has("hook") }
        #expect(try !folder.read("hook").contains("NOTIFY_SOCKET"))
        #expect(try await sidekick.stop() == 0)
        try await eventually("it stops") { listener.has("STOPPING=1") }
        #expect(listener.all.first == "READY=1")
        #expect(listener.all.allSatisfy { !$0.contains("\n") }, "\(listener.all)")
    }

    /// A deadline, and half a minute for a machine that is busy: then the loop is taken to be stuck, however well the rest of it is.
    @Test func `hears no more of life when a disk hangs for longer than a pass may take`() async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        try source.commit(["index.html": "one"])
        let listener = try Listener(folder("notify"))
        let hang = folder("hang")
        let sidekick = try Sidekick(
            [source.path, folder("www"), "--delay", "200ms", "--deadline", "1s"],
            environment: try FaultShim.shared.get().environment(hangingWhile: hang).merging(
                ["NOTIFY_SOCKET": folder("notify"), "WATCHDOG_USEC": "400000"]) { $1 })
        try await eventually("it lives") { listener.all.count { $0 == "WATCHDOG=1" } > 2 }
        try folder.write("", to: "hang")
        let start = Date()
        func silence() async throws -> Bool {
            let before = listener.all.count { $0 == "WATCHDOG=1" }
            try await Task.sleep(for: .seconds(2))
            return listener.all.count { $0 == "WATCHDOG=1" } == before
        }
        while try await !silence() {
            guard Date().timeIntervalSince(start) < 60 else { throw TestFailure("it says for ever that it lives") }
        }
        #expect(Date().timeIntervalSince(start) > 25)
        unlink(hang)
        try await eventually("it lives again") {
            listener.all.last == "WATCHDOG=1" || listener.all.last?.hasPrefix("STATUS=") == true
        }
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `is told that it is ready whatever the remote does, and no other process's life`() async throws {
        let folder = try TemporaryFolder()
        let listener = try Listener(folder("notify"))
        let sidekick = try Sidekick(
            ["git://127.0.0.1:9/site.git", folder("www"), "--delay", "200ms"],
            environment: ["NOTIFY_SOCKET": folder("notify"), "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"])
        try await eventually("it says so") { listener.has("READY=1") && listener.has("STATUS=failing at discover") }
        try await Task.sleep(for: .milliseconds(500))
        #expect(!listener.has("WATCHDOG"))
        #expect(try await sidekick.stop() == 0)
    }
}

@Suite struct `A monitor` {
    @Test func `hears of a pass that has succeeded, once a minute at most, and never of one that has failed`()
        async throws
    {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        try source.commit(["index.html": "one"])
        let trap = try HTTPTrap { _ in "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" }
        try folder.write("http://127.0.0.1:\(trap.port)/ping/s3cr3t\n", to: "url")
        let environment = ["SIDEKICK_HEARTBEAT_URL_FILE": folder("url")]
        let missing = try await Sidekick.once([folder("nothing"), folder("www")], environment: environment)
        #expect(missing.status != 0 && trap.requests.isEmpty)
        let sidekick = try Sidekick([source.path, folder("www"), "--delay", "100ms"], environment: environment)
        try await eventually("the first beat") { trap.requests.count == 1 }
        try await Task.sleep(for: .milliseconds(600))
        #expect(trap.requests.count == 1 && trap.requests[0].hasPrefix("GET /ping/s3cr3t HTTP/1.1\r\n"))
        #expect(try await sidekick.stop() == 0)
        let once = try await Sidekick.once([source.path, folder("www")], environment: environment)
        #expect(once.status == 0 && trap.requests.count == 2, "a single pass waits until it is sent")
    }

    @Test func `that is silent or gone is in nobody's way, and its address in no log`() async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        try source.commit(["index.html": "one"])
        let trap = try HTTPTrap { _ in nil }
        let sidekick = try Sidekick(
            [source.path, folder("www"), "--delay", "100ms", "--log-level", "debug"],
            environment: ["SIDEKICK_HEARTBEAT_URL": "http://127.0.0.1:\(trap.port)/s3cr3t"])
        try await eventually("it was asked") { !trap.requests.isEmpty }
        try source.commit(["index.html": "two"])
        try await eventually("passes go on") { (try? folder.read("www/index.html")) == "two" }
        #expect(try await sidekick.stop() == 0)
        let gone = try await Sidekick.once(
            [source.path, folder("www"), "--log-level", "debug"],
            environment: ["SIDEKICK_HEARTBEAT_URL": "http://127.0.0.1:9/s3cr3t"])
        #expect(gone.status == 0 && gone.log.contains("no heartbeat"), "\(gone.log)")
        #expect(!(sidekick.log + gone.log).contains("s3cr3t"))
    }
}

@Suite struct `A pass that is asked for` {
    private func sync(_ folder: TemporaryFolder) throws -> Command.Result {
        try Command.run(
            [Sidekick.binary, "sync", folder("www")], environment: ["PATH": "/usr/bin:/bin"], mayFail: true)
    }

    @Test func `is waited for, and ends as it ended`() async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        try source.commit(["index.html": "one"])
        let (bare, path) = try source.bareClone()
        let none = try sync(folder)
        #expect(none.status == 69 && none.error.contains("no sidekick is running"), "\(none.error)")
        let daemon = try await GitDaemon(repositoriesIn: bare.path)
        let sidekick = try Sidekick(
            ["git://127.0.0.1:\(daemon.port)/site.git", folder("www"), "--delay", "1h"])
        try await eventually("the first shows") { (try? folder.read("www/index.html")) == "one" }
        let same = try sync(folder)
        let head = try source.head
        #expect(same.status == 0 && same.text == "unchanged: \(head)\n", "\(same)")
        let second = try source.commit(["index.html": "two"])
        try source.git("push", "-q", path, "main")
        let new = try sync(folder)
        #expect(new.status == 0 && new.text == "published \(second)\n", "\(new)")
        #expect(try folder.read("www/index.html") == "two")
        try FileManager.default.moveItem(atPath: path, toPath: bare("gone"))
        let failed = try sync(folder)
        #expect(failed.status == 69 && failed.error.contains("discover failed: "), "\(failed)")
        #expect(try await sidekick.stop() == 0)
    }
}
