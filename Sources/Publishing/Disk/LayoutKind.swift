/// How DESTINATION shows a tree.
public enum LayoutKind: String, Sendable, CaseIterable {
    /// DESTINATION is a symbolic link that is renamed over in one step.
    case link
    /// DESTINATION is a real folder that is exchanged with another one in one step.
    case exchange
    /// DESTINATION is a real folder whose files are renamed over one by one.
    case folder
}
