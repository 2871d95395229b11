"""The backward pass: order, memory, hooks, changed data, masked cotangents, random programs."""

import gc
import math
import os
import sys
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable


def leaf(*values, dtype=float):
    return Variable(np.array(values, dtype=dtype), requires_grad=True)


def scalar(value):
    return Variable(np.array(value), requires_grad=True)


def _halves_rule(g, x):
    first = g[0] if g[0] is not None else np.zeros_like(x[:1])
    second = g[1] if g[1] is not None else np.zeros_like(x[1:])
    return np.concatenate([first, second])


@autograd.primitive(x=_halves_rule)
def halves(x):
    return x[:1] * 1, x[1:] * 1


# -- order and sums --------------------------------------------------------------------------------


def test_a_variable_used_twice_gets_both_contributions():
    x = scalar(3.0)
    (x + x).backward()
    assert x.grad == 2.0


def test_a_square_by_multiplication_with_itself():
    x = scalar(3.0)
    (x * x).backward()
    assert x.grad == 6.0


def test_a_diamond_adds_up_both_branches():
    x = scalar(0.7)
    a = x * 2
    (a.sum() * np.sin(a)).backward()
    assert x.grad == pytest.approx(2 * (math.sin(1.4) + 1.4 * math.cos(1.4)))


def test_an_old_operand_beside_a_young_one_waits_for_all_its_contributions():
    x = scalar(2.0)
    old = x * x
    young = old
    for _ in range(5):
        young = young * 1.5
    (young + old).backward()
    assert x.grad == pytest.approx(4 * (1.5**5 + 1))


def test_nested_diamonds_count_every_path():
    x = scalar(1.0)
    y = x
    for _ in range(20):
        y = y + y
    y.backward()
    assert x.grad == 2.0**20


def test_a_chain_of_100_000_operations_needs_no_recursion():
    x = scalar(0.5)
    y = x
    limit = sys.getrecursionlimit()
    for _ in range(100_000):
        y = y + 1e-6
    y.backward()
    assert x.grad == 1.0
    assert sys.getrecursionlimit() == limit
    del y  # the release of the chain must not recurse either


def test_a_chain_that_is_never_pulled_back_is_released_without_recursion():
    y = scalar(0.5)
    for _ in range(100_000):
        y = y + 1e-6
    before = weakref.ref(y)
    del y
    assert before() is None


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("HYPOTHESIS_PROFILE", "dev") == "dev", reason="as one of 100,000, for longer"
)
def test_a_chain_of_a_million_operations_works():
    x = scalar(0.5)
    y = x
    for _ in range(1_000_000):
        y = y * 1.0
    y.backward()
    assert x.grad == 1.0


def test_a_chain_differentiated_twice_needs_no_recursion():
    x = scalar(1.0)
    y = x
    for _ in range(3_000):
        y = y * x
    (g,) = autograd.grad(y, [x], create_graph=True)
    (h,) = autograd.grad(g, [x])
    assert g.item() == pytest.approx(3001)
    assert h == pytest.approx(3001 * 3000)


def test_gradients_accumulate_over_backward_passes():
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad, [5.0, 5.0])
    x.zero_grad()
    assert x.grad is None


def test_a_gradient_of_a_leaf_itself():
    x = scalar(3.0)
    x.backward()
    assert x.grad == 1.0


def test_a_vector_output_takes_the_gradient_given():
    x = leaf(1.0, 2.0, 3.0)
    (x * x).backward([1.0, 0.0, 2.0])
    np.testing.assert_array_equal(x.grad, [2.0, 0.0, 12.0])


def test_branches_that_do_not_reach_the_output_get_nothing():
    x, y = scalar(1.0), scalar(2.0)
    unused = y * 2  # noqa: F841
    (x * 2).backward()
    assert y.grad is None


def test_a_constant_operand_gets_no_gradient_and_costs_no_rule():
    calls = []

    @autograd.primitive(
        x=lambda g, y: calls.append("x") or g * y, y=lambda g, x: calls.append("y") or g * x
    )
    def product(x, y):
        return x * y

    x, constant = scalar(2.0), Variable(3.0)
    product(x, constant).backward()
    assert calls == ["x"]
    assert constant.grad is None


# -- x.grad: shape, dtype, memory ------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128]
)
def test_a_gradient_has_the_dtype_of_its_data(dtype):
    x = Variable(np.ones((2, 3), dtype), requires_grad=True)
    out = (np.exp(x * 0.5) + np.arange(3.0, dtype=np.float64)).sum()
    (out.real if out.dtype.kind == "c" else out).backward()
    assert x.grad.dtype == dtype
    assert x.grad.shape == (2, 3)
    np.testing.assert_allclose(x.grad, np.full((2, 3), 0.5 * math.exp(0.5)), rtol=1e-3)


@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_gradient_has_the_byte_order_of_its_data(shape):
    x = Variable(np.full(shape, 0.5, ">f8"), requires_grad=True)
    (np.exp(x) * x).sum().backward()
    assert x.grad.dtype == x.data.dtype == ">f8"
    np.testing.assert_allclose(x.grad, 1.5 * np.exp(0.5))
    (recorded,) = autograd.grad((np.exp(x) * x).sum(), [x], create_graph=True)
    assert recorded.dtype == ">f8" or not shape  # NumPy's scalars have that of the machine
    np.testing.assert_allclose(recorded.data, 1.5 * np.exp(0.5))


def test_longdouble_keeps_its_precision():
    x = Variable(np.array(2, np.longdouble), requires_grad=True)
    np.log(x).backward()
    np.log(x * 3).backward()
    assert x.grad == 1  # exact: 1/2 + 3/6


def test_the_gradient_of_a_0d_variable_is_a_0d_array():
    x = scalar(2.0)
    (x * x).backward()
    assert type(x.grad) is np.ndarray
    assert x.grad.shape == ()
    x.grad += 1  # can be written
    assert x.grad == 5.0


