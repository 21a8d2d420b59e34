"""What the cells of a notebook show, without what differs from run to run."""

import nbformat

WIDGET = "application/vnd.jupyter.widget-view+json"


def shown(notebook):
    """What the cells of a notebook show that is the same in every run, by their ids."""
    return {
        cell.id: coalesced(cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code" and "NBVAL_IGNORE_OUTPUT" not in cell.source
    }


def coalesced(outputs):
    """Texts, pictures and errors; what a cell prints in pieces is one text. No widgets."""
    texts = []
    for output in outputs:
        kind = output.get("name", output.output_type)
        if output.output_type == "stream" and texts and texts[-1][0] == kind:
            texts[-1] = kind, texts[-1][1] + output.text
        elif output.output_type == "stream":
            texts.append((kind, output.text))
        else:
            data = {key: value for key, value in output.get("data", {}).items() if key != WIDGET}
            texts.append((kind, data or output.get("evalue")))
    return texts


def shown_in(path):
    """What the cells of a notebook's file show."""
    return shown(nbformat.read(path, as_version=4))
