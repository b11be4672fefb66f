import CGitMemory
import CLibgit2

/// The one way to call libgit2: every return code is checked here, and the thread's message is copied before anything
/// else can replace it.
///
/// - Returns: the code, zero or a count.
@discardableResult
func check(_ call: StaticString, _ body: () -> Int32) throws(GitError) -> Int32 {
    _ = sidekick_memory_take_refusal()
    let code = body()
    guard code < 0 else { return code }
    let refused = sidekick_memory_take_refusal()
    if refused > 0 {
        let limits = ObjectLimits.current
        throw GitError(
            call: "\(call)",
            exceeding: ExceededLimit(
                kind: .memory, what: "an object", found: refused,
                allowed: refused > limits.one ? limits.one : limits.all))
    }
    let error = git_error_last()?.pointee
    let kind = error?.klass ?? 0
    let message = error?.message.map { String(cString: $0) } ?? "no message"
    throw GitError(
        call: "\(call)", code: code, message: message, isLocalDisk: kind == Int32(GIT_ERROR_OS.rawValue),
        isMalformed: code != GIT_ENOTFOUND.rawValue && malformedClasses.contains(kind)
            // A file with no bytes in it, say, has the class of an object that is wrong: nobody pushed it like that.
            && !message.hasPrefix("failed to parse loose object"),
        isAboutObjects: objectClasses.contains(kind))
}

/// The classes of error that libgit2 gives to objects that it can read and not parse.
private let malformedClasses = [GIT_ERROR_TREE, GIT_ERROR_OBJECT, GIT_ERROR_TAG].map { Int32($0.rawValue) }

/// The classes of what libgit2 keeps, as against what it is told.
private let objectClasses = [
    GIT_ERROR_ODB, GIT_ERROR_REFERENCE, GIT_ERROR_REPOSITORY, GIT_ERROR_OBJECT, GIT_ERROR_TREE, GIT_ERROR_ZLIB,
    GIT_ERROR_INDEXER, GIT_ERROR_CONFIG,
].map { Int32($0.rawValue) }

/// The same for the calls that hand out a handle.
func handle(_ call: StaticString, _ body: (inout OpaquePointer?) -> Int32) throws(GitError) -> OpaquePointer {
    var pointer: OpaquePointer?
    try check(call) { body(&pointer) }
    guard let pointer else { throw GitError(call: "\(call)", code: -1, message: "no handle was returned") }
    return pointer
}
