import Foundation
import TestSupport
import Testing

@Suite struct `A command after a publish` {
    /// A site, what it is published into, and a script that is run.
    private struct Site {
        let source: GitRepository
        let folder: TemporaryFolder

        init(_ script: String) throws {
            source = try GitRepository()
            folder = try TemporaryFolder()
            try source.commit(["index.html": "one", "same.html": "same"])
            try write(script)
        }

        /// Read by a shell: see the gate's.
        func write(_ script: String) throws { try folder.write("cd '\(folder.path)'\n\(script)\n", to: "hook") }

        var arguments: [String] {
            [
                source.path, folder("www"), "--on-publish", "[\"/bin/sh\", \"\(folder("hook"))\"]", "--backoff",
                "200ms", "--delay", "100ms",
            ]
        }

        func once(_ more: String...) async throws -> (status: Int32, log: String) {
            try await Sidekick.once(arguments + more)
        }

        /// The lines of a file that the script writes.
        func lines(_ name: String = "runs") -> [String] {
            ((try? folder.read(name)) ?? "").split(separator: "\n").map(String.init)
        }
    }

    private static let note = "echo \"$PREVIOUS_COMMIT $PUBLISHED_COMMIT\" $(cat \"$CHANGED_PATHS_FILE\") >> runs"

    @Test(arguments: ["link", "exchange", "folder"])
    func `is told of each publish once, and what differs from the one before`(layout: String) async throws {
        let site = try Site(Self.note + "; cat \"$PUBLISHED_PATH/index.html\" > shown || true")
        let first = try site.source.head
        #expect(try await site.once("--layout", layout).status == 0)
        #expect(site.lines() == [" \(first) index.html same.html"] && site.lines("shown") == ["one"])
        #expect(try await site.once("--layout", layout).status == 0)
        #expect(site.lines().count == 1)
        let second = try site.source.commit(["index.html": "two", "same.html": nil, "a/b": "x"])
        #expect(try await site.once("--layout", layout).status == 0)
        #expect(site.lines().last == "\(first) \(second) a/b index.html same.html" && site.lines("shown") == ["two"])
        // Another way to publish: everything may be another.
        #expect(try await site.once("--layout", layout, "--subdirectory", "a").status == 0)
        #expect(site.lines().last == " \(second) b")
        #expect(site.lines().count == 3)
    }

