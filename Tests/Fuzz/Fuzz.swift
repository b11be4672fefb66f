/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzzProtocol(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}
