extension Int64 {
    /// Adds; what strangers claim may be more than there are numbers for.
    public mutating func addClamped(_ other: Int64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? (other < 0 ? .min : .max) : sum
    }
}
