"""The bar of long simulations: shown on a terminal only, one at a time."""

import io
import sys

from remanifold.conventions.progress import stage, tracked, training


class Terminal(io.StringIO):
    def isatty(self):
        return True


def nested():
    return [(i, j) for i in tracked(range(3), "outer") for j in tracked(range(2), "inner")]


def test_loops_within_a_tracked_loop_stay_silent(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    assert nested() == nested() == [(i, j) for i in range(3) for j in range(2)]  # again: the bar was given back
    assert screen.getvalue().count("outer") >= 2
    assert "inner" not in screen.getvalue()


def test_nothing_is_shown_without_a_terminal(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    assert len(nested()) == 6
    assert screen.getvalue() == ""


def test_a_loop_left_early_gives_the_bar_back(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    for _ in tracked(range(3), "left"):
        break
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    assert list(tracked(range(2), "next")) == [0, 1]
    assert "next" in screen.getvalue()


def test_a_training_taken_up_begins_where_it_was(monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    with training(True, "network", 100, 90) as report:
        report(95, 100, 0.5)
    assert "90/100" in screen.getvalue() or "95/100" in screen.getvalue()
    assert "loss 0.5000" in screen.getvalue()


def test_a_loop_within_a_stage_stays_silent(monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    with stage("networks") as advance:
        advance(0, 2, "")
        assert list(tracked(range(2), "inner")) == [0, 1]
        advance(2, 2, "")
    assert "networks" in screen.getvalue()
    assert "inner" not in screen.getvalue()


def test_a_function_of_the_caller_is_told(monkeypatch):
    told = []
    with training(lambda *step: told.append(step), "network", 10) as report:
        report(1, 10, 0.5)
    assert told == [(1, 10, 0.5)]
