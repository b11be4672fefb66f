import Platform
import Content
import Publishing
import TestSupport
import Testing
import Upstream

@testable import Pipeline

@Suite struct `Reading settings` {
    private let needed = ["REPOSITORY": "https://host/x.git", "DESTINATION": "/srv/www"]

    @Test(
        arguments: [
            ("60", 60), ("0.5", 0.5), ("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h", 3600), ("1.5h", 5400), ("0", 0),
        ] as [(String, Double)])
    func `durations are read with their units`(text: String, seconds: Double) {
        #expect(SettingValue.duration(text) == .seconds(seconds))
    }

    @Test(arguments: ["", "abc", "-1", "1e3", "0x10", "inf", "nan", "5 m", "5d", "1.2.3", "ms", "."])
    func `what is not a duration is refused`(text: String) {
        #expect(SettingValue.duration(text) == nil)
    }

    @Test(
        arguments: [("1000", 1000), ("4GB", 4_000_000_000), ("512 MB", 512_000_000), ("1KiB", 1024), ("10b", 10)]
            as [(String, Int64)])
    func `sizes are read with their units`(text: String, bytes: Int64) {
        #expect(SettingValue.size(text) == bytes)
    }

    @Test func `flags win over the environment`() throws {
        let parsed = try Settings.parse(
            flags: ["DELAY": "5s"], environment: needed.merging(["DELAY": "7s", "SIDEKICK_DEPTH": "3"]) { $1 })
        #expect(parsed.settings.delay == .seconds(5))
        #expect(parsed.settings.depth == 3)
    }

