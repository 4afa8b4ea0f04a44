"""The order of turns, and which of several settings of a peer counts."""
import statistics


def rounds(kinds, count):
    """The order in each of `count` rounds: A B C, then B C A, then C A B ...
    What a turn leaves behind so falls to a different one each time."""
    for number in range(count):
        first = number % len(kinds)
        yield kinds[first:] + kinds[:first]


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def ratio(row, base, key):
    """The median of the ratios of a row to another one, each of one round."""
    pairs = zip(row["turns"], base["turns"])
    return median([a[key] / b[key] for a, b in pairs
                   if a.get(key) is not None and b.get(key)])


def best_peer(rows, key="rate"):
    """Of the rows that are settings of the peer, that with the highest
    median; None when none was measured."""
    peers = [r for r in rows if r.get("peer") and r.get(key)]
    return max(peers, key=lambda r: r[key], default=None)
