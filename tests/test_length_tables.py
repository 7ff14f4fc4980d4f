"""The tables of the READMEs on lengths, from made-up runs."""

from rnn_tf.report import length_tables


def cells(table: str) -> list[list[str]]:
    lines = table.splitlines()
    return [
        [c.strip() for c in line.split("|")[1:-1]] for line in lines if ":" not in line
    ]


def test_loops_are_those_of_the_longest_sequences(monkeypatch):
    """Would catch a table of ten steps, where all are alike; and rows that failed."""
    rows = [
        {"kind": kind, "steps": steps, "nodes": "1234", "build_seconds": "2.5"}
        | {"first_seconds": "1", "update_ms": ms, "update_low": "4", "update_high": "6"}
        for kind, steps, ms in (
            ("static", "90", "5"), ("dynamic", "90", ""), ("static", "1000", "7"),
            ("keras", "1000", "8"),
        )
    ]  # fmt: skip
    monkeypatch.setattr(length_tables, "rows_of", lambda folder, name: rows)
    assert cells(length_tables.loops(None)) == [
        ["at 1,000 steps", "nodes", "s to the first update", "ms an update"],
        ["static_rnn", "1,234", "3.5", "7 (4 to 6)"],
        ["keras.layers.SimpleRNN", "1,234", "3.5", "8 (4 to 6)"],
    ]


def test_a_way_to_batch_is_a_line(monkeypatch):
    """Would catch the waste of sentences that stands under drawings."""
    rows = [
        {"lengths": name, "way": way, "waste": waste, "steps_per_second": speed}
        for name, way, waste, speed in (
            ("sentences", "one by one", "0.0", "1000.4"),
            ("sentences", "bucketed", "7.8", "2e4"),
            ("drawings", "one by one", "0", "3000"),
            ("drawings", "bucketed", "3", "50000"),
            ("drawings", "packed", "", ""),
        )
    ]
    monkeypatch.setattr(length_tables, "rows_of", lambda folder, name: rows)
    assert cells(length_tables.batching(None))[1:] == [
        ["one by one", "0 %", "0 %", "1,000", "3,000"],
        ["bucketed", "8 %", "3 %", "20,000", "50,000"],
    ]
