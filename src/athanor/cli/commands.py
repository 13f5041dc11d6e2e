"""Every command, thin: options in, one call, an exit status out (0 done, 1 failed, 2 cannot start)."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from athanor import __version__
from athanor.kernel.errors import AthanorError

app = typer.Typer(
    help="Athanor: an operating system for process plants and their parks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)

_TABLE_WIDTH = 200  # of what goes to a file or another program

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings; athanor.toml here, when left out.")]


def main() -> None:
    """Run the command line; a refusal becomes one readable message instead of a traceback."""
    try:
        app()
    except AthanorError as error:
        _err.print(f"[{error.code}] {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run one command's work on the fast event loop."""
    import uvloop  # noqa: PLC0415 commands that need no loop start without it

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@app.callback(invoke_without_command=True)
def _root(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        out.print(__version__)
        raise typer.Exit


@app.command()
def serve(
    config: ConfigFile = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 lets the system choose.")] = None,
) -> None:
    """Run the server, with the edge that the settings name as its child."""
    from athanor.cli.serving import serve as work  # noqa: PLC0415 the server's parts take a second to import

    run(work(_settings(config, host, port)))


@app.command()
def demo(
    data: Annotated[Path, typer.Option(help="Folder for the demo's data.")] = Path("athanor-demo"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port of the web pages; 8080, or a free one, when left out.")] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="Days of history that a first start writes.")] = 60,
    without: Annotated[
        list[str] | None, typer.Option(help="A planted situation to leave out; may be repeated.")
    ] = None,
    mqtt: Annotated[str | None, typer.Option(help="An external MQTT broker instead of the embedded one.")] = None,
    *,
    reset: Annotated[bool, typer.Option("--reset", help="Forget the demo's data and start afresh.")] = False,
) -> None:
    """Run the platform with its living reference plant. Ctrl-C stops it; the next call goes on from there."""
    from athanor.cli.demo import DemoOptions, run_demo  # noqa: PLC0415

    options = DemoOptions(data.absolute(), host, port, days, frozenset(without or ()), mqtt)
    run(run_demo(options, out, reset=reset))


@app.command()
def edge(
    config: Annotated[Path, typer.Argument(help="The edge's YAML file.")],
) -> None:
    """Run an edge: read devices, keep samples on disk, deliver them to the server."""
    from athanor.edge.__main__ import run_until_told, token_of  # noqa: PLC0415
    from athanor.edge.config import load_edge_config  # noqa: PLC0415
    from athanor.kernel.log import configure_logging  # noqa: PLC0415

    configure_logging()
    settings = load_edge_config(config)
    run(run_until_told(settings, token_of(settings), with_parent=False))


@app.command()
def doctor(config: ConfigFile = None) -> None:
    """Examine the installation and say what to do about what is wrong."""
    from athanor.kernel.doctor import Verdict, examine, read_configuration  # noqa: PLC0415

    settings, findings = read_configuration(config)
    if settings is not None:
        findings = [*findings, *run(examine(settings))]
    colours = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}
    for finding in findings:
        mark = f"[{colours[finding.verdict]}]{finding.verdict.value:<4}[/]"
        out.print(f"{mark}  [bold]{finding.check:<14}[/]", end="")
        out.print(finding.what, markup=False, soft_wrap=True)
        if finding.cure:
            out.print(f"{'':<20}→ {finding.cure}", markup=False, soft_wrap=True)
    raise typer.Exit(1 if any(finding.verdict is Verdict.FAIL for finding in findings) else 0)


@app.command()
def export(
    tags: Annotated[list[str], typer.Argument(help="Paths of tags; * and ? match many.")],
    start: Annotated[str, typer.Option("--from", help="Start: ISO 8601, or a length that ends now, such as 8h or 7d.")],
    file: Annotated[Path, typer.Option("--out", help="Where to; the ending chooses: .parquet, .csv, .xlsx or .arrow.")],
    end: Annotated[str | None, typer.Option("--to", help="End, ISO 8601; now when left out.")] = None,
    step: Annotated[
        str | None, typer.Option(help="A step of the site's calendar: 1m, 1h, shift, day, month …; else all samples.")
    ] = None,
    how: Annotated[
        str, typer.Option(help="What a step comes to: usual, mean, min, max, integral, delta … (docs/historian.md).")
    ] = "usual",
    gaps: Annotated[
        str | None,
        typer.Option(help="What is known between samples: none, hold 5m, linear 1h; else as tags' kinds say."),
    ] = None,
    shape: Annotated[
        str, typer.Option(help="long: a row for each tag and time; wide: a column for each tag.")
    ] = "long",
    config: ConfigFile = None,
) -> None:
    """Write tags over a range to a file, from the running server or, when none runs, from its data."""
    from athanor.cli.export import Wanted, export_to  # noqa: PLC0415

    wanted = Wanted.of(tags, start, end, step, how=how, gaps=gaps, shape=shape)
    rows = run(export_to(file, wanted, _settings(config), out))
    out.print(f"{rows:,} rows → {file}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or other text, Excel or Parquet.")],
    mapping: Annotated[
        Path | None, typer.Option("--map", help="TOML with the parts of a plan that you decide (docs/import.md).")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="COLUMN=PATH: which tag a column, or a name in a long file, is.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="COLUMN=UNIT: in which unit it comes; UNIT alone is for all.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Time zone of the clock that wrote times without an offset; else the site's.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write refused cells to this CSV file.")] = None,
    config: ConfigFile = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do all but store anything.")] = False,
) -> None:
    """Bring history in from a file, into the running server or, when none runs, into its data."""
    from athanor.cli.importing import Wanted, import_from, pairs_of, print_summary  # noqa: PLC0415
    from athanor.kernel.transfer.plan import merged_content, read_plan  # noqa: PLC0415

    plan = {} if mapping is None else read_plan(mapping)
    if zone is not None:
        plan = merged_content(plan, {"time": {"zone": zone}})
    tags, units = pairs_of(tag or (), "--tag"), pairs_of(unit or (), "--unit")
    wanted = Wanted(file, plan, tags, units, dry_run, report)
    print_summary(run(import_from(wanted, _settings(config), out)), out)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="Which one; `list` says which there are.")] = "list",
    *,
    quick: Annotated[bool, typer.Option("--quick", help="The same on less data.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Some of its parts; once for each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    file: Annotated[Path | None, typer.Option("--out", help="Write this file, too: .json, or .md for a page.")] = None,
) -> None:
    """Measure. Exit status 1 when a figure misses its target."""
    import orjson  # noqa: PLC0415

    from athanor.bench import BENCHMARKS  # noqa: PLC0415
    from athanor.bench.figures import machine  # noqa: PLC0415
    from athanor.bench.printing import as_json as json_of  # noqa: PLC0415
    from athanor.bench.printing import as_markdown, as_table  # noqa: PLC0415
    from athanor.kernel.log import configure_logging  # noqa: PLC0415

    if name not in BENCHMARKS:
        for known, benchmark in BENCHMARKS.items():
            out.print(f"{known:<12}{benchmark.summary}")
        raise typer.Exit(0 if name == "list" else 2)
    parts = BENCHMARKS[name].parts
    if unknown := set(only or ()) - set(parts):
        _err.print(f"{name} has no part {', '.join(sorted(unknown))}; it has: {', '.join(parts) or 'none'}.")
        raise typer.Exit(2)
    configure_logging("warning")
    taken_on = machine()
    report = BENCHMARKS[name].run(quick, only or ())
    text = orjson.dumps(json_of(report, taken_on), option=orjson.OPT_INDENT_2).decode() + "\n"
    if file is not None:
        file.write_text(as_markdown(report, taken_on) if file.suffix == ".md" else text, encoding="utf-8")
    if as_json:
        sys.stdout.write(text)
    else:
        out.print(as_table(report), width=None if out.is_terminal else _TABLE_WIDTH, crop=False)
        for note in (taken_on, *report.notes):
            out.print(f"- {note}", markup=False)
    raise typer.Exit(1 if any(one.holds is False for one in report.figures) else 0)


_historian = typer.Typer(help="Look after the files of samples.", no_args_is_help=True)
app.add_typer(_historian, name="historian")
SampleFile = Annotated[str, typer.Argument(help="The file's name, or its whole path, as the error names it.")]


@_historian.command("check")
def historian_check(config: ConfigFile = None) -> None:
    """Read every file of samples and name those that are damaged or set aside. Exit status 1 when one is damaged."""
    from athanor.cli.historian import check, show  # noqa: PLC0415

    found = run(check(_settings(config)))
    show(found, out)
    raise typer.Exit(1 if found.damaged else 0)


@_historian.command("set-aside")
def historian_set_aside(file: SampleFile, config: ConfigFile = None) -> None:
    """Do without a damaged file of samples: queries that need it go on, and lack what was in it."""
    from athanor.cli.historian import set_aside  # noqa: PLC0415

    out.print(f"{run(set_aside(_settings(config), file))} is set aside.", markup=False, soft_wrap=True)


@_historian.command("put-back")
def historian_put_back(file: SampleFile, config: ConfigFile = None) -> None:
    """Take a file that was set aside, and lies whole in its place again, back among the others."""
    from athanor.cli.historian import put_back  # noqa: PLC0415

    out.print(f"{run(put_back(_settings(config), file))} is read again.", markup=False, soft_wrap=True)


@_historian.command("retention")
def historian_retention(
    config: ConfigFile = None,
    *,
    apply: Annotated[bool, typer.Option("--apply/--dry-run", help="Let it go; else only say what would.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Say what has come of age, class by class, and nothing more; or let it go at once."""
    from athanor.cli import retention  # noqa: PLC0415

    settings = _settings(config)
    answer = run(retention.apply(settings) if apply else retention.due(settings))
    if as_json:
        import orjson  # noqa: PLC0415

        sys.stdout.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode() + "\n")
    elif apply:
        out.print(
            f"{answer['samples']:,} samples of {answer['days']} days and {answer['waveforms']:,} waveforms went, "
            f"{answer['bytes'] / 1e6:,.1f} MB of samples."
        )
    else:
        retention.show(answer, out)


@app.command("edge-token")
def edge_token(edge: Annotated[str, typer.Argument(help="The edge's name.")], config: ConfigFile = None) -> None:
    """Make a token for an edge, shown once; the one it had before ends."""
    from athanor.cli.accounts import make_edge_token  # noqa: PLC0415

    out.print(run(make_edge_token(_settings(config), edge)), markup=False, soft_wrap=True)


@app.command()
def password(login: Annotated[str, typer.Argument(help="Whose.")] = "admin", config: ConfigFile = None) -> None:
    """Set a new password for someone who has lost theirs; it is asked for, not given as an option."""
    from athanor.cli.accounts import set_password  # noqa: PLC0415

    new = typer.prompt(f"New password for {login}", hide_input=True, confirmation_prompt=True)
    run(set_password(_settings(config), login, new))
    out.print(f"{login} signs in with the new password from now on.", markup=False)


_backup = typer.Typer(
    help="Copies of everything: made while the server runs, checked, brought back.", no_args_is_help=True
)
app.add_typer(_backup, name="backup")
BackupPlace = Annotated[
    str | None, typer.Argument(help="Folder or s3://BUCKET/PREFIX; backup.destination of the settings, when left out.")
]
BackupName = Annotated[str | None, typer.Option("--name", help="Which backup; the newest, when left out.")]


@_backup.command("create")
def backup_create(
    place: BackupPlace = None,
    keep: Annotated[int | None, typer.Option(min=1, help="So many of the newest stay; all, when left out.")] = None,
    config: ConfigFile = None,
    *,
    with_keys_in_clear: Annotated[
        bool, typer.Option("--with-keys-in-clear", help="Do not encrypt the server's keys.")
    ] = False,
) -> None:
    """Make a backup, of the running server or of what a stopped one left; only what is new is copied."""
    from athanor.cli import backup  # noqa: PLC0415

    settings = _settings(config)
    passphrase = None if with_keys_in_clear else _passphrase(is_new=True)
    with _progress() as tell:
        summary = run(backup.make(settings, place, passphrase, keep, tell))
    backup.show(summary, out)


@_backup.command("list")
def backup_list(place: BackupPlace = None, config: ConfigFile = None) -> None:
    """Name the backups that are there."""
    from athanor.cli import backup  # noqa: PLC0415

    found, unreadable = backup.manifests(_settings(config), place)
    for manifest in found:
        one = manifest.summary()
        said = (
            f"{one['samples']:>15,} samples {one['bytes'] / 1e6:>12,.1f} MB {one['copied_bytes'] / 1e6:>12,.1f} MB new"
        )
        out.print(f"{one['name']:<20} Athanor {one['version']:<10}{said}", markup=False, soft_wrap=True)
    for name in unreadable:
        out.print(f"{name:<20} is not whole, and is no backup", markup=False, soft_wrap=True)
    if not found and not unreadable:
        out.print("There is no backup.")


@_backup.command("verify")
def backup_verify(place: BackupPlace = None, name: BackupName = None, config: ConfigFile = None) -> None:
    """Read all of a backup and compare it with what was written. Exit status 1 when something is wrong."""
    from athanor.cli import backup  # noqa: PLC0415

    settings = _settings(config)
    with _progress() as tell:
        manifest, faults = backup.verify(settings, place, name, tell)
    for fault in faults:
        out.print(fault, style="red", markup=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)
    out.print(f"Backup {manifest.name} is whole: {len(manifest.entries):,} files, {manifest.size / 1e6:,.1f} MB.")


@_backup.command("restore")
def backup_restore(
    place: Annotated[str, typer.Argument(help="Folder or s3://BUCKET/PREFIX.")],
    data_dir: Annotated[Path, typer.Option(help="A new or empty folder, the data_dir of the server to be.")],
    name: BackupName = None,
    config: ConfigFile = None,
    *,
    what_is_whole: Annotated[
        bool, typer.Option("--what-is-whole", help="Of a damaged backup, bring back what is not damaged.")
    ] = False,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave the encrypted keys out, when nobody knows the passphrase.")
    ] = False,
) -> None:
    """Bring a backup back into a new place. PostgreSQL's goes into the empty one of ATHANOR_DATABASE_URL."""
    import time  # noqa: PLC0415

    from athanor.cli import backup  # noqa: PLC0415
    from athanor.kernel.backup.restoring import Wish  # noqa: PLC0415

    settings = _settings(config)
    address = os.environ.get("ATHANOR_DATABASE_URL")
    passphrase = None if without_keys else _passphrase(is_new=False)
    wish = Wish(data_dir.absolute(), address, passphrase, without_keys, what_is_whole)
    began = time.monotonic()
    with _progress() as tell:
        manifest, left_out = run(backup.restore(settings, place, name, wish, tell))
    for fault in left_out:
        out.print(f"left out: {fault}", style="yellow", markup=False, soft_wrap=True)
    out.print(
        f"Backup {manifest.name} is in {data_dir}, as of {manifest.as_of:%Y-%m-%d %H:%M:%S} UTC, after "
        f"{time.monotonic() - began:,.1f} s. Set data_dir to it and start the server.",
        markup=False,
        soft_wrap=True,
    )


def _passphrase(*, is_new: bool) -> str | None:
    """For the keys: from the environment, or asked for. Raises NoPassphraseError where nobody can be asked."""
    from athanor.cli.backup import passphrase_from_environment  # noqa: PLC0415
    from athanor.kernel.backup.errors import NoPassphraseError  # noqa: PLC0415

    given = passphrase_from_environment()
    if given is None and sys.stdin.isatty():
        given = typer.prompt("Passphrase for the server's keys", hide_input=True, confirmation_prompt=is_new)
    if given is None and is_new:
        raise NoPassphraseError
    return given


@contextmanager
def _progress() -> Iterator[Callable[[str, float | None], None]]:
    """A line that says how far it is, where somebody looks."""
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=_err, transient=True, disable=not _err.is_terminal) as shown:
        task = shown.add_task("", total=1.0)
        yield lambda stage, share: shown.update(task, description=stage, completed=share or 0.0)


_audit = typer.Typer(help="The audit trail: checked, and written to a file that proves itself.", no_args_is_help=True)
app.add_typer(_audit, name="audit")


@_audit.command("verify")
def audit_verify(
    file: Annotated[Path | None, typer.Argument(help="A file that was exported; the database's when left out.")] = None,
    config: ConfigFile = None,
    *,
    filtered: Annotated[
        bool, typer.Option("--filtered", help="The file holds some entries only, so that others lack in between.")
    ] = False,
) -> None:
    """Check that no entry was changed or removed. Exit status 1 and the first fault where one was."""
    if file is not None:
        from athanor.kernel.identity.trail_file import verify_file  # noqa: PLC0415

        found = verify_file(file, may_lack_entries=filtered)
        fault, rows, chain = found.fault, found.rows, found.last or "none"
    else:
        from athanor.cli import audit  # noqa: PLC0415

        verified = run(audit.verify(_settings(config)))
        fault, rows, chain = verified.fault, verified.rows, verified.chain
    if fault is not None:
        out.print(f"Broken after {rows:,} entries: {fault}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1)
    out.print(f"{rows:,} entries are as they were written. Chain of the last: {chain}", markup=False, soft_wrap=True)


@_audit.command("export")
def audit_export(
    file: Annotated[Path, typer.Argument(help="Where to; the ending chooses: .csv or .jsonl.")],
    start: Annotated[str | None, typer.Option("--from", help="Start, ISO 8601; the first entry when left out.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End, ISO 8601; now when left out.")] = None,
    config: ConfigFile = None,
) -> None:
    """Write the trail to a file with its chain, so that anybody can check it (docs/audit.md)."""
    from athanor.cli import audit  # noqa: PLC0415

    rows = run(audit.export(_settings(config), audit.period(start, end), file))
    out.print(f"{rows:,} entries → {file}", markup=False, soft_wrap=True)


@app.command("remove-second-factor")
def remove_second_factor(login: Annotated[str, typer.Argument(help="Whose.")], config: ConfigFile = None) -> None:
    """Let somebody who has lost phone and recovery codes sign in by the password alone, and set up another one."""
    from athanor.cli.accounts import remove_second_factor as remove  # noqa: PLC0415

    run(remove(_settings(config), login))
    out.print(f"{login} signs in by the password alone from now on.", markup=False)


def _settings(config: Path | None, host: str | None = None, port: int | None = None) -> Any:
    from athanor.kernel.log import configure_logging  # noqa: PLC0415
    from athanor.kernel.settings import load_settings  # noqa: PLC0415

    for variable, value in (("ATHANOR_SERVER__HOST", host), ("ATHANOR_SERVER__PORT", port)):
        if value is not None:
            os.environ[variable] = str(value)
    settings = load_settings(config)
    configure_logging(settings.log.level, settings.log.format)
    return settings
