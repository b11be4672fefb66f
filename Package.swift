// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// The image's build leaves the tests out.
let hasTests = Context.environment["SIDEKICK_PRODUCT_ONLY"] == nil
let tests: [Target] = [
    .target(name: "Faults", path: "Tests/Faults"),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "PlatformTests", dependencies: ["Platform", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "GitTests", dependencies: ["Git", "Platform", "TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "UpstreamTests", dependencies: ["Git", "Platform", "Upstream", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "TrustTests", dependencies: ["Git", "Trust", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "ContentTests", dependencies: ["Git", "Content", "TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "PublishingTests",
        dependencies: ["CZlib", "Faults", "Git", "Content", "Platform", "Publishing", "TestSupport"],
        swiftSettings: strict),
    .testTarget(
        name: "PipelineTests",
        dependencies: [
            "Faults", "Git", "Content", "Platform", "Pipeline", "Publishing", "TestSupport", "Upstream",
            .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: strict),
    .testTarget(
        name: "EdgeTests",
        dependencies: [
            "Edge", "Pipeline", "Platform", "TestSupport",
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
        ], swiftSettings: strict),
    .testTarget(
        name: "EndToEndTests",
        dependencies: ["Platform", "TestSupport", "sidekick"],
        swiftSettings: strict),
]

let package = Package(
    name: "sidekick",
    products: [.executable(name: "sidekick", targets: ["sidekick"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // In import order: a target may import only what stands above it, and of that only what it names.
        .systemLibrary(name: "CLibgit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CDeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .target(name: "CGitMemory", dependencies: ["CLibgit2"]),
        .target(name: "Platform", dependencies: ["CLinux", "COpenSSL"], swiftSettings: strict),
        .target(
            name: "Git",
            dependencies: ["CLibgit2", "CGitMemory", "CLinux", "CZlib", "CDeflate", "Platform"], swiftSettings: strict),
        .target(
            name: "Upstream",
            dependencies: [
                "CLinux", "COpenSSL", "Platform", "Git",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: strict),
        .target(name: "Trust", dependencies: ["COpenSSL", "Platform"], swiftSettings: strict),
        .target(name: "Content", dependencies: ["CDeflate", "Platform", "Git"], swiftSettings: strict),
        .target(name: "Publishing", dependencies: ["CLinux", "Platform", "Git", "Content"], swiftSettings: strict),
        .target(
            name: "Pipeline",
            dependencies: [
                "CLinux", "Platform", "Git", "Content", "Trust", "Upstream", "Publishing",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .target(
            name: "Edge",
            dependencies: [
                "Platform", "Pipeline", "Upstream",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "sidekick",
            dependencies: [
                "Platform", "Edge", "Pipeline",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
    ] + (hasTests ? tests : []),
    swiftLanguageModes: [.v6]
)
