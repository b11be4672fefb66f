import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

/// A folder on another file system than the one that temporary files are on; `nil` where there is none that a test may write to.
private let elsewhere: String? = {
    func device(_ path: String) -> dev_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_dev : nil
    }
    let here = device(ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp")
    return ["/dev/shm", "/tmp", "/var/tmp"].first { path in
        device(path).map { $0 != here } ?? false && access(path, W_OK) == 0
    }
}()

@Suite(.enabled(if: elsewhere != nil)) struct `State on another file system` {
    /// Publishes with `SIDEKICK_STATE` there; the folder is gone when the body returns.
    private func withState(_ layout: LayoutKind, _ body: (Site, Publisher, _ state: String) throws -> Void) throws {
        let site = try Site(layout)
        var template = Array("\(elsewhere ?? "/nonexistent")/sidekick-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestFailure("mkdtemp") }
        let state = String(cString: made)
        defer { try? FileManager.default.removeItem(atPath: state) }
        let (publisher, _) = try Publisher.open(Destination(site.www, state: state), options: site.options)
        try body(site, publisher, state)
    }

    private func publish(_ commit: String, _ site: Site, _ publisher: Publisher) throws -> [Notice] {
        let repository = try Repository(opening: site.source.path)
        return try publisher.publish(
            publisher.materialize(repository.commit(id(commit)), from: publisher.destination.contents(of: repository)))
    }

    private func lost(_ state: String) throws -> [String: String] {
        let place = state + "/lost+found"
        let visit = try #require(try FileManager.default.contentsOfDirectory(atPath: place).first)
        var found: [String: String] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: "\(place)/\(visit)") ?? .init() {
            let path = "\(place)/\(visit)/\(name)"
            switch try FileStatus.of(path)?.kind {
            case .file: found[name] = try String(contentsOfFile: path, encoding: .utf8)
            case .link: found[name] = "-> " + (try FileManager.default.destinationOfSymbolicLink(atPath: path))
            default: break
            }
        }
        return found
    }

    @Test func `what stands in the way is copied there, files, links and folders`() throws {
        try withState(.folder) { site, publisher, state in
            try site.folder.write("file", to: "www/a")
            try site.folder.write("deep", to: "www/b/c/d")
            #expect(symlink("d", site.www + "/b/c/l") == 0)
            #expect(symlink("/etc", site.www + "/e") == 0)
            try site.folder.write("secret", to: "www/.git/config")
            let commit = try site.commit(["a": "1", "b": "1", "e/f": "1"])
            #expect(!(try publish(commit, site, publisher).isEmpty))
            #expect(try site.differences(commit) == [])
            #expect(
                try lost(state) == [
                    "a": "file", "b/c/d": "deep", "b/c/l": "-> d", "e": "-> /etc", ".git/config": "secret",
                ])
        }
    }

    @Test func `the lock, the trees and the staging stay beside DESTINATION`() throws {
        for layout in LayoutKind.allCases {
            try withState(layout) { site, publisher, state in
                let commit = try site.commit(["a": "1"])
                _ = try publish(commit, site, publisher)
                #expect(try site.differences(commit) == [])
                #expect(site.folder.has(".sidekick/www/lock"))
                #expect(try FileManager.default.contentsOfDirectory(atPath: state) == ["sidekick.lock"])
            }
        }
    }

    @Test(arguments: ["pipe", "folder/pipe"])
    func `a pipe in the way, which cannot be copied, does not stop the site for ever`(name: String) throws {
        try withState(.folder) { site, publisher, _ in
            try site.folder.write("mine", to: "www/folder/mine")
            #expect(mkfifo(site.www + "/" + name, 0o600) == 0)
            let commit = try site.commit([name.contains("/") ? "folder" : "pipe": "1"])
            _ = try publish(commit, site, publisher)
            #expect(try site.differences(commit).filter { !$0.hasPrefix("surplus") } == [])
        }
    }
}
