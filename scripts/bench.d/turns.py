"""Works in which each server has a turn in each round."""
import time

import order
import procs
import rig


class Turns:
    """What such works have in common.  A work has a name, `what` it is,
    `figures` (the keys of a turn that have a median), the `kinds` that take
    part, and a turn()."""

    figures = ()

    def __init__(self, name, what):
        self.name = name
        self.what = what

    def kinds(self, bench):
        return bench.kinds()

    def turn(self, bench, kind):
        """One turn: a dict of figures; Failed when there was none."""
        raise NotImplementedError

    def prepare(self, bench):
        """What all turns need, as a context; nothing as a rule."""
        del bench
        return Nothing()

    def run(self, bench):
        kinds = self.kinds(bench)
        turns = {kind.name: [] for kind in kinds}
        with self.prepare(bench):
            for number, in_order in enumerate(
                    order.rounds(kinds, bench.options.rounds), 1):
                for place, kind in enumerate(in_order, 1):
                    bench.log(f"{self.name}: round {number} of "
                              f"{bench.options.rounds}: {kind.name}")
                    turn = self.try_turn(bench, kind)
                    turn.update(round=number, place=place)
                    turns[kind.name].append(turn)
        bench.ballast.let_go()
        return [self.row(kind, turns[kind.name]) for kind in kinds]

    def try_turn(self, bench, kind):
        began = time.strftime("%H:%M:%S")
        state = bench.settle()
        try:
            turn = self.turn(bench, kind)
        except procs.Failed as e:
            turn = {"problems": {str(e): 1}}
        if not state["calm"] and not bench.options.busy:
            turn.setdefault("problems", {})["the machine was busy before"] = 1
        return dict(turn, began=began, state=state)

    def row(self, kind, turns):
        return {"server": kind.name, "label": kind.label, "peer": kind.peer,
                "durable": kind.durable, "turns": turns,
                **rig.summary(turns, self.figures)}


class Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
