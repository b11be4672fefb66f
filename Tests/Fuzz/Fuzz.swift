import Trust
/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    if let first = input.first, first >= 0x80 { fuzzTrust(Array(input.dropFirst())) } else { fuzzProtocol(input) }
    return 0
}
