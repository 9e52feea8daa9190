"""What the study of budgets by class adds to the result of a notebook."""

from __future__ import annotations

from pathlib import Path

from evals.budgets.class_pictures import draw_class_budgets
from evals.budgets.class_verdicts import (
    DeployedClasses,
    Studies,
    as_record,
    class_table,
    sentence,
)
from evals.project import project_settings
from evals.results.part import Part


def class_budgets_part(studies: Studies, out_path: Path) -> Part:
    """The sentence, picture and table; the picture is saved beside the result at `out_path`.

    Raises:
        ConfigurationError: the evidence of the deployed settings cannot be read.
    """
    deployed = DeployedClasses.of(project_settings())
    return Part(
        name="budgets by class",
        verdict=sentence(studies, deployed),
        pictures=(draw_class_budgets(studies, out_path),) if studies else (),
        tables=(class_table(studies),) if studies else (),
        data={
            "classes": as_record(studies),
            "used": [str(kind) for kind in deployed.used],
            "refused": [str(kind) for kind in deployed.refused],
        },
    )
