"""The `attribution` command."""

from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from cli.compare import compare
from cli.console import EXIT_USAGE, console, fail
from cli.explain import explain
from cli.jobs import jobs
from cli.keys import app as keys_app
from cli.methods import methods
from cli.models import app as models_app

app = typer.Typer(
    name="attribution",
    help="How much did each input (pixel, feature, token) contribute to a prediction?",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.add_typer(models_app, name="models")
app.add_typer(keys_app, name="keys")
app.command()(explain)
app.command()(compare)
app.command()(jobs)
app.command()(methods)

Host = Annotated[str, typer.Option(envvar="ATTRIBUTION_HOST", help="Address to listen on.")]
Port = Annotated[int, typer.Option(envvar="ATTRIBUTION_PORT", min=0, max=65535, help="0 takes a free one.")]
ModelDirectories = Annotated[
    list[Path] | None,
    typer.Option("--models", help="Directory of model folders; repeatable. Default: ATTRIBUTION_MODELS, or ./models."),
]
WorkersPerDevice = Annotated[
    int,
    typer.Option(
        envvar="ATTRIBUTION_WORKERS_PER_DEVICE",
        min=1,
        max=16,
        help="Worker processes of each device. Each holds its own copy of the models; they share the threads.",
    ),
]


def _print_version(given: bool) -> None:
    if given:
        console.print(f"attribution {installed_version('attribution-service')}")
        raise typer.Exit


@app.callback()
def attribution(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the installed version.")
    ] = False,
) -> None:
    """How much did each input (pixel, feature, token) contribute to a prediction?"""


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    models: ModelDirectories = None,
    workers: Annotated[
        str, typer.Option(help="Worker processes in all: a number, or auto for --workers-per-device.")
    ] = "auto",
    workers_per_device: WorkersPerDevice = 1,
    gateways: Annotated[
        str,
        typer.Option(
            envvar="ATTRIBUTION_GATEWAYS", help="Gateway processes on the one socket: a number, or auto for the cores."
        ),
    ] = "auto",
    demo: Annotated[bool, typer.Option(help="When ready, explain the sample picture to out/overlay.png.")] = False,
    once: Annotated[bool, typer.Option(help="With --demo: stop after it.")] = False,
    standby: Annotated[
        bool, typer.Option(envvar="ATTRIBUTION_STANDBY", help="Keep a process ready that replaces a worker which dies.")
    ] = True,
) -> None:
    """The whole service on this machine: job store, gateways, and workers on each device."""
    if workers != "auto" and not (workers.isdecimal() and 1 <= int(workers) <= 64):
        fail("--workers: a number from 1 to 64, or auto", EXIT_USAGE)
    if workers != "auto" and workers_per_device > 1:
        fail("--workers says how many there are in all: leave it or --workers-per-device out", EXIT_USAGE)
    if gateways != "auto" and not (gateways.isdecimal() and 1 <= int(gateways) <= 64):
        fail("--gateways: a number from 1 to 64, or auto", EXIT_USAGE)
    if once and not demo:
        fail("--once belongs to --demo", EXIT_USAGE)
    from cli.serve import ServeOptions, run_serve  # noqa: PLC0415

    options = ServeOptions(
        host,
        port,
        models,
        None if workers == "auto" else int(workers),
        workers_per_device,
        None if gateways == "auto" else int(gateways),
        demo,
        once,
        standby,
    )
    raise typer.Exit(run_serve(options))


@app.command()
def gateway(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    fd: Annotated[int | None, typer.Option(hidden=True, help="A listening socket inherited from the parent.")] = None,
) -> None:
    """One gateway process; the job store is at ATTRIBUTION_REDIS_URL."""
    from cli.gateway import run_gateway  # noqa: PLC0415

    run_gateway(host, port, fd)


@app.command()
def worker(
    models: ModelDirectories = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda:0, …")] = None,
    health: Annotated[bool, typer.Option("--health", help="Only tell whether this worker sends heartbeats.")] = False,
    workers_per_device: WorkersPerDevice = 1,
    standby: Annotated[bool, typer.Option("--standby", hidden=True)] = False,
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Workers on one device, by default one process; the job store is at ATTRIBUTION_REDIS_URL."""
    from cli.worker import check_health, run_worker, stand_by  # noqa: PLC0415
    from cli.worker_processes import run_workers  # noqa: PLC0415

    if health:
        check_health(workers_per_device)
    elif workers_per_device > 1 and not (standby or supervised):
        raise typer.Exit(run_workers(models, device, workers_per_device))
    elif not standby or stand_by():
        raise typer.Exit(run_worker(models, device))