    @Test func `is run again until it works, and a pass that publishes once says how it ended`() async throws {
        let site = try Site("echo x >> tries; test $(wc -l < tries) -gt 3 || { echo no; exit 7; }; " + Self.note)
        let failed = try await site.once()
        #expect(
            failed.status == 75 && failed.log.contains("SIDEKICK_ON_PUBLISH ended with status 7: no"), "\(failed.log)")
        #expect(try site.folder.read("www/index.html") == "one")
        let sidekick = try Sidekick(site.arguments + ["--listen", "127.0.0.1:0"])
        let edge = try await sidekick.edge()
        try await sidekick.prints("hook recovered failures=2")
        #expect(try site.lines("tries").count == 4 && site.lines() == [" \(site.source.head) index.html same.html"])
        let name = "sidekick_hook_runs_total{hook=\"on_publish\",result="
        #expect(try edge.metric(name + "\"failed\"}") == 2)
        #expect(try edge.metric(name + "\"succeeded\"}") == 1)
        // It is no failure of passes, and none of them waited.
        #expect(try edge.metric("sidekick_consecutive_failures") == 0)
        #expect(try await sidekick.stop() == 0)
        #expect(
            sidekick.log.components(separatedBy: "hook failed, will retry").count == 2, "told once: \(sidekick.log)")
    }

    @Test func `that failed is told again of what it was told of, whatever came since`() async throws {
        let site = try Site(Self.note + "; test ! -e broken")
        let first = try site.source.head
        #expect(try await site.once().status == 0)
        try site.folder.write("", to: "broken")
        try site.source.commit(["index.html": "two"])
        #expect(try await site.once().status == 75)
        try site.source.commit(["index.html": "one", "other": "x"])
        #expect(try await site.once().status == 75)
        try site.source.git("reset", "-q", "--hard", first)
        try FileManager.default.removeItem(atPath: site.folder("broken"))
        #expect(try await site.once().status == 0)
        // It shows what it showed, but who was told of the others may have fetched them.
        #expect(site.lines().last == "\(first) \(first) index.html other")
        #expect(try await site.once().status == 0)
        #expect(site.lines().count == 4)
    }

    @Test func `is told the reference that named the commit, also by a later process, and none of what is held`()
        async throws
    {
        let site = try Site("echo \"ref:$PUBLISHED_REF\" >> runs; test -e good")
        #expect(try await site.once().status == 75)
        try site.folder.write("", to: "good")
        // Before it has asked the remote.
        try Command.run(["mv", site.source.path, site.source.path + ".gone"])
        _ = try await site.once()
        try Command.run(["mv", site.source.path + ".gone", site.source.path])
        try site.source.commit(["index.html": "two"])
        #expect(try await site.once().status == 0)
        let back = try Command.run([Sidekick.binary, "rollback", "--destination", site.folder("www")], mayFail: true)
        #expect(back.status == 0)
        #expect(try await site.once().status == 0)
        #expect(site.lines() == ["ref:refs/heads/main", "ref:refs/heads/main", "ref:refs/heads/main", "ref:"])
    }

    @Test func `is not told of what was only mended`() async throws {
        let site = try Site(Self.note)
        #expect(try await site.once().status == 0)
        try "broken".write(toFile: site.folder("www/index.html"), atomically: false, encoding: .utf8)
        #expect(try await site.once().status == 0)
        #expect(try site.folder.read("www/index.html") == "one" && site.lines().count == 1)
    }

    @Test func `that is slow holds up nothing, and is run once more for the newest of ten publishes`() async throws {
        let site = try Site(Self.note + "; test -e quick || { touch quick; sleep 20; }")
        let first = try site.source.head
        let sidekick = try Sidekick(site.arguments)
        try await eventually("it runs") { site.folder.has("quick") }
        let start = Date()
        for number in 1...10 {
            try site.source.commit(["index.html": "\(number)", "page\(number % 3)": "\(number)"])
            try await eventually("\(number) shows") { try site.folder.read("www/index.html") == "\(number)" }
        }
        #expect(Date().timeIntervalSince(start) < 20 && site.lines().count == 1, "passes went on")
        try await eventually(within: 60, "once more") { site.lines().count == 2 }
        try await Task.sleep(for: .milliseconds(500))
        #expect(site.lines().dropFirst() == ["\(first) \(try site.source.head) index.html page0 page1 page2"])
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `takes what it started with it, and is not waited for by what holds its output`() async throws {
        let site = try Site(
            "sleep 1000 & echo $! > pids; setsid sleep 1001 & echo $! > escaped; echo done; " + Self.note)
        let start = Date()
        let result = try await site.once()
        #expect(result.status == 0 && Date().timeIntervalSince(start) < 60, "\(result.log)")
        #expect(HookLog.lines(result.log) == ["done"])
        try await HookLog.areGone(site.folder("pids"))
        for pid in site.lines("escaped").compactMap({ Int32($0) }) { kill(pid, SIGKILL) }
    }

    @Test func `that is too slow is ended, and so is one that runs when sidekick is stopped`() async throws {
        let site = try Site("sleep 1000 & echo $$ $! > pids; wait")
        let late = try await site.once("--hook-timeout", "300ms")
        #expect(late.status == 75 && late.log.contains("SIDEKICK_ON_PUBLISH took longer than 0.3 s"), "\(late.log)")
        try await HookLog.areGone(site.folder("pids"))
        try site.write("trap '' TERM; sleep 1000 & echo $$ $! > stubborn; wait; sleep 1000")
        let sidekick = try Sidekick(site.arguments)
        try await eventually("it runs") { site.lines("stubborn").count == 1 }
        let start = Date()
        #expect(try await sidekick.stop() == 0)
        #expect(try #require(sidekick.endTime).timeIntervalSince(start) < 2)
        try await HookLog.areGone(site.folder("stubborn"))
    }

    @Test func `is run by the next start when sidekick is killed while it runs`() async throws {
        let site = try Site(Self.note + "; test -e again || { touch again; sleep 1000; }")
        let sidekick = try Sidekick(site.arguments)
        try await eventually("it runs") { site.folder.has("again") }
        sidekick.send(SIGKILL)
        try await sidekick.wait()
        #expect(try await site.once().status == 0)
        let line = " \(try site.source.head) index.html same.html"
        #expect(site.lines() == [line, line])
    }

    @Test(arguments: ["link", "exchange", "folder"])
    func `is run by the next start when sidekick is killed anywhere between a publish and the hook`(layout: String)
        async throws
    {
        let shim = try FaultShim.shared.get()
        let site = try Site(Self.note)
        let command = [Sidekick.binary] + site.arguments + ["--layout", layout, "--grace", "0s", "--once"]
        let (counted, calls) = try shim.run(command)
        #expect(counted.status == 0 && site.lines().count == 1)
        let first = try site.source.head
        // Where the runs of two updates begin to be the same is not of interest: every call from the switch on is.
        let second = try site.source.commit(["index.html": "two"])
        let (_, update) = try shim.run(command)
        #expect(site.lines().last == "\(first) \(second) index.html")
        #expect(calls.count > 10)
        let number = try #require(
            update.firstIndex { call in
                call.paths.contains { $0 == site.folder("www") || $0.hasPrefix(site.folder("www/")) }
            })
        var (before, kills) = (second, 0)
        for at in number + 1...update.count {
            let commit = try site.source.commit(["index.html": "\(at)"])
            let (killed, _) = try shim.run(command, fault: (.kill, at: at))
            #expect([0, 137].contains(killed.status), "\(killed.status) at \(at): \(killed.error)")
            if killed.status == 137 { kills += 1 }
            let runs = site.lines()
            #expect(try await site.once("--layout", layout, "--grace", "0s").status == 0)
            // One that was begun may have ended, or nearly: then it is run once more.
            let expected = "\(before) \(commit) index.html"
            #expect(site.lines().last == expected, "killed at \(at), \(update[at - 1])")
            #expect(site.lines().count - runs.count <= 1)
            before = commit
        }
        #expect(kills >= 6, "\(kills) of \(update.count - number)")
    }

    @Test func `that prints without end is heard, in part`() async throws {
        let site = try Site("yes 0123456789 | head -c 20000000; printf '\\033[31mred\\n'; echo last >&2; exit 1")
        let (status, log) = try await site.once()
        #expect(status == 75 && log.contains("ended with status 1: last"), "\(log.suffix(500))")
        let lines = HookLog.lines(log)
        #expect(lines.count == 201 && lines.last?.hasSuffix("more lines") == true, "\(lines.suffix(3))")
        #expect(!log.contains("\u{1b}"))
    }

    @Test func `a line is for sh, and what cannot be a command is refused before anything is done`() async throws {
        let site = try Site("")
        let folder = try TemporaryFolder()
        let line = "echo \"$PUBLISHED_COMMIT\" | cat > '\(folder("line"))'"
        let (status, log) = try await Sidekick.once([site.source.path, folder("www"), "--on-publish", line])
        #expect(status == 0, "\(log)")
        #expect(try folder.read("line") == "\(site.source.head)\n", "\(log)")
        for bad in ["[]", "[\"\"]", "[1]", "[\"a\"", "  "] {
            let refused = try await Sidekick.once([site.source.path, folder("bad"), "--on-publish", bad])
            #expect(
                refused.status == 64
                    && refused.log.contains(
                        "SIDEKICK_ON_PUBLISH is \"\(bad.replacingOccurrences(of: "\"", with: "\""))\": give a JSON array"
                    ), "\(refused.log)")
            #expect(!folder.has("bad"))
        }
    }

    /// A container's process 1 inherits what loses its parent.
    @Test func `leaves no dead processes behind`() async throws {
        let site = try Site("setsid sh -c 'sleep 0.2' & echo $! >> orphans")
        let adopt = "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1); os.execv(sys.argv[1], sys.argv[1:])"
        let sidekick = try Sidekick(site.arguments, wrapper: ["python3", "-c", adopt])
        for number in 1...3 {
            try await eventually("run \(number)") { site.lines("orphans").count == number }
            try site.source.commit(["index.html": "\(number)"])
        }
        try await eventually("the fourth") { site.lines("orphans").count == 4 }
        try await eventually("all are buried") {
            let children = try String(
                contentsOfFile: "/proc/\(sidekick.pid)/task/\(sidekick.pid)/children", encoding: .utf8)
            let orphans = site.lines("orphans").allSatisfy { !FileManager.default.fileExists(atPath: "/proc/\($0)") }
            return orphans && children.isEmpty
        }
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `is given the variables of the container that are named, and no others`() async throws {
        let site = try Site("env | sort >env")
        let environment = [
            "COLOR": "red and blue", "OTHER": "x", "SIDEKICK_PASSWORD": "s3cr3t", "EMPTY": "",
            "SIDEKICK_HOOK_ENVIRONMENT": "COLOR, EMPTY,NOWHERE",
        ]
        let result = try await Sidekick.once(site.arguments, environment: environment)
        #expect(result.status == 0 && result.log.contains("NOWHERE, which is not set"), "\(result.log)")
        let names = site.lines("env").map { String($0.prefix { $0 != "=" }) }.filter {
            !["PWD", "SHLVL", "_", "OLDPWD"].contains($0)
        }
        let expected: Set = [
            "CHANGED_PATHS_FILE", "COLOR", "EMPTY", "PATH", "PREVIOUS_COMMIT", "PUBLISHED_COMMIT", "PUBLISHED_PATH",
            "PUBLISHED_REF",
        ]
        #expect(Set(names).subtracting(["HOME"]) == expected)
        #expect(site.lines("env").contains("COLOR=red and blue"))
        for list in ["SIDEKICK_PASSWORD", "PATH", "PUBLISHED_REF", "A=B", "1A", "é"] {
            let refused = try await Sidekick.once(site.arguments, environment: ["SIDEKICK_HOOK_ENVIRONMENT": list])
            #expect(
                refused.status == 64 && refused.log.contains("SIDEKICK_HOOK_ENVIRONMENT is"), "\(list): \(refused.log)")
        }
    }

    @Test(arguments: ["path", "http"])
    func `is told the bytes of a name that is not UTF-8`(door: String) async throws {
        let site = try Site("printf %s \"$PUBLISHED_REF\" >ref")
        try Command.run(
            [
                "sh", "-c",
                "git update-ref \"$(printf 'refs/heads/caf\\351')\" HEAD && git update-ref refs/heads/caf\u{FFFD} HEAD",
            ],
            in: site.source.path, environment: GitRepository.environment())
        let (bareFolder, _) = try site.source.bareClone()
        let nginx = try await Nginx(gitRepositoriesIn: bareFolder.path)
        var arguments = site.arguments
        if door == "http" { arguments[0] = "http://127.0.0.1:\(nginx.port)/site.git" }
        let odd = ["sh", "-c", "SIDEKICK_REF=$(printf 'caf\\351') exec \"$0\" \"$@\""]
        let result = try await Sidekick.once(arguments, wrapper: odd)
        #expect(result.status == 0, "\(result.log)")
        let told = try Data(contentsOf: URL(fileURLWithPath: site.folder("ref")))
        #expect(Array(told) == Array("refs/heads/caf".utf8) + [0xE9], "\(Array(told))")
        // A path is text here, and a wrong one would be made.
        for name in ["DESTINATION", "SIDEKICK_STATE"] {
            let wrapper = ["sh", "-c", "\(name)=$(printf '/x/\\351') exec \"$0\" \"$@\""]
            let refused = try await Sidekick.once(
                name == "DESTINATION" ? [site.source.path] : [site.source.path, site.folder("www")], wrapper: wrapper)
            #expect(refused.status == 64 && refused.log.contains("\(name) is not UTF-8"), "\(refused.log)")
        }
    }

    @Test func `a file gets the time of each publish, and one that cannot is tried again`() async throws {
        let site = try Site("")
        let file = site.folder("there/touched")
        func time() -> Date? {
            (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date
        }
        try site.folder.write("a file", to: "there")
        let sidekick = try Sidekick(
            [site.source.path, site.folder("www"), "--touch-file", file, "--backoff", "200ms", "--delay", "100ms"])
        // What is in the way of its folder, which would be made.
        try await sidekick.prints("hook=touch")
        #expect(sidekick.log.contains("\(site.folder("there"))"), "\(sidekick.log)")
        unlink(site.folder("there"))
        try await eventually("it is made") { time() != nil }
        let first = try #require(time())
        try site.source.commit(["index.html": "two"])
        try await eventually("it is touched") { try #require(time()) > first }
        let second = try #require(time())
        try await Task.sleep(for: .milliseconds(500))
        #expect(time() == second)
        #expect(try await sidekick.stop() == 0)
        // Published by a process that did not come to it.
        try site.source.commit(["index.html": "three"])
        #expect(try await Sidekick.once([site.source.path, site.folder("www")]).status == 0)
        #expect(time() == second)
        #expect(try await Sidekick.once([site.source.path, site.folder("www"), "--touch-file", file]).status == 0)
        #expect(try #require(time()) > second)
    }
}