def test_gradients_through_broadcasting_have_the_shape_of_the_operand():
    x, y, z = leaf([1.0], [2.0]), leaf(1.0, 2.0, 3.0), scalar(2.0)
    (x * y * z).sum().backward()
    np.testing.assert_array_equal(x.grad, [[12.0], [12.0]])
    np.testing.assert_array_equal(y.grad, [6.0, 6.0, 6.0])
    assert z.grad == 18.0


def test_gradients_of_operands_that_share_a_cotangent_do_not_share_memory():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).sum().backward()
    assert not np.shares_memory(x.grad, y.grad)
    x.grad += 10
    np.testing.assert_array_equal(y.grad, [1.0, 1.0])


def test_a_gradient_passed_to_backward_is_neither_changed_nor_kept():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = np.array([1.0, 10.0])
    z = x + y
    z.retain_grad()
    (z + x).backward(seed)
    np.testing.assert_array_equal(seed, [1.0, 10.0])
    for g in (x.grad, y.grad, z.grad):
        assert not np.shares_memory(g, seed)
    np.testing.assert_array_equal(x.grad, [2.0, 20.0])


def test_a_gradient_of_a_leaf_alone_does_not_share_memory_with_the_seed():
    x = leaf(1.0, 2.0)
    seed = np.array([1.0, 2.0])
    x.backward(seed)
    assert not np.shares_memory(x.grad, seed)


def test_a_gradient_does_not_share_memory_with_what_a_hook_returned():
    x = leaf(1.0, 2.0)
    mine = np.array([5.0, 6.0])
    x.register_hook(lambda g: mine)
    (x * 1).sum().backward()
    (x * 1).sum().backward()
    np.testing.assert_array_equal(x.grad, [10.0, 12.0])
    np.testing.assert_array_equal(mine, [5.0, 6.0])
    assert not np.shares_memory(x.grad, mine)


def test_a_gradient_does_not_share_memory_with_what_a_hook_has_seen():
    x, seen = leaf(1.0, 2.0), []
    y = x * 2
    y.register_hook(seen.append)
    x.register_hook(seen.append)
    (y + x).sum().backward()
    kept = [g.copy() for g in seen]
    x.grad += 100
    (x * 5).sum().backward()
    for g, k in zip(seen, kept, strict=False):
        np.testing.assert_array_equal(g, k)


def test_a_gradient_does_not_share_memory_with_what_a_users_rule_returned():
    mine = np.array([5.0, 6.0])

    @autograd.primitive(x=lambda g: mine)
    def strange(x):
        return x * 1

    x = leaf(1.0, 2.0)
    strange(x).sum().backward()
    (strange(x) + strange(x)).sum().backward()
    np.testing.assert_array_equal(mine, [5.0, 6.0])
    np.testing.assert_array_equal(x.grad, [15.0, 18.0])


def test_gradients_returned_by_grad_share_no_memory():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = np.array([1.0, 10.0])
    gx, gy = autograd.grad(x + y, [x, y], grad_outputs=seed)
    assert not np.shares_memory(gx, gy)
    assert not np.shares_memory(gx, seed)
    assert not np.shares_memory(gy, seed)


def test_the_part_of_a_cotangent_of_several_outputs_does_not_become_a_gradient():
    x = leaf(1.5, 2.5)
    seed = np.array([1.0, 10.0])
    autograd.modf(x)[0].backward(seed)
    np.testing.assert_array_equal(x.grad, seed)
    assert not np.shares_memory(x.grad, seed)


def test_a_gradient_that_is_a_view_inside_the_pass_owns_its_memory():
    x = leaf([1.0, 2.0], [3.0, 4.0])
    seed = np.array([[1.0, 2.0], [3.0, 4.0]])
    x.T.reshape(2, 2).backward(seed)
    assert not np.shares_memory(x.grad, seed)
    np.testing.assert_array_equal(x.grad, seed.T)
    assert x.grad.flags.writeable


def test_the_gradient_of_a_sum_can_be_written_although_it_was_broadcast():
    x = leaf(1.0, 2.0, 3.0)
    x.sum().backward()
    x.grad[0] = 7.0
    np.testing.assert_array_equal(x.grad, [7.0, 1.0, 1.0])


def test_assigning_grad_checks_the_shape_and_copies():
    x = leaf(1.0, 2.0)
    mine = np.array([1.0, 2.0])
    x.grad = mine
    (x * 1).sum().backward()
    np.testing.assert_array_equal(mine, [1.0, 2.0])
    np.testing.assert_array_equal(x.grad, [2.0, 3.0])
    with pytest.raises(ValueError, match=r"grad: wanted a gradient of shape \(2,\), got \(3,\)"):
        x.grad = np.ones(3)


# -- freeing the graph -----------------------------------------------------------------------------


def test_a_second_backward_explains_itself():
    x = scalar(2.0)
    y = np.exp(x * x)
    y.backward()
    with pytest.raises(
        RuntimeError, match=r"freed by an earlier backward pass; pass retain_graph=True"
    ):
        y.backward()


def test_a_graph_that_shares_a_freed_part_explains_itself():
    x = scalar(2.0)
    shared = x * x
    (shared * 2).backward()
    with pytest.raises(RuntimeError, match="freed"):
        (shared * 3).backward()


def test_the_gradient_of_a_freed_intermediate_can_be_asked_for():
    x = scalar(2.0)
    y = x * x
    y.backward()
    z = y * y
    assert autograd.grad(z, [y]) == (8.0,)
    for inputs in ([x], [x, y]):
        with pytest.raises(RuntimeError, match="freed"):
            autograd.grad(y * 3, inputs)


def test_a_leaf_among_the_outputs_of_grad_collects_nothing():
    x, y = scalar(2.0), scalar(3.0)
    assert autograd.grad([x, y * 2], [y]) == (2.0,)
    assert x.grad is None
    assert y.grad is None


