extension Sequence {
    /// The elements of which something is true, and the others, both in their order.
    public func partitioned(_ isFirst: (Element) -> Bool) -> ([Element], [Element]) {
        var (first, second): ([Element], [Element]) = ([], [])
        for element in self { if isFirst(element) { first.append(element) } else { second.append(element) } }
        return (first, second)
    }
}
