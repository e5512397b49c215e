"""`attribution explain`: sends a request to a running service and shows the result in the terminal."""

from pathlib import Path
from typing import Annotated

import typer

from cli.given import given


def explain(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A picture, a .json with features, or a .txt.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text.")] = None,
    features: Annotated[str | None, typer.Option(help='Features, inline as {"name": value} or a JSON file.')] = None,
    model: Annotated[str | None, typer.Option(help="Default: the only model that takes this input.")] = None,
    method: Annotated[str | None, typer.Option(help="Default: the model's own choice.")] = None,
    target: Annotated[str | None, typer.Option(help="Class index or label. Default: the predicted class.")] = None,
    baseline: Annotated[str | None, typer.Option(help="zero, black, white, mean, blur, pad or background.")] = None,
    layer: Annotated[str | None, typer.Option(help="Module path, for layer methods.")] = None,
    param: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Any parameter; repeatable.")] = None,
    quality: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIGURE",
            help="completeness, infidelity, sensitivity_max, deletion_insertion or randomization; repeatable.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the random numbers.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write .png, .npy, .safetensors or .json.")
    ] = None,
    style: Annotated[str | None, typer.Option(help="Picture: blend, heatmap, masked or side_by_side.")] = None,
    sign: Annotated[str | None, typer.Option(help="Picture: absolute, positive, negative or all.")] = None,
    colormap: Annotated[str | None, typer.Option(help="Picture: name of a colour map.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Picture: how strongly the heat covers it, 0 to 1.")] = None,
    percentile: Annotated[float | None, typer.Option(help="Picture: values above it share a colour.")] = None,
    smooth: Annotated[float | None, typer.Option(help="Picture: sigma of the smoothing, 0 to 0.1 of its side.")] = None,
    size: Annotated[int | None, typer.Option(help="Picture: longer side, in pixels.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows of a table.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, without the arrays.")] = False,
    url: Annotated[str, typer.Option(envvar="ATTRIBUTION_URL", help="The service.")] = "http://127.0.0.1:8000",
) -> None:
    """How much did each input contribute to this prediction?

    Exit codes: 0 explained, 1 the job failed, 2 the request is wrong, 3 no service answers.
    """
    from cli.client.explain_command import ExplainOptions, explain_and_print  # noqa: PLC0415  # keeps --help quick

    picture = given(
        style=style, sign=sign, colormap=colormap, alpha=alpha, percentile=percentile, smooth=smooth, size=size
    )
    question = ExplainOptions(
        file=file,
        text=text,
        features=features,
        model=model,
        method=method,
        target=target,
        parameters={"baseline": baseline, "layer": layer},
        written_parameters=param or [],
        quality=quality or [],
        seed=seed,
        output=output,
        picture=picture,
        json=json,
        top=top,
    )
    raise typer.Exit(explain_and_print(question, url))