def test_retain_graph_allows_another_pass():
    x = scalar(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 8.0
    with pytest.raises(RuntimeError, match="freed"):
        y.backward()


def test_backward_of_what_was_not_recorded_explains_itself():
    with pytest.raises(
        RuntimeError, match=r"backward: wanted a Variable computed from one with requires_grad=True"
    ):
        Variable(1.0).backward()
    with autograd.no_grad():
        y = scalar(1.0) * 2
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()


def test_backward_of_a_vector_asks_for_a_gradient():
    with pytest.raises(RuntimeError, match=r"backward: wanted a scalar output, got shape \(2,\)"):
        (leaf(1.0, 2.0) * 2).backward()


def test_backward_of_a_complex_scalar_asks_for_a_real_one():
    x = Variable(1 + 2j, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"backward: wanted a real output, got complex128"):
        (x * x).backward()


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(
        ValueError, match=r"backward: wanted a gradient of shape \(2,\), got \(3,\)"
    ):
        (leaf(1.0, 2.0) * 2).backward(np.ones(3))


def test_an_output_with_one_element_is_scalar_enough():
    x = leaf([2.0])
    (x * 3).backward()
    np.testing.assert_array_equal(x.grad, [[3.0]])


# -- memory ----------------------------------------------------------------------------------------


@pytest.fixture
def no_gc():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def hundred_operations(x):
    y = x
    for i in range(25):
        y = np.tanh(y * 1.01 + x[i % 3])
    return y.sum()


@pytest.mark.usefixtures("no_gc")
def test_a_graph_of_100_operations_leaves_no_garbage():
    x = leaf(0.1, 0.2, 0.3)
    loss = hundred_operations(x)
    loss.backward()
    del loss
    assert gc.collect() == 0


@pytest.mark.usefixtures("no_gc")
def test_a_graph_that_is_never_pulled_back_leaves_no_garbage():
    x = leaf(0.1, 0.2, 0.3)
    loss = hundred_operations(x)
    del loss
    assert gc.collect() == 0


@pytest.mark.usefixtures("no_gc")
def test_second_derivatives_leave_no_garbage():
    x = leaf(0.1, 0.2, 0.3)
    loss = hundred_operations(x)
    (g,) = autograd.grad(loss, [x], create_graph=True)
    (g * g).sum().backward()
    del loss, g
    assert gc.collect() == 0


@pytest.mark.usefixtures("no_gc")
def test_several_outputs_hooks_and_retained_gradients_leave_no_garbage():
    x = leaf(0.1, 0.2, 0.3)
    first, second = halves(x)
    first.retain_grad()
    second.register_hook(lambda g: g * 2)
    (first * second).sum().backward()
    del first, second
    assert gc.collect() == 0


def test_intermediates_die_with_their_variables_where_no_rule_needs_them():
    x = Variable(np.ones(3), requires_grad=True)
    y = x + 1.0
    ref = weakref.ref(y._data)
    z = y + 1.0
    del y
    assert ref() is None, "add needs no operand, so the sum must be gone"
    z.sum().backward()
    np.testing.assert_array_equal(x.grad, 1)


def test_tanh_keeps_its_output_and_not_its_input():
    x = Variable(np.ones(3), requires_grad=True)
    y = x * 0.5
    ref_in = weakref.ref(y._data)
    z = np.tanh(y)
    ref_out = weakref.ref(z._data)
    del y
    assert ref_in() is None
    loss = z.sum()
    del z
    assert ref_out() is not None
    loss.backward()
    assert ref_out() is None, "the backward pass frees what it has used"


def test_a_product_with_a_constant_keeps_only_the_constant():
    constant = np.ones((2, 3))
    w = Variable(np.ones((3, 4)), requires_grad=True)
    product = Variable(constant, copy=False) @ w
    arrays = [a for a in product._node.saved if isinstance(a, np.ndarray)]
    assert [a is constant for a in arrays] == [True]
    scaled = w * 2.0
    assert not isinstance(scaled._node.saved, np.ndarray)


def test_an_addition_keeps_nothing():
    x = leaf(1.0, 2.0)
    assert (x + 1.0)._node.saved is None
    assert (-x)._node.saved is None


def test_a_shape_is_kept_without_the_data():
    x = Variable(np.ones((2, 3)), requires_grad=True)
    y = x * 1.0
    ref = weakref.ref(y._data)
    z = y.sum()
    del y
    assert ref() is None
    z.backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 3)))


def peak_of_backward(operation, count=80, size=100_000):
    """Return the most memory that the backward pass of a chain takes at a time, in arrays."""
    x = Variable(np.full(size, 0.5), requires_grad=True)
    y = x
    for _ in range(count):
        y = operation(y)
    loss = y.sum()
    del y
    tracemalloc.start()
    try:
        loss.backward()
        return tracemalloc.get_traced_memory()[1] / x.nbytes
    finally:
        tracemalloc.stop()


def test_the_backward_pass_of_a_chain_holds_few_arrays_at_a_time():
    assert peak_of_backward(np.tanh) <= 3.1
    assert peak_of_backward(lambda y: y + 1.0) <= 2.1
    assert peak_of_backward(lambda y: y * 1.01) <= 3.1


def test_a_backward_pass_frees_what_it_has_used():
    x = Variable(np.full(100_000, 0.5), requires_grad=True)
    tracemalloc.start()
    try:
        y = x
        for _ in range(20):
            y = np.tanh(y)
        loss = y.sum()
        del y
        before = tracemalloc.get_traced_memory()[0] / x.nbytes
        loss.backward()
        after = tracemalloc.get_traced_memory()[0] / x.nbytes
    finally:
        tracemalloc.stop()
    assert 19.9 < before < 20.2, "one output for each tanh"
    assert 0.9 < after < 1.2, "the gradient of x alone"


def test_a_variable_that_is_kept_does_not_keep_what_its_rule_needed():
    x = leaf(1.0, 2.0)
    factor = np.sin(x)
    ref = weakref.ref(factor._data)
    kept = factor * x
    kept.sum().backward()
    del factor
    assert kept.shape == (2,)
    assert ref() is None


# -- several outputs -------------------------------------------------------------------------------


