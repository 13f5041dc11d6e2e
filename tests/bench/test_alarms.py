"""The benchmark of alarms measures what it says, and misses none of the alarms that it raises."""

from athanor.bench import alarms


def test_a_quick_run_of_the_engine_raises_every_alarm_of_the_flood() -> None:
    report = alarms.run(True, ["engine"])
    figures = {figure.name: figure for figure in report.figures}
    assert figures["engine: raises of the flood"].value == alarms.RULES
    assert figures["engine: raise latency p99"].value > 0
    assert all(figure.value for figure in report.figures)


def test_a_quick_run_of_the_whole_way_keeps_every_alarm_of_the_flood() -> None:
    report = alarms.run(True, ["path"])
    figures = {figure.name: figure for figure in report.figures}
    assert figures["whole way: raises of the flood"].holds is True
    assert figures["whole way: raise latency p50"].value > 0