    @Test func `the defaults are those of the table`() throws {
        let settings = try Settings.parse(flags: [:], environment: needed).settings
        #expect(
            settings.delay == .seconds(60) && settings.upstream.timeout == .seconds(60)
                && settings.deadline == .seconds(3600))
        #expect(settings.depth == 1 && !settings.fastForwardOnly && settings.publishing.layout == nil)
        #expect(settings.publishing.limits.files == 1_000_000 && settings.publishing.limits.size == 10_000_000_000)
        #expect(settings.publishing.limits.blob == 512_000_000 && settings.publishing.grace == .seconds(2))
    }

    @Test func `patterns are one a line or with commas between, and as they stand in flags`() throws {
        func selection(flags: [String: String] = [:], _ environment: [String: String]) throws -> PathSelection {
            try Settings.parse(flags: flags, environment: needed.merging(environment) { $1 }).settings.publishing
                .recipe.selection
        }
        #expect(try selection([:]) == .everything)
        #expect(try selection(["SIDEKICK_INCLUDE": "", "SIDEKICK_EXCLUDE": "\n , \n# a, b\n"]) == .everything)
        #expect(
            try selection(["SIDEKICK_INCLUDE": "*.html, /docs/\r\n  # not, this\n\timg\\,raw/\n\\ x\\\\,y"])
                == PathSelection(include: ["*.html", "/docs/", "img\\,raw/", "\\ x\\\\", "y"]))
        #expect(
            try selection(
                flags: ["SIDEKICK_EXCLUDE": "a,b\n c"], ["SIDEKICK_EXCLUDE": "d", "SIDEKICK_INCLUDE": "!e,f"])
                == PathSelection(include: ["!e", "f"], exclude: ["a,b", " c"]))
    }

    @Test func `patterns that can match nothing are named with their setting`() {
        #expect {
            try Settings.parse(
                flags: ["SIDEKICK_INCLUDE": "./a"],
                environment: needed.merging(["SIDEKICK_EXCLUDE": "b,[c,d\\\n/"]) { $1 })
        } throws: { error in
            (error as? SettingsError)?.problems == [
                "SIDEKICK_INCLUDE has \"./a\", which has a step that is empty, . or ..: give \(SettingValue.patterns)",
                "SIDEKICK_EXCLUDE has \"[c\", which has a [ that is not closed: give \(SettingValue.patterns)",
                "SIDEKICK_EXCLUDE has \"d\\\", which ends in a backslash: give \(SettingValue.patterns)",
                "SIDEKICK_EXCLUDE has \"/\", which names nothing: give \(SettingValue.patterns)",
            ]
        }
    }

    @Test func `every problem is told at once`() {
        #expect {
            try Settings.parse(flags: [:], environment: ["DELAY": "abc", "SIDEKICK_REFF": "x"])
        } throws: { error in
            (error as? SettingsError)?.problems == [
                "SIDEKICK_REFF is not a setting: did you mean SIDEKICK_REF?",
                "REPOSITORY is required: \(Setting.repository.help.prefix(1).lowercased() + Setting.repository.help.dropFirst())",
                "DESTINATION is required: \(Setting.destination.help.prefix(1).lowercased() + Setting.destination.help.dropFirst())",
                "DELAY is \"abc\": give \(SettingValue.durations), at least 100ms",
            ]
        }
    }

    /// Where each secret ends up.
    private static let secrets: [(setting: Setting, place: @Sendable (Settings) -> CredentialSource.Place?)] = [
        (.password, { $0.upstream.credentials.password }), (.token, { $0.upstream.credentials.password }),
        (.githubKey, { $0.upstream.app?.key }), (.sshKey, { $0.upstream.ssh.key }),
        (.sshKnownHosts, { $0.upstream.ssh.knownHosts }), (.webhookSecret, { $0.edge?.secret }),
        (.notifyURL, { $0.hooks.receiver?.url }), (.notifySecret, { $0.hooks.receiver?.secret }),
        (.heartbeatURL, { $0.heartbeat }),
    ]

    @Test func `each secret arrives by its value and by its file, whose path may end in an end of line`() throws {
        #expect(Set(Self.secrets.map(\.setting)) == Set(Setting.all.filter { $0.kind == .secret }))
        for (setting, place) in Self.secrets {
            var environment = needed.merging(["SIDEKICK_LISTEN": ":0"]) { $1 }
            if setting == .githubKey {
                environment["SIDEKICK_GITHUB_APP_ID"] = "1"
                environment["SIDEKICK_GITHUB_INSTALLATION_ID"] = "2"
            }
            if setting == .notifySecret { environment["SIDEKICK_NOTIFY_URL"] = "https://host/x" }
            func read(_ name: String, _ value: String) throws -> CredentialSource.Place? {
                place(try Settings.parse(flags: [:], environment: environment.merging([name: value]) { $1 }).settings)
            }
            let value = [.notifyURL, .heartbeatURL].contains(setting) ? "https://host/s3cr3t" : "s3cr3t"
            #expect(try read(setting.name, value) == .value(Secret(value)), "\(setting.name)")
            let file = setting.name + "_FILE"
            #expect(setting.fileName == file)
            for end in ["", "\n", "\r\n"] { #expect(try read(file, "/run/x" + end) == .file("/run/x"), "\(file)") }
            for odd in ["'/run/x'", "\"/run/x\"", " /run/x", "/run/x "] {
                #expect(throws: SettingsError.self, "\(file): \(odd)") { try read(file, odd) }
            }
        }
    }

    @Test func `a GitHub App arrives`() throws {
        let settings = try Settings.parse(
            flags: [:],
            environment: needed.merging([
                "SIDEKICK_GITHUB_APP_ID": "Iv1.abc", "SIDEKICK_GITHUB_INSTALLATION_ID": "42",
                "SIDEKICK_GITHUB_PRIVATE_KEY_FILE": "/key", "SIDEKICK_GITHUB_API_URL": "https://ghe.host/api/v3/",
            ]) { $1 }
        ).settings
        #expect(
            settings.upstream.app
                == GitHubAppOptions(
                    app: "Iv1.abc", installation: "42", key: .file("/key"), api: "https://ghe.host/api/v3"))
    }

    @Test(arguments: ["'/srv/www'", "\"/srv/www\"", " /srv/www", "/srv/www "])
    func `commands that only look are told what is wrong with DESTINATION, too`(odd: String) throws {
        #expect(throws: SettingsError.self) {
            try Settings.location(flags: [:], environment: ["DESTINATION": odd])
        }
        #expect(throws: SettingsError.self) {
            try Settings.location(flags: [:], environment: ["DESTINATION": "/srv/www", "SIDEKICK_STATE": odd])
        }
        // What else is wrong is nothing to them.
        let found = try Settings.location(
            flags: [:], environment: ["DESTINATION": "/srv/www\n", "SIDEKICK_REF": odd, "SIDEKICK_REFF": "x"])
        #expect(found.destination == "/srv/www")
    }

    @Test func `an empty value counts as none`() throws {
        let settings = try Settings.parse(
            flags: [:], environment: needed.merging(["SIDEKICK_REF": "", "DELAY": ""]) { $1 })
        #expect(settings.settings.delay == .seconds(60))
    }

    @Test(arguments: [
        "SIDEKICK_SERVICE_HOST", "SIDEKICK_SERVICE_PORT", "SIDEKICK_SERVICE_PORT_HTTP", "SIDEKICK_PORT",
        "SIDEKICK_PORT_80_TCP", "SIDEKICK_PORT_80_TCP_ADDR", "SIDEKICK_PORT_53_UDP_PROTO", "SIDEKICK_WEB_SERVICE_HOST",
    ])
    func `what Kubernetes injects is ignored`(name: String) throws {
        let parsed = try Settings.parse(flags: [:], environment: needed.merging([name: "x"]) { $1 })
        #expect(parsed.warnings.isEmpty)
    }

    private func problems(with name: String) -> [String] {
        do throws(SettingsError) {
            _ = try Settings.parse(flags: [:], environment: needed.merging([name: "x"]) { $1 })
            return []
        } catch {
            return error.problems
        }
    }

    @Test(arguments: [
        "SIDEKICK_DELAY": "DELAY", "SIDEKICK_DELAYS": "DELAY", "SIDEKICK_REPOSITORY": "REPOSITORY",
        "SIDEKICK_REPO": "REPOSITORY", "SIDEKICK_DEST": "DESTINATION", "SIDEKICK_DESTINATOIN": "DESTINATION",
        "SIDEKICK_REFS": "SIDEKICK_REF", "SIDEKCIK_REF": "SIDEKICK_REF", "SIDEKICK_SUBDIR": "SIDEKICK_SUBDIRECTORY",
        "SIDEKICK_PASSWORD_FIEL": "SIDEKICK_PASSWORD_FILE",
    ])
    func `a near miss is an error that names what was meant`(name: String, meant: String) {
        #expect(problems(with: name) == ["\(name) is not a setting: did you mean \(meant)?"])
    }

    /// A letter that is missing, twice, another one, or in its neighbour's place.
    @Test func `so is every name with a slip of the finger`() {
        var numbers = SeededNumbers(seed: SeededNumbers.seed)
        let known = Set(Setting.all.flatMap { [$0.name, $0.fileName].compactMap { $0 } })
        for name in known.sorted() where name.hasPrefix("SIDEKICK_") {
            for _ in 0..<30 {
                var letters = Array(name)
                let place = Int.random(in: 0..<letters.count - 1, using: &numbers)
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0: letters.remove(at: place)
                case 1: letters.insert(letters[place], at: place)
                case 2: letters[place] = numbers.pick(Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"))
                default: letters.swapAt(place, place + 1)
                }
                let slip = String(letters)
                guard !known.contains(slip), !["_PORT", "_HOST"].contains(where: slip.contains) else { continue }
                #expect(problems(with: slip).contains { $0.hasPrefix("\(slip) is not a setting") }, "\(slip)")
            }
        }
    }

    @Test(arguments: ["PATH", "HOME", "SIDE", "LANG", "SIDEKIQ_REDIS_URL", "SIDECAR_REF", "KUBERNETES_SERVICE_HOST"])
    func `what is nobody's of ours is none`(name: String) throws {
        #expect(problems(with: name) == [])
        #expect(try Settings.parse(flags: [:], environment: needed.merging([name: "x"]) { $1 }).warnings == [])
    }

    @Test func `flags are the variables' names`() {
        for setting in Setting.all {
            guard let flag = setting.flag else { continue }
            let name = flag.uppercased().split(separator: "-").joined(separator: "_")
            #expect(setting.name == name || setting.name == "SIDEKICK_" + name)
        }
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
    }
}