def test_several_outputs_are_pulled_back_together():
    calls = []

    @autograd.primitive(x=lambda g, x: calls.append(g) or _halves_rule(g, x))
    def counted(x):
        return x[:1] * 1, x[1:] * 1

    x = leaf(1.0, 2.0, 3.0)
    first, second = counted(x)
    (first.sum() * 2 + (second * second).sum()).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0, 6.0])
    assert len(calls) == 1


def test_an_unused_output_reaches_the_rule_as_none():
    calls = []

    @autograd.primitive(x=lambda g, x: calls.append(g) or _halves_rule(g, x))
    def counted(x):
        return x[:1] * 1, x[1:] * 1

    x = leaf(1.0, 2.0, 3.0)
    counted(x)[1].sum().backward()
    assert calls[0][0] is None
    np.testing.assert_array_equal(x.grad, [0.0, 1.0, 1.0])


def test_an_output_used_twice_adds_up():
    x = leaf(1.0, 2.0, 3.0)
    first, second = halves(x)
    (first * first * second).sum().backward()
    np.testing.assert_array_equal(x.grad, [10.0, 1.0, 1.0])


def test_several_outputs_differentiate_twice():
    x = leaf(1.0, 2.0, 3.0)
    first, second = halves(x)
    (g,) = autograd.grad((first * (second * second)).sum(), [x], create_graph=True)
    (h,) = autograd.grad(g.sum(), [x])
    # f = a (b^2 + c^2): the sum of its gradient is b^2 + c^2 + 2 a b + 2 a c
    np.testing.assert_allclose(h, [2 * 2 + 2 * 3, 2 * 2 + 2 * 1, 2 * 3 + 2 * 1])


def test_outputs_that_nobody_holds_are_freed():
    @autograd.primitive(x=_halves_rule)
    def large(x):
        return x[:1] * 1, x[1:] * 1

    x = leaf(1.0, 2.0, 3.0)
    first, second = large(x)
    ref = weakref.ref(second._data)
    del second
    assert ref() is None
    first.sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 0.0, 0.0])


# -- hooks and retained gradients ------------------------------------------------------------------


def test_hooks_run_in_the_order_of_registration_and_replace_the_gradient():
    x, order = leaf(1.0, 2.0), []

    def first(g):
        order.append("first")
        return g * 2

    def second(g):
        order.append("second")
        return g + 1

    x.register_hook(first)
    x.register_hook(second)
    (x * 3).sum().backward()
    assert order == ["first", "second"]
    np.testing.assert_array_equal(x.grad, [7.0, 7.0])


def test_a_hook_sees_the_complete_gradient_once():
    x, seen = scalar(2.0), []
    y = x * 3
    y.register_hook(lambda g: seen.append(float(g)))
    (y * y + y).backward()
    assert seen == [13.0]


def test_a_removed_hook_is_silent():
    x, seen, kept = scalar(2.0), [], []
    handle = x.register_hook(seen.append)
    x.register_hook(kept.append)
    handle.remove()
    handle.remove()  # a second time does no harm
    (x * 1).backward()
    with x.register_hook(seen.append) as handle:
        assert repr(handle) == "HookHandle(list.append)"
        (x * 1).backward()
    (x * 1).backward()
    assert len(seen) == 1
    assert len(kept) == 3
    assert repr(handle) == "HookHandle(list.append, removed)"


def test_one_hook_registered_twice_is_removed_once():
    x, seen = scalar(2.0), []
    first, second = x.register_hook(seen.append), x.register_hook(seen.append)
    second.remove()
    (x * 1).backward()
    assert len(seen) == 1
    first.remove()
    (x * 1).backward()
    assert len(seen) == 1


def test_a_hook_may_remove_itself_and_others_while_it_runs():
    x, seen = scalar(2.0), []

    def once(g):
        seen.append("once")
        handles[0].remove()

    handles = [x.register_hook(once), x.register_hook(lambda g: seen.append("always"))]
    (x * 1).backward()
    (x * 1).backward()
    assert seen == ["once", "always", "always"]


def write(g):
    g *= 10


@pytest.mark.parametrize("retain", [True, False])
def test_a_hook_cannot_write_into_what_others_are_given(retain):
    x, a = leaf(1.0), leaf(1.0)
    z = x + a  # both get the same array
    if retain:
        a.retain_grad()
    a.register_hook(write)
    with pytest.raises(ValueError, match="read-only") as caught:
        z.sum().backward()
    assert caught.value.__notes__ == [
        "hook: wanted a new array as result, got a change of one that was given"
    ]
    seed = np.ones(1)
    with pytest.raises(ValueError, match="read-only"):
        a.backward(seed)
    np.testing.assert_array_equal(seed, [1.0])
    with pytest.raises(ValueError, match="read-only"):
        autograd.grad(x + a, [x, a], seed)


def test_the_gradient_that_a_hook_has_seen_is_the_owners_to_write():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: None)
    (x * 3).sum().backward()
    x.grad *= 2.0
    np.testing.assert_array_equal(x.grad, [6.0, 6.0])


@pytest.mark.parametrize(
    "result, got",
    [
        (1j * np.ones(2), "dtype complex128"),
        (np.array([None, 1.0]), "dtype object"),
        (np.array(["a", "b"]), "dtype <U1"),
        (np.float64(1.0), r"shape \(\), dtype float64"),
        ([1.0, 2.0], "list"),
        (1.0, "float"),
    ],
)
def test_a_hook_that_returns_no_gradient_of_its_variable_is_refused(result, got):
    x = leaf(1.0, 2.0)
    y = x * 1
    y.register_hook(lambda g: result)
    with pytest.raises(ValueError, match=rf"hook: wanted None or a gradient .* got .*{got}; ret"):
        y.sum().backward()


