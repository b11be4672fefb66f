"""Numbers as people read them."""


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def seconds(value):
    if value is None:
        return "–"
    return f"{value:.2f} s" if value >= 0.9995 else f"{value * 1000:.{0 if value >= 0.02 else 1}f} ms"


def megabytes(value):
    return "–" if value is None else f"{value / 1e6:.1f}"


def bytes_text(value):
    return f"{value / 1e6:.1f} MB" if value >= 1e6 else f"{value / 1e3:.1f} kB" if value >= 1e3 else f"{value:.0f} B"


def times(value, base):
    return f"{value / base:.2f}" if value is not None and base else "–"
