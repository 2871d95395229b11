"""Every row of the op table, compiled: the same numbers as eager on inputs other than those traced,
the same gradients, and theirs.
"""

import os

import pytest
from compiled_twin import agree, derived, others
from op_table import calls, collect
from ops_without_replay import EXCEPT, UNLIKE

from autograd.compiler import compile, fuse, source

ROWS = [r for r in collect() if r.name not in EXCEPT and r.name not in UNLIKE]
# All rows under the profile of the checks, a sample by default.
ALL = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
SAMPLE = ROWS if ALL else ROWS[::12]


@pytest.fixture(params=[False, True], ids=["whole", "in blocks"])
def blocks(request, monkeypatch):
    """Run arrays of a few elements in blocks of four, and free them when they are done with."""
    if request.param:
        monkeypatch.setattr(source, "WORTH_FREEING", 1)
        monkeypatch.setattr(fuse, "BLOCK", 4)
        monkeypatch.setattr(fuse, "LEAST", 2)


@pytest.mark.usefixtures("blocks")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", SAMPLE, ids=lambda row: row.name)
def test_a_compiled_function_gives_what_eager_gives(row):
    chosen = list(calls(row)) if ALL else list(calls(row))[:2]
    for case, call in chosen:
        function = lambda *operands, call=call: call(list(operands))
        fast = compile(function)
        new = others(case, call, row.cases.index(case), row)
        order = min(2, row.order if case.order is None else case.order)
        if [x.shape for x in new] != [x.shape for x in call.operands]:
            new = call.operands
        derived(fast, call.operands, order)
        agree(derived(fast, new, order), derived(function, new, order), str(case))