@pytest.mark.parametrize("again", [{}, {"retain_graph": True}])
@pytest.mark.parametrize("back", ["backward", "grad"])
def test_a_hook_that_runs_its_own_graph_is_refused(back, again):
    x = leaf(1.0, 2.0)
    y = x * 1
    z = y.sum()

    def hook(g):
        return z.backward(**again) if back == "backward" else autograd.grad(z, x, **again)[0]

    y.register_hook(hook)
    with pytest.raises(
        RuntimeError,
        match="hooks that run no backward pass through their own Variable|graph was freed",
    ):
        z.backward(retain_graph=True)
    if again:  # nothing is left behind: the next pass is told the same
        with pytest.raises(RuntimeError, match="wanted hooks that run no backward pass"):
            z.backward(retain_graph=True)


def test_a_hook_may_run_other_graphs():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * 1

    def hook(g):
        (w * g).sum().backward()
        return autograd.grad(lambda v: (v * v).sum())(g)

    y.register_hook(hook)
    (y * 2.0).sum().backward()
    np.testing.assert_array_equal(w.grad, [2.0, 2.0])
    np.testing.assert_array_equal(x.grad, [4.0, 4.0])


def test_a_hook_runs_in_several_threads_at_once():
    x = leaf(1.0, 2.0)
    y, meet = x * 1, threading.Barrier(2)
    y.register_hook(lambda g: g * (meet.wait(10) >= 0))
    again = {"retain_graph": True}
    outputs = [(y * k).sum() for k in (1.0, 2.0)]
    threads = [threading.Thread(target=autograd.grad, args=(o, x), kwargs=again) for o in outputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not meet.broken


def test_a_hook_of_an_intermediate_changes_what_comes_after_it():
    x = leaf(1.0, -2.0)
    y = x * 2
    y.register_hook(lambda g: np.clip(g, -1, 1))
    (y * 10).sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


def test_a_hook_of_the_wrong_shape_is_refused():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: np.ones(3))
    with pytest.raises(
        ValueError, match=r"hook: wanted None or a gradient of shape \(2,\), got shape \(3,\)"
    ):
        (x * 1).sum().backward()
    y = leaf(1.0, 2.0)
    y.register_hook(lambda g: "no")
    with pytest.raises(ValueError, match="got str"):
        (y * 1).sum().backward()


def test_a_hook_that_returns_another_dtype_is_cast():
    x = Variable(np.ones(2, np.float32), requires_grad=True)
    x.register_hook(lambda g: g.astype(np.float64) * 2)
    (x * 1).sum().backward()
    assert x.grad.dtype == np.float32


def test_a_hook_may_divide_by_zero_under_the_settings_of_its_user():
    x = leaf(1.0)
    x.register_hook(lambda g: g / np.zeros(1))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        (x * 1).sum().backward()
    with np.errstate(all="ignore"):
        (x * 1).sum().backward()
    assert np.isinf(x.grad).all()


def test_a_hook_gets_the_gradient_in_pytorchs_convention():
    z, seen = Variable(1 + 2j, requires_grad=True), []
    z.register_hook(lambda g: seen.append(complex(g)))
    (z * np.conj(z)).real.backward()
    assert seen == [2 + 4j]


def test_register_hook_asks_for_a_variable_with_a_gradient():
    with pytest.raises(
        RuntimeError, match="register_hook: wanted a Variable that requires a gradient"
    ):
        Variable(1.0).register_hook(print)
    with pytest.raises(TypeError, match="register_hook: wanted a function of the gradient, got No"):
        scalar(1.0).register_hook(None)


def test_retain_grad_keeps_the_gradient_of_an_intermediate():
    x = scalar(2.0)
    y = x * 3
    z = y * y
    with pytest.warns(UserWarning, match=r"grad: wanted a leaf, got the result .*retain_grad\(\)"):
        assert y.grad is None
    y.retain_grad()
    y.retain_grad()  # twice is once
    z.backward(retain_graph=True)
    assert y.grad == 12.0
    z.backward()
    assert y.grad == 24.0
    assert x.grad == 72.0


def test_retain_grad_sees_what_hooks_made_of_the_gradient():
    x = scalar(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    (y * 1).backward()
    assert y.grad == 10.0
    assert x.grad == 30.0


def test_retain_grad_asks_for_a_variable_with_a_gradient():
    with pytest.raises(
        RuntimeError, match="retain_grad: wanted a Variable that requires a gradient"
    ):
        Variable(1.0).retain_grad()


# -- data that changes between forward and backward ------------------------------------------------


def test_assigning_data_after_it_was_saved_is_detected():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    x.data = np.array([5.0, 6.0])
    with pytest.raises(
        RuntimeError, match=r"data of shape \(2,\) was changed .* after multiply saved it"
    ):
        y.backward()


def test_marking_data_as_changed_after_it_was_saved_is_detected():
    x = leaf(1.0, 2.0)
    y = np.exp(np.sin(x)).sum()
    x.data[0] = 9.0
    x.mark_changed()
    with pytest.raises(RuntimeError, match="after sin saved it"):
        y.backward()


def test_a_change_is_detected_through_a_view():
    w, x = leaf([1.0, 2.0], [3.0, 4.0]), leaf(1.0, 1.0)
    y = (x @ w.T).sum()
    w.data[:] = 0
    w.mark_changed()
    with pytest.raises(RuntimeError, match="after matmul saved it"):
        y.backward()


def test_a_change_before_the_forward_pass_is_fine():
    x = leaf(1.0, 2.0)
    x.data = np.array([5.0, 6.0])
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, [10.0, 12.0])


def test_a_new_number_leaves_the_saved_one_alone():
    x = Variable(2.0, requires_grad=True)
    y = x * x
    x.data = 5.0
    y.backward()
    assert x.grad == 4.0


def test_a_change_of_a_0d_array_is_detected():
    x = Variable(np.array(2.0), requires_grad=True)
    x.data  # noqa: B018 - an array from now on
    y = x * x
    x.data[...] = 5.0
    x.mark_changed()
    with pytest.raises(RuntimeError, match=r"data of shape \(\) was changed"):
        y.backward()


def test_a_change_of_frozen_or_detached_data_is_detected():
    w, x = leaf(3.0, 4.0), leaf(1.0, 2.0)
    y = (x * w.detach()).sum()
    w.data[:] = 0.0
    w.mark_changed()
    with pytest.raises(RuntimeError, match="after multiply saved it"):
        y.backward()


