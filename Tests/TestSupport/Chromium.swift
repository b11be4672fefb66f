import Foundation

/// A browser without a window.
public struct Chromium: Sendable {
    /// What it made of a page.
    public struct Page: Sendable {
        /// The document as it stands at the end, scripts of it run.
        public let document: String
        /// What it wrote to the console: errors of scripts, what a policy forbids, what cannot be loaded.
        public let console: [String]
    }

    private let folder: TemporaryFolder

    /// With a profile of its own.
    public init() throws { folder = try TemporaryFolder() }

    /// Loads a page.
    ///
    /// - Parameter arguments: more of them.
    public func load(_ address: String, _ arguments: [String] = []) throws -> Page {
        let result = try Command.run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-extensions", "--disable-background-networking", "--user-data-dir=\(folder("profile"))",
                "--enable-logging=stderr", "--timeout=20000",
            ] + arguments + ["--dump-dom", address],
            environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path, "XDG_RUNTIME_DIR": folder.path], mayFail: true)
        guard result.status == 0, result.text.contains("<html") else {
            throw TestFailure("chromium: \(result.status) \(result.error.suffix(2_000))")
        }
        let console = result.error.split(separator: "\n").filter { $0.contains("CONSOLE") }.map(String.init)
        return Page(document: result.text, console: console)
    }

    /// How much wider than its window a document is, in pixels of CSS: 0 where nobody has to scroll to the side.
    public func overflow(of document: String, width: Int) throws -> Int {
        let escaped = document.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
            of: "\"", with: "&quot;")
        try folder.write(
            """
            <!doctype html><html><body><iframe width="\(width)" height="800" style="border:0" srcdoc="\(escaped)"></iframe><script>
            onload = () => {
                const root = document.querySelector("iframe").contentDocument.documentElement;
                document.title = "overflow " + (root.scrollWidth - \(width)) + ".";
            };
            </script></body></html>
            """, to: "frame.html")
        let page = try load("file://" + folder("frame.html"))
        guard let match = page.document.firstMatch(of: /overflow (-?\d+)\./), let pixels = Int(match.1) else {
            throw TestFailure("no width: \(page.document.prefix(400))")
        }
        return pixels
    }
}
