import Foundation
import TestSupport
import Testing

@Suite struct `A gate before publishing` {
    /// A site, what it is published into, and a command that decides.
    private struct Site {
        let source: GitRepository
        let folder: TemporaryFolder
        let layout: String

        init(_ layout: String = "link", gate: String) throws {
            self.layout = layout
            source = try GitRepository()
            folder = try TemporaryFolder()
            try source.commit(["index.html": "one", "same.html": "same", "deep/page.html": "deep"])
            try write(gate)
        }

        /// Read by a shell: a program that was just written cannot be run while a child of another test has it open.
        func write(_ gate: String) throws { try folder.write(gate + "\n", to: "gate") }

        var arguments: [String] {
            [
                source.path, folder("www"), "--layout", layout, "--before-publish",
                "[\"/bin/sh\", \"\(folder("gate"))\"]",
                "--backoff", "100ms", "--delay", "100ms",
            ]
        }

        func once(_ more: String...) async throws -> (status: Int32, log: String) {
            try await Sidekick.once(arguments + more)
        }

        func page(_ name: String = "index.html") -> String? { try? folder.read("www/\(name)") }
    }

    private static let layouts = ["link", "exchange"]

    @Test(arguments: layouts)
    func `that refuses keeps the old tree, says why, and lets the next commit pass`(layout: String) async throws {
        let site = try Site(layout, gate: "test ! -e broken || { echo 'a page is broken' >&2; exit 3; }")
        let sidekick = try Sidekick(site.arguments + ["--listen", "127.0.0.1:0"])
        let edge = try await sidekick.edge()
        try await eventually("the first shows") { site.page() == "one" }
        let bad = try site.source.commit(["index.html": "two", "broken": "x"])
        try await sidekick.prints("pass failed, will retry stage=gate")
        #expect(
            sidekick.log.contains(
                "SIDEKICK_BEFORE_PUBLISH ended with status 3: a page is broken, for commit \(bad.prefix(12))")
                || sidekick.log.contains("ended with status 3: a page is broken, for commit \(bad.prefix(7))"),
            "\(sidekick.log)")
        try await Task.sleep(for: .milliseconds(500))
        #expect(site.page() == "one" && !site.folder.has("www/broken"))
        #expect(try edge.metric("sidekick_hook_runs_total{hook=\"before_publish\",result=\"failed\"}") ?? 0 > 1)
        #expect(try edge.ask("/status").body.contains("a page is broken"))
        try site.source.commit(["index.html": "three", "broken": nil])
        try await eventually("the third shows") { site.page() == "three" }
        try await sidekick.prints("recovered")
        #expect(try edge.metric("sidekick_hook_runs_total{hook=\"before_publish\",result=\"succeeded\"}") == 2)
        // What it takes is its own stage's, not that of a publish.
        #expect(try edge.metric("sidekick_pass_failures_total{stage=\"gate\"}") ?? 0 > 1)
        #expect(try edge.metric("sidekick_stage_duration_seconds_count{stage=\"gate\"}") ?? 0 > 3)
        #expect(try edge.metric("sidekick_stage_duration_seconds_count{stage=\"publish\"}") == 2)
        #expect(try await sidekick.stop() == 0)
        #expect(sidekick.log.components(separatedBy: "pass failed, will retry").count == 2, "told once")
    }

    @Test func `sees the whole tree and what differs, and no secret`() async throws {
        let site = try Site(gate: "env | sort; pwd; cat index.html; echo; echo list; cat \"$CHANGED_PATHS_FILE\"")
        let secrets = [
            "SIDEKICK_PASSWORD": "s3cr3tpass", "SIDEKICK_NOTIFY_URL": "http://127.0.0.1:1/s3cr3turl",
            "SIDEKICK_NOTIFY_SECRET": "s3cr3tkey", "OTHER": "s3cr3tother", "HOME": "/nowhere", "SIDEKICK_USERNAME": "u",
        ]
        let first = try await Sidekick.once(site.arguments, environment: secrets)
        let lines = HookLog.lines(first.log)
        let path = site.folder(".sidekick/www/trees/\(try site.source.head)")
        #expect(
            lines.prefix { !$0.hasPrefix("/") }.map { $0.prefix { $0 != "=" } } == [
                "CHANGED_PATHS_FILE", "HOME", "PATH", "PREVIOUS_COMMIT", "PUBLISHED_COMMIT", "PUBLISHED_PATH",
                "PUBLISHED_REF", "PWD",
            ])
        #expect(!first.log.contains("s3cr3t"), "\(first.log)")
        #expect(lines.contains("PUBLISHED_PATH=\(path)") && lines.contains(path), "\(lines)")
        #expect(lines.suffix(5) == ["one", "list", "deep/page.html", "index.html", "same.html"], "\(lines)")
        let before = try site.source.head
        try site.source.commit(["index.html": "two", "deep/page.html": nil, "new \"odd\"\tname\u{e4}": "x"])
        let second = HookLog.lines(try await site.once().log)
        #expect(second.contains("PREVIOUS_COMMIT=\(before)") && second.contains("PUBLISHED_REF=refs/heads/main"))
        #expect(
            second.suffix(5) == ["two", "list", "deep/page.html", "index.html", #""new \"odd\"\tname"# + "\u{e4}\""],
            "\(second)")
    }

    @Test(arguments: layouts)
    func `that takes too long is ended with all that it started`(layout: String) async throws {
        let site = try Site(layout, gate: "exit 0")
        #expect(try await site.once().status == 0)
        try site.source.commit(["index.html": "two"])
        try site.write("sleep 1000 & echo $$ $! > '\(site.folder("pids"))'; trap '' TERM; wait; sleep 1000")
        let start = Date()
        let (status, log) = try await site.once("--hook-timeout", "500ms")
        #expect(Date().timeIntervalSince(start) < 60, "by itself it takes a quarter of an hour")
        #expect(status == 75 && log.contains("SIDEKICK_BEFORE_PUBLISH took longer than 0.5 s"), "\(log)")
        #expect(site.page() == "one")
        try await HookLog.areGone(site.folder("pids"))
    }

    @Test(
        arguments: layouts.flatMap { layout in
            [
                "echo changed >> same.html", "cp -p same.html x; printf SAME > same.html; touch -r x same.html; rm x",
                "rm same.html", "echo x > new.html", "mkdir -p a/b/c", "chmod 600 deep/page.html",
                "printf DEEP > deep/page.html; rm deep/page.html", "ln deep/page.html ../../stolen",
                "echo x > index.html; exit 1",
                "i=0; while [ $i -lt 1500 ]; do mkdir d; cd d || break; i=$((i+1)); done",
            ].map { (layout, $0) }
        })
    func `that writes is refused, and what is served is as it was`(layout: String, gate: String) async throws {
        let site = try Site(layout, gate: "exit 0")
        #expect(try await site.once().status == 0)
        let first = try site.source.head
        try site.source.commit(["index.html": "two"])
        try site.write(gate)
        let (status, log) = try await site.once()
        #expect(status == 65, "\(log)")
        #expect(log.contains("the tree was changed while SIDEKICK_BEFORE_PUBLISH looked at it"), "\(log)")
        #expect(try differences(site.folder("www"), from: site.source.path, first) == [], "\(log)")
        // And the next one has nothing of it either.
        try site.write("exit 0")
        let next = try await site.once()
        #expect(next.status == 0, "\(next.log)")
        #expect(try differences(site.folder("www"), from: site.source.path, "HEAD") == [])
        #expect(try await Sidekick.verifies(site.folder("www")))
    }

    /// Root may look into every folder; nobody else may.
    @Test(
        .enabled(if: getuid() == 0, "another user needs root"),
        arguments: layouts.flatMap { layout in
            ["chmod 000 deep", "chmod -R 444 .", "chmod 000 .", "chmod 555 ."].map { (layout, $0) }
        })
    func `that locks folders is refused, and stands in the way of nothing`(layout: String, gate: String) async throws {
        let site = try Site(layout, gate: "exit 0")
        let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        let folder = try TemporaryFolder()
        chmod(folder.path, 0o777)
        chmod(site.folder.path, 0o755)
        try Command.run(["cp", Sidekick.binary, folder("sidekick")])
        try Command.run(["git", "clone", "-q", "--bare", site.source.path, folder("site.git")])
        let command =
            user + [folder("sidekick"), folder("site.git"), folder("www"), "--once"] + site.arguments.dropFirst(2)
        func once() throws -> Command.Result {
            try Command.run(command, environment: ["PATH": "/usr/bin:/bin"], mayFail: true)
        }
        // What is refused at first: there is no spare, and no tree but this one.
        try site.write(gate)
        let first = try once()
        #expect(first.status == 65, "\(first.error)")
        try site.write("exit 0")
        let mended = try once()
        #expect(mended.status == 0, "\(mended.error)")
        let before = try site.source.head
        try site.source.commit(["index.html": "two", "deep/page.html": "deeper"])
        try site.source.git("push", "-q", folder("site.git"), "HEAD:refs/heads/main")
        try site.write(gate)
        let refused = try once()
        #expect(refused.status == 65, "\(refused.error)")
        #expect(try differences(folder("www"), from: site.source.path, before) == [])
        try site.write("exit 0")
        let next = try once()
        #expect(next.status == 0, "\(next.error)")
        #expect(try differences(folder("www"), from: site.source.path, "HEAD") == [])
        try Command.run(["chmod", "-R", "u+rwX", folder.path])
    }

    @Test(arguments: layouts)
    func `that wrote and was killed with sidekick leaves nothing behind`(layout: String) async throws {
        let site = try Site(layout, gate: "exit 0")
        #expect(try await site.once().status == 0)
        let first = try site.source.head
        try site.source.commit(["index.html": "two"])
        try site.write(
            "cp -p same.html ../../x; printf SAME > same.html; touch -r ../../x same.html; echo $$ > '\(site.folder("pids"))'; sleep 1000"
        )
        let killed = try Sidekick(site.arguments)
        try await eventually("it runs") { (try? site.folder.read("pids"))?.isEmpty == false }
        killed.send(SIGKILL)
        try await killed.wait()
        let pid = try #require(Int32(try site.folder.read("pids").trimmingCharacters(in: .whitespacesAndNewlines)))
        kill(-pid, SIGKILL)
        #expect(site.page("same.html") == "SAME")
        // Nothing but the time of change tells it. The gate refuses again.
        try site.write("exit 1")
        let refused = try await site.once()
        #expect(refused.status == 65, "\(refused.log)")
        #expect(try differences(site.folder("www"), from: site.source.path, first) == [])
        try site.write("exit 0")
        let next = try await site.once()
        #expect(next.status == 0, "\(next.log)")
        #expect(try differences(site.folder("www"), from: site.source.path, "HEAD") == [])
    }

    @Test func `ends at once when sidekick is stopped`() async throws {
        let site = try Site(gate: "echo $$ > '%'; sleep 1000")
        try site.write("sleep 1000 & echo $$ $! > '\(site.folder("pids"))'; wait")
        let sidekick = try Sidekick(site.arguments)
        try await eventually("it runs") { (try? site.folder.read("pids"))?.isEmpty == false }
        let start = Date()
        #expect(try await sidekick.stop() == 0)
        #expect(try #require(sidekick.endTime).timeIntervalSince(start) < 2)
        #expect(!site.folder.has("www"))
        try await HookLog.areGone(site.folder("pids"))
    }

    @Test func `cannot look at what the layout folder makes, and a program that is not there is named`() async throws {
        let site = try Site("folder", gate: "exit 0")
        let refused = try await site.once()
        #expect(refused.status == 64 && refused.log.contains("SIDEKICK_LAYOUT to link or exchange"), "\(refused.log)")
        #expect(!site.folder.has("www/index.html"))
        for (command, reason) in [
            ("[\"/not/there\"]", "/not/there: No such file or directory"),
            ("[\"not-there\"]", "not-there is not in PATH"),
        ] {
            let folder = try TemporaryFolder()
            let missing = try await Sidekick.once([site.source.path, folder("www"), "--before-publish", command])
            #expect(missing.status == 64 && missing.log.contains(reason), "\(missing.log)")
        }
    }

    @Test func `is not asked for a rollback, nor for what it let pass and somebody else broke`() async throws {
        let site = try Site(gate: "exit 0")
        #expect(try await site.once().status == 0)
        try site.source.commit(["index.html": "two"])
        #expect(try await site.once().status == 0)
        try site.write("exit 1")
        let sidekick = try Sidekick(site.arguments)
        try await sidekick.prints("started")
        let back = try Command.run([Sidekick.binary, "rollback", "--destination", site.folder("www")], mayFail: true)
        #expect(back.status == 0 && site.page() == "one", "\(back.error) \(sidekick.log)")
        #expect(try await sidekick.stop() == 0)
        let resumed = try Command.run([Sidekick.binary, "resume", "--destination", site.folder("www")], mayFail: true)
        #expect(resumed.status == 0)
        // Published anew it must pass the gate again.
        #expect(try await site.once().status == 65)
        #expect(site.page() == "one")
        try "broken".write(toFile: site.folder("www/index.html"), atomically: false, encoding: .utf8)
        try site.source.git("reset", "-q", "--hard", "HEAD~1")
        let mended = try await site.once()
        #expect(mended.status == 0 && site.page() == "one", "\(mended.log)")
    }
}

extension Sidekick {
    /// Whether every byte of a DESTINATION is what its commit has.
    static func verifies(_ destination: String) async throws -> Bool {
        try Command.run([binary, "verify", destination], mayFail: true).status == 0
    }
}