def test_a_change_of_what_no_rule_saved_is_fine():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    loss = (x + y * 2.0).sum()
    x.data = np.zeros(2)
    y.data = np.zeros(2)
    loss.backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])
    np.testing.assert_array_equal(y.grad, [2.0, 2.0])


def test_a_change_of_a_leaf_outside_the_graph_is_fine():
    x, other = leaf(1.0, 2.0), leaf(1.0)
    loss = (x * x).sum()
    other.data = np.zeros(1)
    loss.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_a_change_beside_what_was_saved_in_one_buffer_is_fine():
    buffer = np.ones((4, 6))
    left = Variable(buffer[:, :3], requires_grad=True)
    right = Variable(buffer[:, 3:], requires_grad=True)
    loss = (left + right * right).sum()
    left.data[:] = 5.0
    left.mark_changed()
    loss.backward()
    np.testing.assert_array_equal(right.grad, np.full((4, 3), 2.0))
    loss = (left + right * right).sum()
    right.data[:] = 5.0
    right.mark_changed()
    with pytest.raises(RuntimeError, match="after multiply saved it"):
        loss.backward()


def test_training_steps_between_forward_passes_are_fine():
    w = leaf(1.0, 2.0)
    for _ in range(3):
        loss = ((w - 3.0) * (w - 3.0)).sum()
        w.zero_grad()
        loss.backward()
        w.data -= 0.25 * w.grad
        w.mark_changed()
    np.testing.assert_allclose(w.data, 3 - (3 - np.array([1.0, 2.0])) * 0.5**3)


# -- masked cotangents -----------------------------------------------------------------------------
# A branch that was not taken contributes nothing, whatever was computed to get there.

SINGULAR = {
    "sqrt": (np.sqrt, 0.0),
    "log": (np.log, 0.0),
    "log of a negative number": (np.log, -1.0),
    "sqrt of a negative number": (np.sqrt, -1.0),
    "reciprocal": (np.reciprocal, 0.0),
    "divide": (lambda x: 1.0 / x, 0.0),
    "power below one": (lambda x: x**0.5, 0.0),
    "negative power": (lambda x: x**-1.5, 0.0),
    "variable power": (lambda x: x**x, -0.5),
    "arcsin": (np.arcsin, 1.0),
    "arccos": (np.arccos, -1.0),
    "arctanh": (np.arctanh, 1.0),
    "arccosh": (np.arccosh, 1.0),
    "arccosh outside": (np.arccosh, 0.0),
    "cbrt": (np.cbrt, 0.0),
    "log1p": (np.log1p, -1.0),
    "two steps": (lambda x: np.log(np.sqrt(x)), 0.0),
    "quotient": (lambda x: np.sin(x) / x, 0.0),
    "exp of a large number": (lambda x: np.exp(x * 1e6) / np.exp(x * 1e6), 1.0),
}
each_singular = pytest.mark.parametrize("function, bad", SINGULAR.values(), ids=SINGULAR)
GOOD = 0.3


def reference(function):
    """Return the derivative of `function` at the harmless point."""
    return autograd.grad(function)(GOOD)


@each_singular
def test_where_protects_the_branch_it_took(function, bad):
    with np.errstate(all="ignore"):
        x = leaf(bad, 2.0 if bad > 2 else GOOD)
        good = np.array([False, True])
        if function is np.arccosh:
            x = leaf(bad, 2.0)
        wanted = autograd.grad(function)(x.data[1])
        np.where(good, function(x), 0.0).sum().backward()
    np.testing.assert_allclose(x.grad, [0.0, wanted], rtol=1e-12)


@each_singular
def test_indexing_protects_what_it_did_not_read(function, bad):
    with np.errstate(all="ignore"):
        x = leaf(bad, 2.0 if function is np.arccosh else GOOD)
        wanted = autograd.grad(function)(x.data[1])
        function(x)[1].backward()
    np.testing.assert_allclose(x.grad, [0.0, wanted], rtol=1e-12)


@each_singular
def test_a_gradient_of_zero_from_the_user_protects(function, bad):
    with np.errstate(all="ignore"):
        x = leaf(bad, 2.0 if function is np.arccosh else GOOD)
        wanted = autograd.grad(function)(x.data[1])
        function(x).backward([0.0, 1.0])
    np.testing.assert_allclose(x.grad, [0.0, wanted], rtol=1e-12)


@each_singular
def test_a_protected_branch_stays_protected_in_second_derivatives(function, bad):
    with np.errstate(all="ignore"):
        x = leaf(bad, 2.0 if function is np.arccosh else GOOD)
        wanted = autograd.grad(autograd.grad(function))(x.data[1])
        (g,) = autograd.grad(
            np.where([False, True], function(x), 0.0).sum(), [x], create_graph=True
        )
        (h,) = autograd.grad(g.sum(), [x])
    np.testing.assert_allclose(g.data[0], 0.0)
    np.testing.assert_allclose(h, [0.0, wanted], rtol=1e-12)


