import Foundation

/// What the tests and the program were built with, `swift build --sanitize=…`.
public enum Sanitizer {
    /// How many times the memory and the time that the program takes by itself a bound has to leave room for: a sanitizer keeps
    /// what is freed, and looks at every access.
    public static let toll = isThere ? 20 : 1

    /// Both are built together, unless the tests try another program.
    private static let isThere = ["__asan_init", "__tsan_init"].contains { (name: String) in dlsym(nil, name) != nil }
}
