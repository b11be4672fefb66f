"""What was measured, and its medians."""

import statistics

FIRST, ONE, THOUSAND, NONE = "First publish", "One file changed", "1,000 files changed", "No change"
STEPS = [FIRST, ONE, THOUSAND, NONE]


class Results:
    def __init__(self, sites, options):
        self.sites, self.layouts, self.has_git_sync = sites, options.layouts, bool(options.git_sync)
        self.costs = {}
        self.idle, self.disk, self.soak = {}, {}, None

    def add(self, step, site, name, cost):
        self.costs.setdefault((step, site, name), []).append(cost)

    def names(self, step):
        return list(dict.fromkeys(name for each, _, name in sorted(self.costs, key=self._order) if each == step))

    def median(self, step, site, name, what):
        values = [getattr(cost, what) for cost in self.costs.get((step, site, name), [])]
        return statistics.median(values) if values and None not in values else None

    def range(self, step, site, name, what):
        values = [getattr(cost, what) for cost in self.costs[step, site, name]]
        return min(values), max(values)

    def _order(self, key):
        """sidekick first, then the others, then what is only there for reference."""
        name = key[2]
        return (name.startswith("("), not name.startswith("sidekick"), "running" in name,
                next((i for i, layout in enumerate(self.layouts) if f" {layout}" in name), 0), name)