def test_clip_protects_what_it_cut_off():
    with np.errstate(all="ignore"):
        x = leaf(0.0, 4.0)
        np.clip(np.log(x), -5.0, 5.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


def test_maximum_protects_the_smaller_operand():
    with np.errstate(all="ignore"):
        x = leaf(0.0, 4.0)
        np.maximum(np.log(x), 0.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


def test_a_hook_that_sets_a_gradient_to_zero_protects():
    x = leaf(np.nan, 4.0)
    y = np.exp(x) * x
    y.register_hook(lambda g: np.where([True, False], 0.0, g))
    y.sum().backward()
    np.testing.assert_allclose(x.grad, [0.0, 5 * math.exp(4)])


@pytest.mark.parametrize("mask", [np.array([0.0, 1.0]), np.array([False, True])])
def test_a_factor_of_zero_protects_from_infinite_slopes(mask):
    x = leaf(0.0, 4.0)
    (np.sqrt(x) * mask).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


def test_nan_in_the_data_stays_where_it_is():
    x = leaf(np.nan, 2.0)
    y = x * x * np.exp(x)
    np.where(np.isnan(x), 0.0, y).sum().backward()
    np.testing.assert_allclose(x.grad, [0.0, 8 * math.exp(2)])


def test_the_square_root_of_a_square_behind_where():
    x = leaf(0.0, -3.0)
    np.where(x != 0, np.sqrt(x * x), 0.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, -1.0])


def test_without_a_mask_infinite_slopes_are_shown():
    x = leaf(0.0, 4.0)
    np.sqrt(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [np.inf, 0.25])
    y = leaf(0.0)
    np.sqrt(y * y).sum().backward()
    assert np.isnan(y.grad).all()


def test_opposite_infinite_slopes_are_nan_and_no_error():
    x = leaf(0.0)
    y = np.sqrt(x)
    (y - np.sqrt(x)).sum().backward()
    assert np.isnan(x.grad).all()
    broadcast = scalar(0.0)
    (np.sqrt(broadcast * np.ones(2)) * np.array([1.0, -1.0])).sum().backward()
    assert np.isnan(broadcast.grad)


def test_infinite_gradients_accumulate_to_nan_and_no_error():
    x = leaf(0.0)
    np.sqrt(x).sum().backward()
    (-np.sqrt(x)).sum().backward()
    assert np.isnan(x.grad).all()


def test_the_backward_pass_leaves_numpys_error_settings_alone():
    before = np.geterr()
    x = leaf(0.0)
    np.sqrt(x).sum().backward()
    assert np.geterr() == before
    y = leaf(1.0)
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (y * 1).sum().backward()
    assert np.geterr() == before


# -- higher orders ---------------------------------------------------------------------------------


def test_second_derivatives_through_grad_and_create_graph():
    x = scalar(0.7)
    (g,) = autograd.grad(np.sin(x) * x, [x], create_graph=True)
    assert g.item() == pytest.approx(math.cos(0.7) * 0.7 + math.sin(0.7))
    g.backward()
    assert x.grad == pytest.approx(2 * math.cos(0.7) - 0.7 * math.sin(0.7))


def test_derivatives_up_to_the_sixth_order():
    f = np.sin
    for _ in range(6):
        f = autograd.grad(f)
    assert f(0.4) == pytest.approx(-math.sin(0.4), rel=1e-12)


def test_a_gradient_penalty_trains_through_the_gradient():
    x, w = leaf(0.5, -0.3), leaf([0.2, 0.4], [0.1, -0.6])
    (g,) = autograd.grad(np.tanh(x @ w).sum(), [x], create_graph=True)
    (g * g).sum().backward()

    def penalty(values):
        t = 1 - np.tanh(x.data @ values) ** 2
        return np.sum((values @ t) ** 2)

    for i in range(2):
        for j in range(2):
            step = np.zeros((2, 2))
            step[i, j] = 1e-5
            slope = (penalty(w.data + step) - penalty(w.data - step)) / 2e-5
            assert w.grad[i, j] == pytest.approx(slope, rel=1e-7)


def test_a_pass_that_creates_a_graph_can_run_again():
    x = scalar(2.0)
    y = x**3
    (a,) = autograd.grad(y, [x], create_graph=True)
    (b,) = autograd.grad(y, [x], create_graph=True)
    (h,) = autograd.grad(a * b, [x])
    assert h == pytest.approx(2 * 12 * 12)  # d (3x^2)^2 = 2 * 3x^2 * 6x


def test_the_gradient_of_a_linear_function_has_a_second_derivative_of_zero():
    x = leaf(1.0, 2.0)
    (g,) = autograd.grad((x * 3.0).sum(), [x], create_graph=True)
    assert isinstance(g, Variable)
    (h,) = autograd.grad((g * x).sum(), [x])
    np.testing.assert_array_equal(h, [3.0, 3.0])


# -- random programs -------------------------------------------------------------------------------
# Straight-line programs on a growing list of values: every step reads any earlier values, so that
# subexpressions are shared in all ways; all steps are smooth and bounded.

UNARY = [
    np.sin,
    np.tanh,
    np.arctan,
    lambda a: a * 0.5,
    lambda a: -a,
    lambda a: np.exp(-a * a),
    lambda a: np.sqrt(1 + a * a),
]
BINARY = [
    lambda a, b: (a + b) * 0.5,
    lambda a, b: (a - b) * 0.5,
    lambda a, b: np.tanh(a) * np.cos(b),
    lambda a, b: a / (2 + b * b),
    lambda a, b: np.hypot(a, 1 + b * b * 0.1),
    np.logaddexp,
]
SHAPING = [
    lambda a: a.T if a.ndim > 1 else a,
    lambda a: a[..., None],
    lambda a: a.sum() / a.size,
    lambda a: a.reshape(-1)[:1],
    lambda a: a.reshape(-1)[[0, -1, 0]],
    lambda a: np.stack([a, a * 0.9])[1],
    lambda a: np.concatenate([a.reshape(-1), a.reshape(-1)[::-1]]),
    lambda a: a,
]
SHAPES = [(), (2,), (1, 2), (3, 1)]

step = st.tuples(
    st.sampled_from(["unary", "binary", "shape"]),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 50),
)
programs = st.tuples(
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    st.lists(step, min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
)


def run_program(steps, inputs):
    values = list(inputs)
    for kind, which, i, j in steps:
        a, b = values[-1 - i % len(values)], values[-1 - j % len(values)]
        if kind == "unary":
            values.append(UNARY[which % len(UNARY)](a))
        elif kind == "shape":
            values.append(SHAPING[which % len(SHAPING)](a))
        else:
            try:
                np.broadcast_shapes(a.shape, b.shape)
            except ValueError:
                b = b.mean()
            values.append(BINARY[which % len(BINARY)](a, b))
        if values[-1].size > 200 or values[-1].ndim > 4:
            values.pop()
    return sum((np.sin(v).sum() for v in values[1:]), values[0].sum())


@given(programs)
def test_gradients_of_random_programs_equal_differences(program):
    shapes, steps, seed = program
    rng = np.random.default_rng(seed)
    points = [rng.normal(size=shape) for shape in shapes]
    inputs = [Variable(p, requires_grad=True) for p in points]
    run_program(steps, inputs).backward()
    direction = [rng.normal(size=shape) for shape in shapes]
    slope = sum(
        np.sum(x.grad * d) for x, d in zip(inputs, direction, strict=True) if x.grad is not None
    )
    numeric = slope_of(
        lambda t: run_program(steps, [p + t * d for p, d in zip(points, direction, strict=True)])
    )
    assert slope == pytest.approx(float(numeric), rel=1e-6, abs=1e-6)


@given(programs)
def test_second_derivatives_of_random_programs_equal_differences(program):
    shapes, steps, seed = program
    rng = np.random.default_rng(seed)
    points = [rng.normal(size=shape) for shape in shapes]
    direction = [rng.normal(size=shape) for shape in shapes]

    def slope(points):
        inputs = [Variable(p, requires_grad=True) for p in points]
        gradients = autograd.grad(
            run_program(steps, inputs), inputs, create_graph=True, allow_unused=True
        )
        return inputs, sum(
            (g * d).sum() for g, d in zip(gradients, direction, strict=True) if g is not None
        )

    inputs, first = slope(points)
    if not first.requires_grad:  # a linear program
        return
    second = autograd.grad(first, inputs, allow_unused=True)
    curvature = sum(np.sum(g * d) for g, d in zip(second, direction, strict=True) if g is not None)
    numeric = slope_of(
        lambda t: slope([p + t * d for p, d in zip(points, direction, strict=True)])[1].item()
    )
    assert curvature == pytest.approx(float(numeric), rel=1e-5, abs=1e-5)


def slope_of(function, h=1e-3):
    """Return the derivative at 0, by central differences with error h^4."""
    return (8 * (function(h) - function(-h)) - (function(2 * h) - function(-2 * h))) / (12 * h)


# The same with complex values: steps are analytic, conjugate, or cross between real and complex.

COMPLEX_UNARY = [
    np.conj,
    lambda z: z * 0.5j,
    lambda z: np.exp(z * 0.1),
    np.sin,
    lambda z: z.real * (1 + 0.3j),
    lambda z: np.abs(1.5 + z * np.conj(z)),
    lambda z: z * z.imag,
    lambda z: np.tanh(z * 0.3),
    lambda z: z.sum(),
    lambda z: z[..., None],
]
COMPLEX_BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b * 1j,
    lambda a, b: a * b,
    lambda a, b: a / (2 + b * np.conj(b)),
    lambda a, b: np.conj(a) * b,
]


