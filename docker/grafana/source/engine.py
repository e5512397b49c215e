"""Dashboard *Engine*: how well the devices are used."""

from docker.grafana.source.panels import Panel, Query
from docker.grafana.source.queries import rate, ratio, value
from schemas.telemetry.names import ALL

ROWS_COMPUTED = ALL["attribution_worker_executed_rows_total"]
SOLO_ROWS = ALL["attribution_worker_solo_rows_total"]
CAPACITY = ALL["attribution_worker_shared_capacity_rows_total"]
PASSES = ALL["attribution_worker_passes_total"]
SOLO_PASSES = ALL["attribution_worker_solo_passes_total"]
PASS_SECONDS = ALL["attribution_worker_pass_seconds_total"]
BUSY = ALL["attribution_device_busy_seconds_total"]
USED = ALL["attribution_device_memory_used_bytes"]
TOTAL = ALL["attribution_device_memory_total_bytes"]
HITS, MISSES = ALL["attribution_worker_output_cache_hits_total"], ALL["attribution_worker_output_cache_misses_total"]


def _shared_rows(*by: str) -> str:
    return f"({rate(ROWS_COMPUTED, *by)} - {rate(SOLO_ROWS, *by)})"


WORK = [
    Panel(
        "Rows",
        "Model rows computed in a second, by model.",
        "fewer rows at the same load: look at Fill and Device busy.",
        "rowsps",
        [Query(rate(ROWS_COMPUTED, "model"), "{{model}}")],
    ),
    Panel(
        "Fill of shared passes",
        "The share of the rows that shared passes had room for and that were used.",
        "low while the queue is long: jobs of few rows arrive one by one, or methods differ too much to be packed.",
        "percentunit",
        [Query(ratio(_shared_rows("model"), rate(CAPACITY, "model")), "{{model}}")],
    ),
    Panel(
        "Device busy",
        "The share of time for which passes have a worker's device.",
        "near 1 with a backlog: another device is needed. Near 0 with a backlog: the worker waits for something else.",
        "percentunit",
        [Query(rate(BUSY, "worker", "device"), "{{worker}} {{device}}")],
    ),
    Panel(
        "Passes by lane",
        "Passes in a second: shared ones hold rows of several jobs, solo ones those of methods that hook the model.",
        "many solo passes: methods that hook activations, such as DeepLIFT, hold the device alone.",
        "ops",
        [Query(f"{rate(PASSES)} - {rate(SOLO_PASSES)}", "shared"), Query(rate(SOLO_PASSES), "solo")],
    ),
    Panel(
        "Share of solo rows",
        "The share of rows that were computed in solo passes.",
        "see Passes by lane.",
        "percentunit",
        [Query(ratio(rate(SOLO_ROWS, "model"), rate(ROWS_COMPUTED, "model")), "{{model}}")],
    ),
    Panel(
        "Time of a pass",
        "The mean time of a pass, by model.",
        "it rises at the same batch: the device is shared with another process, or throttles.",
        "s",
        [Query(ratio(rate(PASS_SECONDS, "model"), rate(PASSES, "model")), "{{model}}")],
    ),
]
MEMORY = [
    Panel(
        "Memory",
        "Memory in use and in all: of a GPU by all processes, of a CPU the worker's own.",
        "near the total: fewer resident models (ATTRIBUTION_MODEL_MEMORY), or see who else uses the GPU.",
        "bytes",
        [
            Query(value(USED, "worker", "device"), "{{worker}} {{device}} used"),
            Query(value(TOTAL, "worker", "device"), "{{worker}} {{device}} in all"),
        ],
    ),
    Panel(
        "Out of memory",
        "Batches in a second that did not fit and were run again with half of their rows.",
        "see AttributionOutOfMemory in the runbook.",
        "ops",
        [Query(rate(ALL["attribution_worker_oom_total"], "model", "worker"), "{{model}} {{worker}}")],
    ),
    Panel(
        "Rows of a full pass",
        "The batch size of each model at each worker. It falls by halves when memory is short.",
        "a small one where Out of memory has risen: see AttributionOutOfMemory in the runbook.",
        "short",
        [Query(value(ALL["attribution_worker_batch_rows"], "model", "worker"), "{{model}} {{worker}}")],
    ),
    Panel(
        "Jobs being computed",
        "Jobs that each worker computes at this moment, by model.",
        "as many as the worker takes while the queue grows: see Device busy.",
        "short",
        [Query(value(ALL["attribution_worker_live_jobs"], "model", "worker"), "{{model}} {{worker}}")],
    ),
    Panel(
        "Output cache",
        "The share of forward passes for an input or a baseline that an earlier job had computed.",
        "low where several methods explain one input: they come too far apart, or the model draws random numbers.",
        "percentunit",
        [Query(ratio(rate(HITS, "model"), f"({rate(HITS, 'model')} + {rate(MISSES, 'model')})"), "{{model}}")],
    ),
    Panel(
        "Evictions",
        "Models evicted in a second to make room for another.",
        "steady evictions: the models in use do not fit together, so each waits for its load.",
        "ops",
        [Query(rate(ALL["attribution_worker_evictions_total"], "model"), "{{model}}")],
    ),
]
ROWS = {"Work": WORK, "Memory": MEMORY}
