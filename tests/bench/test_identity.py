"""The benchmark of identity measures what it says, and the permission check keeps its promise."""

from athanor.bench import identity


def test_a_quick_run_gives_every_figure_and_the_permission_check_holds() -> None:
    report = identity.run(True, ["permission", "session", "audit"])
    assert [figure.name for figure in report.figures if "PostgreSQL" not in figure.name] == [
        "permission check, per request",
        "session look-up, SQLite, median",
        "session look-up, SQLite, 99th percentile",
        "audit entries, SQLite",
    ]
    assert all(figure.value for figure in report.figures)
    assert report.figures[0].holds is True
