import ArgumentParser
import Pipeline

/// Where things are: what the daemon and the commands that only look have in common.
struct PlaceOptions: ParsableArguments {
    @Option(.destination) var destination: String?
    @Option(.state) var state: String?

    var values: [String: String] { [.destination: destination, .state: state].given }
}

/// Everything else that the daemon takes. The names, the texts and the values are declared once, in `Setting`.
struct FollowOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The same as --repository.", valueName: "repository")) var repositoryArgument: String?
    @Argument(help: ArgumentHelp("The same as --destination.", valueName: "destination")) var destinationArgument:
        String?
    @Flag(help: "One pass, then exit with its result.") var once = false
    @Option(.repository) var repository: String?
    @Option(.delay) var delay: String?
    @Option(.ref) var ref: String?
    @Option(.subdirectory) var subdirectory: String?
    @Option(.include) var include: [String] = []
    @Option(.exclude) var exclude: [String] = []
    @Option(.layout) var layout: String?
    @Option(.timeout) var timeout: String?
    @Option(.deadline) var deadline: String?
    @Option(.backoff) var backoff: String?
    @Option(.depth) var depth: String?
    @Flag(.fastForwardOnly) var fastForwardOnly = false
    @Option(.mtime) var mtime: String?
    @Option(.symlinks) var symlinks: String?
    @Option(.submodules) var submodules: String?
    @Option(.compress) var compress: String?
    @Option(.lfs) var lfs: String?
    @Option(.lfsURL) var lfsURL: String?
    @Option(.maxFiles) var maxFiles: String?
    @Option(.maxSize) var maxSize: String?
    @Option(.maxBlob) var maxBlob: String?
    @Option(.maxPack) var maxPack: String?
    @Option(.grace) var grace: String?
    @Option(.keepPrevious) var keepPrevious: String?
    @Option(.keepLost) var keepLost: String?
    @Option(.username) var username: String?
    @Option(.credentialsFile) var credentialsFile: String?
    @Option(.githubApp) var githubApp: String?
    @Option(.githubInstallation) var githubInstallation: String?
    @Option(.githubAPI) var githubAPI: String?
    @Option(.sshKeysFile) var sshKeysFile: String?
    @Option(.caFile) var caFile: String?
    @Option(.tlsCertFile) var tlsCertFile: String?
    @Option(.tlsKeyFile) var tlsKeyFile: String?
    @Option(.trustedKeysFile) var trustedKeysFile: String?
    @Option(.verify) var verify: String?
    @Option(.listen) var listen: String?
    @Option(.peers) var peers: String?
    @Option(.beforePublish) var beforePublish: String?
    @Option(.onPublish) var onPublish: String?
    @Option(.touchFile) var touchFile: String?
    @Option(.hookTimeout) var hookTimeout: String?
    @Option(.hookEnvironment) var hookEnvironment: String?
    @Option(.logFormat) var logFormat: String?
    @Option(.logLevel) var logLevel: String?

    var values: [String: String] {
        var values =
            [
                .repository: repository ?? repositoryArgument, .delay: delay, .ref: ref, .subdirectory: subdirectory,
                .include: include.lines, .exclude: exclude.lines, .layout: layout, .timeout: timeout,
                .deadline: deadline, .backoff: backoff, .depth: depth,
                .fastForwardOnly: fastForwardOnly ? "on" : nil, .mtime: mtime, .symlinks: symlinks,
                .submodules: submodules, .compress: compress, .lfs: lfs, .lfsURL: lfsURL,
                .maxFiles: maxFiles,
                .maxSize: maxSize, .maxBlob: maxBlob, .maxPack: maxPack, .grace: grace, .keepPrevious: keepPrevious,
                .keepLost: keepLost, .sshKeysFile: sshKeysFile, .hookEnvironment: hookEnvironment,
                .username: username, .credentialsFile: credentialsFile, .githubApp: githubApp,
                .githubInstallation: githubInstallation, .githubAPI: githubAPI, .caFile: caFile,
                .tlsCertFile: tlsCertFile,
                .tlsKeyFile: tlsKeyFile, .trustedKeysFile: trustedKeysFile, .verify: verify, .listen: listen,
                .peers: peers, .beforePublish: beforePublish,
                .onPublish: onPublish,
                .touchFile: touchFile, .hookTimeout: hookTimeout, .logFormat: logFormat, .logLevel: logLevel,
            ].given
        if let destinationArgument { values[Setting.destination.name] = destinationArgument }
        return values
    }
}

extension [Setting: String?] {
    /// What was given, by the name of the variable that it stands in for.
    fileprivate var given: [String: String] {
        reduce(into: [:]) { values, pair in
            if let text = pair.value { values[pair.key.name] = text }
        }
    }
}

extension [String] {
    /// The values of a repeatable flag; `nil` for none.
    fileprivate var lines: String? { isEmpty ? nil : joined(separator: "\n") }
}

extension Option where Value == [String] {
    init(wrappedValue: [String], _ setting: Setting) {
        self.init(
            wrappedValue: wrappedValue, name: .customLong(setting.flag ?? ""), parsing: .singleValue,
            help: ArgumentHelp(setting))
    }
}

extension Option where Value == String? {
    init(_ setting: Setting) {
        self.init(name: .customLong(setting.flag ?? ""), help: ArgumentHelp(setting))
    }
}

extension Flag where Value == Bool {
    init(wrappedValue: Bool, _ setting: Setting) {
        self.init(wrappedValue: wrappedValue, name: .customLong(setting.flag ?? ""), help: ArgumentHelp(setting))
    }
}

extension ArgumentHelp {
    init(_ setting: Setting) {
        let defaultText = setting.defaultValue ?? setting.defaultText
        self.init(
            "\(setting.help) [\(setting.name)\(defaultText.isEmpty ? "" : ", default: \(defaultText)")]",
            valueName: setting.placeholder)
    }
}
