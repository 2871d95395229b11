"""The op table through `check_gradients`: the checker used on this library's own operations.

The first case of a row, and first derivatives of its last one; all of them where HYPOTHESIS_PROFILE
asks for more than the quick run, as `.ci/run` does.
"""

import os

import pytest
from op_table import calls, collect

from autograd.testing import check_gradients

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"


@pytest.mark.parametrize(
    "row", [row for row in collect() if row.recorded], ids=lambda row: row.name
)
def test_the_checker_finds_nothing_wrong(row):
    options = {}
    if "singular" in row.name:
        options["atol"] = 1e-12  # such a determinant is the rounding error of numbers around 1
    if row.name.startswith(("implicit.", "integrate.")):
        options["rtol"] = 10 * row.rtol  # iterations that stop at a tolerance
    cases = calls(row)
    chosen = range(len(cases)) if THOROUGH else sorted({0, len(cases) - 1})
    for k in chosen:
        case, call = cases[k]
        order = (case.order or row.order) if THOROUGH or not k else 1
        try:
            assert check_gradients(call, call.operands, order=order, fast=True, **options)
        except Exception as error:
            error.add_note(f"in {case}")
            raise
