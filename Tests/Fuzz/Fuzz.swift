import Edge
import Git
import Trust

/// What libFuzzer calls with each input. Its first byte says which readers it is for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    switch input.first ?? 0 {
    case 0x80...0xff: fuzzTrust(Array(input.dropFirst()))
    case 0x60..<0x80: fuzzWebhooks(Array(input.dropFirst()))
    case 0x50..<0x60: fuzzLogins(Array(input.dropFirst()))
    case 0x40..<0x50: fuzzObjects(Array(input.dropFirst()))
    default: fuzzProtocol(input)
    }
    return 0
}