def run_complex_program(steps, inputs):
    values = list(inputs)
    for kind, which, i, j in steps:
        a, b = values[-1 - i % len(values)], values[-1 - j % len(values)]
        if kind == "unary":
            new = COMPLEX_UNARY[which % len(COMPLEX_UNARY)](a)
        else:
            try:
                np.broadcast_shapes(a.shape, b.shape)
            except ValueError:
                b = b.sum()
            new = COMPLEX_BINARY[which % len(COMPLEX_BINARY)](a, b)
        if new.size <= 100:
            values.append(np.tanh(new * 0.1) if new.ndim < 3 else np.tanh(new.sum() * 0.1))
    total = 0.0
    for v in values:
        total = total + (v * np.conj(v)).real.sum() + v.imag.sum() * 0.3
    return total


complex_step = st.tuples(
    st.sampled_from(["unary", "binary"]), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50)
)
complex_programs = st.tuples(
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    st.lists(complex_step, min_size=1, max_size=10),
    st.integers(0, 2**32 - 1),
)


def complex_points(shapes, rng):
    """Draw an operand per shape: the first real, the others complex."""
    return [
        rng.normal(size=shape) + (1j * rng.normal(size=shape) if i else 0.0)
        for i, shape in enumerate(shapes)
    ]


def product(gradients, direction):
    return sum(
        np.sum((np.conj(g) * d).real)
        for g, d in zip(gradients, direction, strict=True)
        if g is not None
    )


@given(complex_programs)
def test_gradients_of_random_complex_programs_equal_differences(program):
    shapes, steps, seed = program
    rng = np.random.default_rng(seed)
    points, direction = complex_points(shapes, rng), complex_points(shapes, rng)
    inputs = [Variable(p, requires_grad=True) for p in points]
    run_complex_program(steps, inputs).backward()
    assert all(x.grad is None or x.grad.dtype == x.dtype for x in inputs)
    numeric = slope_of(
        lambda t: run_complex_program(
            steps, [p + t * d for p, d in zip(points, direction, strict=True)]
        )
    )
    slope = product([x.grad for x in inputs], direction)
    assert slope == pytest.approx(float(numeric), rel=1e-6, abs=1e-6)


@given(complex_programs)
def test_second_derivatives_of_random_complex_programs_equal_differences(program):
    shapes, steps, seed = program
    rng = np.random.default_rng(seed)
    points, direction = complex_points(shapes, rng), complex_points(shapes, rng)

    def slope(points):
        inputs = [Variable(p, requires_grad=True) for p in points]
        gradients = autograd.grad(
            run_complex_program(steps, inputs), inputs, create_graph=True, allow_unused=True
        )
        return inputs, product(gradients, direction)

    inputs, first = slope(points)
    second = autograd.grad(first, inputs, allow_unused=True)
    numeric = slope_of(
        lambda t: slope([p + t * d for p, d in zip(points, direction, strict=True)])[1].item()
    )
    assert product(second, direction) == pytest.approx(float(numeric), rel=1e-5, abs=1e-5)


def test_a_pass_to_an_intermediate_leaves_its_graph_to_others():
    x = leaf(1.0, 2.0)
    y = x * x
    autograd.grad((y * 3.0).sum(), y)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
