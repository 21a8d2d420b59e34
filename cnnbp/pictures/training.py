"""Training as curves: loss, gradient norm and accuracy of one or two runs, step by step."""

import math

from cnnbp.pictures.curves import DASHES, Frame, magnitude
from cnnbp.pictures.svg import Area, Block, Link, number, picture, text, text_width

LEFT, TOP, WIDTH, HEIGHT, GAP = 52, 104, 194, 176, 86  # pixels: of the frames, and between them
REACHES = (25, 60, 120, 300)  # steps that the curves have room for
RUNS = "#0f7b7b", "#8a4f9e"  # this run and the kept one; orange and blue are signs elsewhere
BANDS = 20  # parts of the steps that answer to the pointer


def draw_training(runs):
    """What shows first when the learning rate is too big? One or two runs, drawn over one another.

    runs     dict of name -> History, the first drawn solid, the second dashed
    returns  Svg

    Pointing at a step prints its numbers.

    >>> from cnnbp.training import History
    >>> run = History([2.0, 1.0], [3.0, 1.5], measured=[0], test_accuracy=[0.1])
    >>> svg = draw_training({"a run": run})
    >>> svg.description
    'Training. a run, after 2 steps: loss 1, gradient norm 1.5, accuracy 0.1'
    """
    frames = _frames(runs)
    steps, areas = zip(*(_step(frames, runs, band) for band in range(BANDS)), strict=True)
    links = [*steps, Link([*_latest(runs), *_first_signs(runs)])]
    drawn, beside = _curves(frames, runs), zip(*areas, strict=True)
    blocks = [
        Block([], curves, _end(frame), own, start=(frame.left - 40, TOP - 22))
        for frame, curves, own in zip(frames.values(), drawn, beside, strict=True)
    ]
    return picture(
        f"Training. {links[-1].lines[0]}",
        [_legend(runs), *blocks, _endings(runs)],
        links,
        title="What shows first when the rate is too big?",
        chosen=BANDS,
    )


def _frames(runs):
    """Three frames side by side, over the same steps, with room for all values."""
    steps = max(len(run.loss) for run in runs.values())
    reach = next((r for r in REACHES if r >= steps), steps)
    frames = {}
    for rank, name in enumerate(("loss", "gradient_norm")):
        values = [v for run in runs.values() for v in getattr(run, name) if 0 < v < math.inf]
        powers = [math.log10(value) for value in (*values, 0.01, 10)]
        up = 10.0 ** math.floor(min(powers)), 10.0 ** math.ceil(max(powers) - 1e-9)
        left = LEFT + rank * (WIDTH + GAP)
        frames[name] = Frame(left, TOP, WIDTH, HEIGHT, (0, reach), up, log=True)
    left = LEFT + 2 * (WIDTH + GAP)
    frames["accuracy"] = Frame(left, TOP, WIDTH, HEIGHT, (0, reach), (0, 1))
    return frames


def _end(frame):
    """How far a frame reaches to the right and, with what runs along it, below."""
    return frame.left + frame.width + 14, frame.top + frame.height + 36


def _legend(runs):
    """Every run's name and settings beside its line, as a Block above the curves."""
    parts, right = [], 0
    for rank, (name, run) in enumerate(runs.items()):
        y, told = 42 + 18 * rank, f"{name}: {run.settings}" if run.settings else name
        dash = f' stroke-dasharray="{DASHES}"' * rank
        parts.append(f'<path d="M12 {y - 4}h30" stroke="{RUNS[rank]}" stroke-width="2"{dash}/>')
        parts.append(text(50, y, told))
        right = max(right, 50 + text_width(told))
    return Block([], "".join(parts), (right, y + 4), start=(12, 28), alone=True)


def _endings(runs):
    """Which runs stopped, as a Block below the curves: as high whether one has stopped or not."""
    top, parts, right = TOP + HEIGHT + 44, [], 12
    for rank, (name, run) in enumerate(runs.items()):
        if run.ended is not None:
            ended = f"{name}: stopped at step {run.ended}, loss or gradient is no number any more"
            y = top + 14 + 20 * rank
            parts.append(f'<g style="color:#d32f3f">{text(12, y, ended, "name")}</g>')
            right = max(right, 12 + text_width(ended, bold=True))
    return Block([], "".join(parts), (right, top + 20 * len(runs)), start=(12, top), alone=True)


def _curves(frames, runs):
    """The frame of the losses with its curves, that of the norms, that of the accuracies."""
    titles = {"loss": "loss", "gradient_norm": "gradient norm", "accuracy": "test accuracy"}
    parts = {name: frame.svg(titles[name], "step") for name, frame in frames.items()}
    for rank, run in reversed(list(enumerate(runs.values()))):
        style = RUNS[rank], bool(rank)
        steps = range(len(run.loss))
        parts["loss"] += frames["loss"].line(steps, run.loss, *style)
        parts["gradient_norm"] += frames["gradient_norm"].line(steps, run.gradient_norm, *style)
        parts["accuracy"] += frames["accuracy"].line(run.measured, run.test_accuracy, *style)
    return parts.values()


def _step(frames, runs, band):
    """What pointing at one part of the steps shows, a line in all frames and its numbers; and
    that part's Area in every frame."""
    reach = frames["loss"].across[1]
    wide = WIDTH / BANDS
    step = round((band + 0.5) / BANDS * reach)
    areas = [
        Area(frame.left + wide * band, frame.top, wide, frame.height) for frame in frames.values()
    ]
    places = [frame.at(step, frame.up[0])[0] for frame in frames.values()]
    lines = [f'<path class="arrow" d="M{x:.1f} {TOP}v{HEIGHT}"/>' for x in places]
    link = Link(
        [f"{name}, {_at(run, step)}" for name, run in runs.items()],
        handles=[(area, None) for area in areas],
        extra=[*zip(areas, lines, strict=True)],
    )
    return link, areas


def _at(run, step):
    if step >= len(run.loss):
        return f"step {step}: not taken"
    line = f"step {step}: loss {magnitude(run.loss[step])}, "
    line += f"gradient norm {magnitude(run.gradient_norm[step])}"
    checks = sum(measured <= step for measured in run.measured)
    if checks and run.test_accuracy:
        last = checks - 1
        line += f", accuracy {number(run.test_accuracy[last])} after {run.measured[last]}"
    return line


def _latest(runs):
    for name, run in runs.items():
        line = f"{name}, after {len(run.loss)} steps"
        if run.loss:
            line += f": loss {magnitude(run.loss[-1])}"
            line += f", gradient norm {magnitude(run.gradient_norm[-1])}"
        yield line + (f", accuracy {number(run.test_accuracy[-1])}" if run.test_accuracy else "")


def _first_signs(runs):
    """When the first run's curves first were twice what they were in the beginning."""
    name, run = next(iter(runs.items()))
    signs = []
    for what, values in (("loss", run.loss), ("gradient norm", run.gradient_norm)):
        risen = [step for step, value in enumerate(values) if not value <= 2 * values[0]]
        if risen:
            signs.append(f"{what} at step {risen[0]} ({number(values[risen[0]])})")
    return [f"{name}, first twice what it began with: {', '.join(signs) or 'nothing'}"]
