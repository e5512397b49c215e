"""`attribution serve`: the whole service on one machine."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.text import Text

from cli.console import EXIT_FAILED, EXIT_USAGE, console, fail
from cli.demo import demonstrate
from cli.measurements_folder import VARIABLE as MEASUREMENTS
from cli.measurements_folder import measurements_folder
from cli.model_directories import VARIABLE, NoModels, joined, model_directories
from cli.processes import ourselves
from cli.processes.child import ChildCommand, ChildFailed
from cli.processes.devices import cores, cuda_devices, plan_gateways, plan_workers
from cli.processes.embedded import EmbeddedStore
from cli.processes.listen import CannotListen, listen, url_of
from cli.processes.standby import Standby
from cli.processes.supervisor import StopRequested, Supervisor
from cli.processes.wait_ready import ready
from cli.processes.worker_command import worker_command
from cli.start_log import start_log
from service.monitoring.http_metrics import SHARED_DIRECTORY
from service.settings import SettingsError, read_settings

REDIS_URL = "ATTRIBUTION_REDIS_URL"
GATEWAY_GRACE_S = 10.0  # longer than the gateway's own grace period


@dataclass(frozen=True)
class ServeOptions:
    """Options of the command line."""

    host: str
    port: int
    models: list[Path] | None = None
    workers: int | None = None  # None: as many per device as the next says
    workers_per_device: int = 1
    gateways: int | None = None  # None: as many as the cores deserve
    demo: bool = False
    once: bool = False  # stop after the demonstration
    standby: bool = True  # keep a process ready that replaces a worker which dies


def run_serve(options: ServeOptions) -> int:
    """Serves until a stop is requested. Returns the exit code."""
    start_log()
    try:
        read_settings()
        models = model_directories(options.models)
        listening = listen(options.host, options.port)
    except (SettingsError, NoModels) as error:
        fail(str(error), EXIT_USAGE)
    except CannotListen as error:
        fail(str(error), EXIT_FAILED)
    cuda = cuda_devices()
    plans = plan_workers(options.workers, cuda, cores(), os.environ, options.workers_per_device)
    gateways = plan_gateways(options.gateways, len(plans), cuda, cores())
    own_store = contextlib.nullcontext() if REDIS_URL in os.environ else contextlib.closing(EmbeddedStore())
    counters = TemporaryDirectory(prefix="attribution-metrics-")
    with listening, own_store as store, measurements_folder(os.environ) as measurements, counters as shared:
        common = {
            VARIABLE: joined(models),
            REDIS_URL: store.url if store else os.environ[REDIS_URL],
            MEASUREMENTS: str(measurements),
        }
        sums = {SHARED_DIRECTORY: shared} if gateways > 1 else {}
        children = [_gateway({**common, **sums}, listening, number, gateways) for number in range(gateways)]
        try:
            return asyncio.run(_serve(options, models, plans, listening, store, common, children))
        except StopRequested:
            return 0
        except (ChildFailed, TimeoutError) as error:
            fail(str(error) or "the service did not become ready in time", EXIT_FAILED)


async def _serve(
    options: ServeOptions,
    models: list[Path],
    plans: list[dict[str, str]],
    listening: socket.socket,
    store: EmbeddedStore | None,
    common: Mapping[str, str],
    gateways: list[ChildCommand],
) -> int:
    async with contextlib.AsyncExitStack() as stack:
        standby = Standby((*ourselves.COMMAND, "worker", "--standby")) if options.standby else None
        if standby is not None:
            stack.push_async_callback(standby.close)
        supervisor = await stack.enter_async_context(Supervisor())
        if store is not None:
            supervisor.start(store.program())
            await supervisor.during(store.answering())
        supervisor.start(*gateways)
        supervisor.start(*(worker_command(index, {**common, **plan}, standby) for index, plan in enumerate(plans)))
        console.print(f"Starting on {', '.join(plan['ATTRIBUTION_DEVICE'] for plan in plans)}; loading the models")
        url = url_of(listening)
        models_loaded = await supervisor.during(ready(url))
        if models_loaded:
            console.print(Text(f"Loaded {', '.join(models_loaded)}"), soft_wrap=True)
        supervisor.settle()
        if standby is not None:
            standby.prepare()
        console.print(f"[bold green]Ready[/] on [bold]{url}[/]")
        shown = not options.demo or await supervisor.during(_demonstration(url, models, options))
        if not options.once:
            await supervisor.wait()
        return 0 if shown else EXIT_FAILED


async def _demonstration(url: str, models: list[Path], options: ServeOptions) -> bool:
    return await asyncio.to_thread(demonstrate, url, models, goes_on=not options.once)


def _gateway(environment: Mapping[str, str], listening: socket.socket, number: int, count: int) -> ChildCommand:
    descriptor = listening.fileno()
    return ChildCommand(
        name="gateway" if count == 1 else f"gateway {number}",
        command=(*ourselves.COMMAND, "gateway", "--fd", str(descriptor)),
        environment=environment,
        pass_fds=(descriptor,),
        grace_s=GATEWAY_GRACE_S,
    )
