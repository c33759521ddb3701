# SPDX-License-Identifier: Apache-2.0
# The table in the terminal, the Markdown table and results.json, all made from one Results object.
import json
import statistics


def quartiles(samples):
    if len(samples) < 2:
        return samples[0], samples[0]
    q = statistics.quantiles(samples, n=4, method="inclusive")
    return q[0], q[2]


def human(value, unit):
    if unit == "bytes":
        return "%.2f MiB" % (value / (1 << 20))
    for limit, scale, name in ((1e3, 1, "ns"), (1e6, 1e3, "us"), (1e9, 1e6, "ms"), (float("inf"), 1e9, "s")):
        if value < limit:
            return "%.3g %s" % (value / scale, name) if value / scale < 999.5 else "%.0f %s" % (value / scale, name)


class Results:
    """samples[system id][row id] = [values]; failures[system id][row id] = [reasons]."""

    def __init__(self, systems, rows, machine):
        self.systems, self.rows, self.machine = systems, rows, machine
        self.samples = {s.id: {} for s in systems}
        self.failures = {s.id: {} for s in systems}
        self.remarks = []

    def add(self, system, values):
        for row, value in values.items():
            self.samples[system.id].setdefault(row, []).append(value)

    def fail(self, system, rows, reason):
        for row in rows:
            self.failures[system.id].setdefault(row.id, []).append(reason)

    def median(self, system_id, row):
        samples = self.samples[system_id].get(row.id)
        return statistics.median(samples) if samples else None

    def spread(self, system_id, row):
        """Half the distance between the quartiles, as a part of the median."""
        low, high = quartiles(self.samples[system_id][row.id])
        middle = self.median(system_id, row)
        return (high - low) / 2 / middle if middle else 0.0

    def ratio(self, system_id, row):
        mine, base = self.median(system_id, row), self.median("native", row)
        return mine / base if mine is not None and base else None

    def target_ratio(self, row):
        base = self.median("native", row)
        if row.most is not None and base:
            return row.most / base
        return row.ratio

    def met(self, system_id, row):
        """True, False, or None where there is no target. A run that failed has not met it."""
        if row.ratio is None and row.most is None:
            return None
        mine = self.median(system_id, row)
        if mine is None or self.failures[system_id].get(row.id):
            return False
        if row.most is not None:
            return mine <= row.most
        ratio = self.ratio(system_id, row)
        return None if ratio is None else ratio <= row.ratio

    def value_cell(self, system, row):
        middle = self.median(system.id, row)
        failed = len(self.failures[system.id].get(row.id, ()))
        if middle is None:
            return "fail" if failed or system.broken else "-"
        flag = " !%d" % failed if failed else ""
        spread = " ±%.0f%%" % (100 * self.spread(system.id, row)) if len(self.samples[system.id][row.id]) > 1 else ""
        return human(middle, row.unit) + spread + flag

    def ratio_cell(self, system, row):
        ratio = self.ratio(system.id, row)
        return self.value_cell(system, row) if ratio is None else "%.2f" % ratio

    def target_cell(self, row):
        if row.most is not None:
            return "<= " + human(row.most, row.unit)
        return "-" if row.ratio is None else "<= %.1f" % row.ratio

    def table(self, peer_values):
        """Header and cells. Native: value; husk: value, ratio, verdict; peers: ratio, and the value on request."""
        head, body = ["what", "native"], []
        for s in self.systems[1:]:
            head += [s.label, "ratio", "target", "met"] if s.id.startswith("husk") else [s.label]
        for row in self.rows:
            cells = [row.title, self.value_cell(self.systems[0], row)]
            for s in self.systems[1:]:
                if s.id.startswith("husk"):
                    verdict = {True: "yes", False: "MISSED", None: ""}[self.met(s.id, row)]
                    ratio = self.ratio(s.id, row)
                    cells += [
                        self.value_cell(s, row),
                        "" if ratio is None else "%.2f" % ratio,
                        self.target_cell(row),
                        verdict,
                    ]
                else:
                    cell = self.ratio_cell(s, row)
                    if peer_values and self.median(s.id, row) is not None:
                        cell += " (%s)" % human(self.median(s.id, row), row.unit)
                    cells.append(cell)
            body.append(cells)
        return head, body

    def text(self):
        head, body = self.table(False)
        width = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]

        def show(line):
            cells = [line[0].ljust(width[0])] + [c.rjust(w) for c, w in zip(line[1:], width[1:])]
            return "  ".join(cells).rstrip()

        return "\n".join([self.summary(), "", show(head), "  ".join("-" * w for w in width), *map(show, body)])

    def summary(self):
        m = self.machine
        return "%s, %d CPUs, Linux %s, load %.1f, commit %s, median of %d runs (± half the interquartile range)" % (
            m["cpu"],
            m["cpus"],
            m["kernel"],
            m["load"],
            m["commit"],
            m["runs"],
        )

    def notes(self):
        """One line per thing that a reader of the table must know."""
        lines = ["%s: not measured: %s" % (s.label, s.absent) for s in self.systems if s.absent]
        lines += ["%s: fails: %s" % (s.label, s.broken) for s in self.systems if s.broken]
        titles = {row.id: row.title for row in self.rows}
        for s in self.systems:
            for row, reasons in self.failures[s.id].items():
                lines.append("%s: %s: failed %d times: %s" % (s.label, titles[row], len(reasons), reasons[-1]))
        for s in self.systems:
            if s.id.startswith("husk"):
                verdicts = [self.met(s.id, row) for row in self.rows]
                lines.append("%s: %d of %d targets met" % (s.label, verdicts.count(True), len(verdicts) - verdicts.count(None)))
        return lines + self.remarks

    def markdown(self):
        head, body = self.table(True)
        lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
        lines += ["| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |" for cells in body]
        return "\n".join([self.summary() + ". Columns without a unit are ratios to native.", "", *lines, "", *("- " + n for n in self.notes()), ""])

    def json(self):
        rows = []
        for row in self.rows:
            entry = {"id": row.id, "title": row.title, "unit": row.unit, "target_ratio": row.ratio, "target_most": row.most, "systems": {}}
            for s in self.systems:
                samples = self.samples[s.id].get(row.id)
                cell = {"failures": self.failures[s.id].get(row.id, [])}
                if samples:
                    low, high = quartiles(samples)
                    cell |= {"samples": samples, "median": self.median(s.id, row), "q1": low, "q3": high, "ratio": self.ratio(s.id, row)}
                if s.id.startswith("husk"):
                    cell["met"] = self.met(s.id, row)
                entry["systems"][s.id] = cell
            rows.append(entry)
        systems = [{"id": s.id, "label": s.label, "prefix": s.prefix, "absent": s.absent, "broken": s.broken} for s in self.systems]
        return json.dumps({"machine": self.machine, "systems": systems, "rows": rows, "remarks": self.remarks}, indent=1) + "\n"
