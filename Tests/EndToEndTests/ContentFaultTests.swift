import Foundation
import TestSupport
import Testing

@Suite struct `Whatever the network does to submodules and files of Git LFS` {
    private static let password = "s3cr3t/p%w&d"
    private static let user = "reader"

    /// A site with a picture, and a theme with another one; server, objects and submodule at one origin, which a proxy stands before.
    private final class World {
        let (site, theme): (GitRepository, GitRepository)
        let (bare, folder): (TemporaryFolder, TemporaryFolder)
        let lfs: Giftless
        let server: Nginx
        let proxy: FaultProxy
        private(set) var number = 0

        init() async throws {
            (site, theme) = (try GitRepository(), try GitRepository())
            (bare, folder) = (try TemporaryFolder(), try TemporaryFolder())
            lfs = try await Giftless()
            server = try await Nginx(gitRepositoriesIn: bare.path, login: (user, password), lfs: lfs)
            proxy = try FaultProxy(to: server.port)
            for repository in [site, theme] { try repository.trackPictures() }
            try push()
        }

        /// Another page and another picture in both.
        func push() throws {
            number += 1
            let files: [String: String?] = ["page": "\(number)", "p.png": Self.picture(number)]
            try theme.commit(modules: [], files)
            try theme.pushObjects(to: lfs.url("theme"))
            try theme.pushBare(to: bare, as: "theme.git")
            try site.commit(modules: [("theme", "../theme.git", theme.head)], files)
            try site.pushObjects(to: lfs.url("site"))
            try site.pushBare(to: bare, as: "site.git")
        }

        static func picture(_ number: Int) -> String { String(repeating: "picture \(number) ", count: 4_000) }

        func once() async throws -> (status: Int32, log: String) {
            try await Sidekick.once(
                ["http://127.0.0.1:\(proxy.port)/site.git", folder("www"), "--timeout", "1s", "--log-level", "debug"],
                environment: ["SIDEKICK_USERNAME": user, "SIDEKICK_PASSWORD": password])
        }

        /// Of which push each file is; -1 for a picture that is of none.
        var shown: [Int] {
            get throws {
                try ["", "theme/"].flatMap { place in
                    let page = Int(try folder.read("www/\(place)page")) ?? -1
                    let picture = try folder.read("www/\(place)p.png")
                    return [page, (0...number).first { Self.picture($0) == picture } ?? -1]
                }
            }
        }
    }

    @Test func `the old tree stays whole, why is told, and the next pass has all of it`() async throws {
        let world = try await World()
        let first = try await world.once()
        #expect(first.status == 0, "\(first.log)")
        let before = world.proxy.connectionCount
        try world.push()
        #expect(try await world.once().status == 0)
        let connections = world.proxy.connectionCount - before
        // Of the repositories, and of the objects of each.
        #expect(connections >= 3)
        var random = SeededNumbers(seed: SeededNumbers.seed)
        let hunt = SecretHunt([Self.password], users: [Self.user])
        var failures = 0
        for connection in 0..<connections {
            for kind in 0..<6 {
                let place = [1, 200, 700, 1_500, 6_000, 40_000].randomElement(using: &random)!
                let fault: FaultProxy.Fault = [
                    .stall(after: place), .cut(after: place), .flip(at: place),
                ][kind % 3]
                let name = "seed \(SeededNumbers.seed), connection \(connection), \(fault)"
                let old = world.number
                try world.push()
                world.proxy.inject(fault, intoConnection: connection)
                let start = Date()
                let found = try await world.once()
                #expect(Date().timeIntervalSince(start) < 30, "\(name): \(found.log)")
                #expect(!hunt.isFound(in: found.log), "\(name)")
                let expected = found.status == 0 ? world.number : old
                #expect(try world.shown == Array(repeating: expected, count: 4), "\(name): \(found.log)")
                if found.status != 0 {
                    failures += 1
                    #expect(found.log.contains("remedy="), "\(name): \(found.log)")
                    #expect(!found.log.contains("report this as a bug"), "\(name): \(found.log)")
                }
                world.proxy.fault = .none
                var last = try await world.once()
                // A store that was found damaged is filled by the pass after the one that found it so.
                if last.status != 0 { last = try await world.once() }
                #expect(last.status == 0, "\(name): \(found.log)\n\(last.log)")
                #expect(try world.shown == Array(repeating: world.number, count: 4), "\(name)")
            }
        }
        #expect(failures >= connections)
        #expect(hunt.files(in: world.folder.path) == [])
        let verify = try Command.run([Sidekick.binary, "verify", world.folder("www")], mayFail: true)
        #expect(verify.status == 0, "\(verify.text)\(verify.error)")
    }
}
