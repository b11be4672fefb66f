import Foundation
import TestSupport
import Testing

/// Everything in a repository by which git, or who calls it, runs a program.
@Suite struct `What a repository brings to be run` {
    @Test(arguments: ["path", "http", "bare"])
    func `is never run`(door: String) async throws {
        let folder = try TemporaryFolder()
        let trap = folder("trap")
        try folder.write("#!/bin/sh\necho \"$0 $*\" >>\(folder("ran"))\ncat\n", to: "trap")
        chmod(trap, 0o755)
        let source = try GitRepository()
        try source.commit([
            "index.html": "one",
            ".gitattributes":
                "* filter=trap diff=trap merge=trap text=auto ident export-subst\n*.utf16 working-tree-encoding=UTF-16\n",
            ".gitmodules": """
            [submodule "a"]
            \tpath = a
            \turl = ext::\(trap) %S
            \tupdate = !\(trap)
            [submodule "--upload-pack=\(trap)"]
            \tpath = --upload-pack=\(trap)
            \turl = -u\(trap)
            """,
            ".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:1/\n\tcustomtransfer.trap.path = \(trap)\n",
            ".githooks/post-checkout": "#!/bin/sh\n\(trap)\n", ".husky/post-merge": "#!/bin/sh\n\(trap)\n",
        ])
        try source.git("update-index", "--add", "--cacheinfo", "160000,\(try source.head),a")
        try source.git("commit", "-q", "-m", "A submodule")
        let (bareFolder, bare) = try source.bareClone()
        for git in [source.path + "/.git", bare] {
            for (name, value) in [
                ("filter.trap.smudge", trap), ("filter.trap.clean", trap), ("filter.trap.process", trap),
                ("filter.trap.required", "true"), ("diff.trap.textconv", trap), ("merge.trap.driver", trap),
                ("core.fsmonitor", trap), ("core.hooksPath", folder.path), ("core.sshCommand", trap),
                ("core.askPass", trap), ("core.editor", trap), ("core.pager", trap), ("core.gitProxy", trap),
                ("credential.helper", "!" + trap), ("gpg.program", trap), ("core.alternateRefsCommand", trap),
                ("uploadpack.packObjectsHook", trap), ("protocol.ext.allow", "always"),
                ("submodule.a.update", "!" + trap),
                ("remote.origin.uploadpack", trap), ("include.path", folder("included")),
            ] { try Command.run(["git", "config", "--file", git + "/config", name, value]) }
            for hook in ["post-checkout", "post-merge", "pre-auto-gc", "reference-transaction", "post-index-change"] {
                try? FileManager.default.copyItem(atPath: trap, toPath: git + "/hooks/" + hook)
            }
        }
        var arguments = [source.path, folder("www"), "--symlinks", "skip"]
        var nginx: Nginx?
        switch door {
        case "http":
            let server = try await Nginx(gitRepositoriesIn: bareFolder.path)
            nginx = server
            arguments[0] = "http://127.0.0.1:\(server.port)/site.git"
        case "bare": arguments[0] = bare
        default: break
        }
        defer { withExtendedLifetime(nginx) {} }
        for number in 1...2 {
            let pass = try await Sidekick.once(arguments + (number == 2 ? ["--subdirectory", ".githooks"] : []))
            #expect(pass.status == 0, "\(pass.log)")
        }
        let verified = try Command.run(
            [Sidekick.binary, "verify", "--destination", folder("www")], environment: ["PATH": "/usr/bin:/bin"],
            mayFail: true)
        #expect(verified.status == 0, "\(verified.error)")
        #expect(!folder.has("ran"), "\((try? folder.read("ran")) ?? "")")
        // git itself, told to take this repository's word, runs them: the trap is one.
        _ = try? source.git("checkout", "-q", "-f", "HEAD~1", mayFail: true)
        try FileManager.default.removeItem(atPath: source.path + "/index.html")
        _ = try? source.git("checkout", "-q", "--", "index.html", mayFail: true)
        #expect(folder.has("ran"))
    }
}
