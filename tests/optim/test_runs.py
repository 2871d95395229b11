"""The walk over memory: packing, blocks, and no allocation in a step."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optim
from autograd import Variable
from optim import _runs

LONG = 600_000  # float64 elements: several blocks


def leaf(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    x = Variable(rng.normal(size=shape).astype(dtype), requires_grad=True)
    x.grad = rng.normal(size=shape)
    return x


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("algorithm", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop])
def test_a_step_on_a_large_array_allocates_nothing_large(algorithm, order):
    x = leaf((600, 1000))
    x.grad = np.asarray(x.grad, order=order)
    optimizer = algorithm(
        [x], weight_decay=0.1, **({"momentum": 0.9} if "S" in str(algorithm) else {})
    )
    optimizer.step()
    tracemalloc.start()
    optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < x.data.nbytes / 50


def test_blocks_of_a_long_array_join_without_a_seam():
    x = leaf(LONG)
    start, g = x.data.copy(), x.grad.copy()
    optimizer = optim.AdamW([x], lr=0.1, weight_decay=0.1)
    optimizer.step()
    assert all(work.nbytes == _runs._BLOCK_BYTES for work in optimizer._scratch[x.dtype])
    np.testing.assert_allclose(x.data, start * 0.99 - 0.1 * g / (np.abs(g) + 1e-8), rtol=1e-9)


@pytest.mark.filterwarnings("ignore:.*step. wanted gradients:UserWarning")
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    missing=st.lists(st.integers(0, 7), max_size=12),
)
def test_any_pattern_of_missing_gradients_gives_the_bits_of_separate_optimizers(sizes, missing):
    packed = [leaf(n, seed=i) for i, n in enumerate(sizes)]
    single = [leaf(n, seed=i) for i, n in enumerate(sizes)]
    together = optim.Adam(packed)
    apart = [optim.Adam([p]) for p in single]
    for step, absent in enumerate(missing):
        for i, (p, q) in enumerate(zip(packed, single, strict=True)):
            present = i != absent
            p.grad = q.grad = np.full(p.shape, np.sin(step + i)) if present else None
        together.step()
        for optimizer in apart:
            optimizer.step()
    for p, q in zip(packed, single, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_state_arrays_have_the_shape_of_their_parameter_and_are_live():
    params = [leaf((2, 3)), leaf(()), leaf((150, 100))]
    optimizer = optim.SGD(params, momentum=0.9)
    optimizer.step()
    for p in params:
        np.testing.assert_array_equal(optimizer.state[p]["momentum_buffer"], p.grad)


def test_a_dtype_that_changed_behind_the_optimizer_is_refused():
    x, y = leaf(3), leaf(3)
    optimizer = optim.SGD([x, y])
    optimizer.step()
    x._data = x.data.astype(np.float32)
    with pytest.raises(TypeError, match="Cannot cast"):
        optimizer.step()


def test_small_parameters_share_one_run_and_long_ones_stand_alone():
    small = [leaf(3), leaf((2, 2)), leaf(_runs._SMALL)]
    long = [leaf(_runs._SMALL + 1), leaf((100, 200))]
    optimizer = optim.Adam([*small, *long])
    optimizer.step()
    assert [run.params for run in optimizer._plans[0].runs] == [small, [long[0]], [long[1]]]
