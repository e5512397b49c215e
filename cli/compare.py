"""`attribution compare`: explains one input in several ways and shows how far they agree."""

from pathlib import Path
from typing import Annotated

import typer

from cli.given import given


def compare(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A picture, a .json with features, or a .txt.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text.")] = None,
    features: Annotated[str | None, typer.Option(help='Features, inline as {"name": value} or a JSON file.')] = None,
    methods: Annotated[
        str | None, typer.Option(help="Names separated by commas, or a JSON list. Default: the model's own choice.")
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Names separated by commas. Default: the only model that takes this input.")
    ] = None,
    targets: Annotated[
        str | None,
        typer.Option(help="Class indices or labels as a JSON list, or one of them. Default: the predicted class."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the random numbers.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the sheet, a .png.")] = None,
    scale: Annotated[str | None, typer.Option(help="Sheet: own or shared.")] = None,
    style: Annotated[str | None, typer.Option(help="Sheet: blend, heatmap or masked.")] = None,
    sign: Annotated[str | None, typer.Option(help="Sheet: absolute, positive, negative or all.")] = None,
    colormap: Annotated[str | None, typer.Option(help="Sheet: name of a colour map.")] = None,
    percentile: Annotated[float | None, typer.Option(help="Sheet: values above it share a colour.")] = None,
    smooth: Annotated[float | None, typer.Option(help="Sheet: sigma of the smoothing, 0 to 0.1 of its side.")] = None,
    size: Annotated[int | None, typer.Option(help="Sheet: longer side of one panel, in pixels.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    url: Annotated[str, typer.Option(envvar="ATTRIBUTION_URL", help="The service.")] = "http://127.0.0.1:8000",
) -> None:
    """Where do several methods, targets or models agree about one input?

    Exit codes: 0 compared, 1 no job succeeded, 2 the request is wrong, 3 no service answers.
    """
    from cli.client.compare_command import CompareOptions, compare_and_print  # noqa: PLC0415  # keeps --help quick

    picture = given(
        scale=scale, style=style, sign=sign, colormap=colormap, percentile=percentile, smooth=smooth, size=size
    )
    options = CompareOptions(
        file=file,
        text=text,
        features=features,
        methods=methods,
        models=models,
        targets=targets,
        seed=seed,
        output=output,
        picture=picture,
        json=json,
    )
    raise typer.Exit(compare_and_print(options, url))
