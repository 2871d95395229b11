"""Loops that numba compiles give what eager code gives: numbers, gradients, warnings, masks."""

import os

import pytest
from compiled_twin import agree, derived, others
from op_table import calls, collect
from ops_without_replay import EXCEPT, UNLIKE

import autograd

pytest.importorskip("numba")

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
ROWS = [r for r in collect() if r.name not in EXCEPT and r.name not in UNLIKE]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", ROWS if ALL else ROWS[::200], ids=lambda row: row.name)
def test_rows_of_the_op_table_in_loops(row):
    for case, call in list(calls(row))[:1]:
        function = lambda *operands, call=call: call(list(operands))
        fast = autograd.compile(function, backend="numba")
        new = others(case, call, row.cases.index(case), row)
        order = min(2, row.order if case.order is None else case.order)
        if [x.shape for x in new] != [x.shape for x in call.operands]:
            new = call.operands
        derived(fast, call.operands, order)
        agree(derived(fast, new, order), derived(function, new, order), str(case))
