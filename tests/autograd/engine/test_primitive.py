"""Making operations: what rules may need, what is kept and checked, errors of authors."""

import inspect
import weakref

import numpy as np
import pytest

import autograd
from autograd import Variable
from autograd.engine import calls as _primitive
from autograd.engine.calls import holds
from autograd.engine.graph import recorded
from autograd.engine.mode import watching
from autograd.engine.primitive import PRIMITIVES
from autograd.extend import binary, primitive, unary


def leaf(*values, dtype=float):
    return Variable(np.array(values, dtype=dtype), requires_grad=True)


def differences(function, x, h=1e-6):
    """Return the gradient of a scalar function of an array, by central differences."""
    g = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        g[i] = (function(x + step) - function(x - step)) / (2 * h)
    return g


# -- the three factories ---------------------------------------------------------------------------


def test_unary_makes_a_kind_preserving_elementwise_function():
    softsign = unary(
        lambda x: x / (1 + np.abs(x)), name="softsign", x=lambda g, x: g / (1 + np.abs(x)) ** 2
    )
    assert softsign.__name__ == "softsign"
    assert type(softsign(np.ones(2))) is np.ndarray
    assert isinstance(softsign(Variable(1.0)), Variable)
    x = leaf(-1.0, 2.0)
    softsign(x).sum().backward()
    np.testing.assert_allclose(x.grad, [0.25, 1 / 9])


def test_binary_undoes_broadcasting():
    weigh = binary(
        lambda x, y: x * y * 2, name="weigh", x=lambda g, y: g * y * 2, y=lambda g, x: g * x * 2
    )
    x, y = leaf([1.0], [2.0]), leaf(1.0, 2.0, 3.0)
    weigh(x, y).sum().backward()
    np.testing.assert_array_equal(x.grad, [[12.0], [12.0]])
    np.testing.assert_array_equal(y.grad, [6.0, 6.0, 6.0])


def test_primitive_takes_operands_by_position_and_by_keyword():
    @primitive(x=lambda g, y: g * y, y=lambda g, x: g * x)
    def product(x, y=3.0):
        return x * y

    x = leaf(2.0)
    for result in (product(x), product(x, 3.0), product(x=x), product(y=3.0, x=x)):
        x.zero_grad()
        result.sum().backward()
        np.testing.assert_array_equal(x.grad, [3.0])


def test_a_rule_can_be_attached_later():
    @primitive
    def double(x):
        return x * 2

    with pytest.raises(
        TypeError,
        match=r"double: wanted operand 'x' without a gradient.*no rule for it.*x\.detach\(\)",
    ):
        double(leaf(1.0))
    double.defvjp(x=lambda g: g * 2)
    x = leaf(1.0)
    double(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0])


@pytest.mark.parametrize("arity", [1, 2])
def test_a_rule_that_is_attached_again_takes_the_place_of_the_first(arity):
    if arity == 1:
        f = unary(lambda x: x * 1, name="f", x=lambda g: g)
    else:
        product = binary(np.multiply, name="f", x=lambda g: g)
        f = lambda x: product(x, 1.0)
        f.defvjp = product.defvjp
    assert autograd.grad(f)(1.0) == 1.0  # plans are made here
    f.defvjp(x=lambda g: g * 7)
    assert autograd.grad(f)(1.0) == 7.0


def test_rules_by_position_are_told_the_spelling_here():
    double = primitive(lambda x: x * 2, name="double")
    with pytest.raises(
        TypeError, match=r"double\.defvjp\(x=lambda g, out, x: \.\.\.\), or for rules in two"
    ):
        double.defvjp(lambda ans, x: lambda g: g * 2)


def test_what_the_library_alone_may_know_is_no_argument():
    for maker in (primitive, unary, binary):
        assert not {"trusted", "defers", "masks"} & set(inspect.signature(maker).parameters)
    with pytest.raises(TypeError, match="wanted a rule for one of x, got one for 'trusted'"):
        primitive(trusted=True)(lambda x: x)


def test_a_users_primitive_is_not_entered_among_those_of_the_library():
    before = dict(PRIMITIVES)
    unary(np.sin, name="my_sine", x=lambda g: g)
    assert before == PRIMITIVES


def test_a_constant_operand_needs_no_rule():
    @primitive(x=lambda g, table: g * table)
    def scaled(x, table):
        return x * table

    x = leaf(1.0, 2.0)
    scaled(x, Variable([3.0, 4.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 4.0])
    with pytest.raises(TypeError, match="wanted operand 'table' without a gradient"):
        scaled(x, leaf(1.0, 1.0))


def test_nondiff_operands_may_require_a_gradient_and_get_none():
    @primitive(x=lambda g, mask: g * mask, nondiff=("mask",))
    def masked(x, mask):
        return x * mask

    x, mask = leaf(1.0, 2.0), leaf(1.0, 0.0)
    masked(x, mask).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 0.0])
    assert mask.grad is None


def test_variadic_operands_tell_their_rule_which_one_is_meant():
    @primitive(
        arrays=lambda g, arrays, index, power: (
            g * power * arrays[index] ** (power - 1) * (index + 1)
        )
    )
    def weighted(*arrays, power=2):
        return sum((i + 1) * a**power for i, a in enumerate(arrays))

    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    weighted(a, np.ones(2), b, power=3).sum().backward()
    np.testing.assert_array_equal(a.grad, [3.0, 12.0])
    np.testing.assert_array_equal(b.grad, [81.0, 144.0])
    (g,) = autograd.grad(weighted(a, b).sum(), [b], create_graph=True)
    (h,) = autograd.grad(g.sum(), [b])
    np.testing.assert_array_equal(h, [4.0, 4.0])


def test_a_joint_rule_is_told_what_is_wanted_and_shares_work():
    seen = []

    def rule(g, x, y, wanted):
        seen.append(wanted)
        shared = g * 2
        return (shared * y if wanted[0] else None, shared * x if wanted[1] else None)

    @primitive(joint=rule)
    def product(x, y):
        return 2 * x * y

    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    product(x, y).sum().backward()
    product(x, y.data).sum().backward()
    assert seen == [(True, True), (True, False)]
    np.testing.assert_array_equal(x.grad, [12.0, 16.0])
    np.testing.assert_array_equal(y.grad, [2.0, 4.0])


def test_a_joint_rule_that_returns_one_array_twice_makes_two_gradients():
    @primitive(joint=lambda g: (g * 2,) * 2)
    def twice_the_sum(x, y):
        return 2 * (x + y)

    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    twice_the_sum(x, y).sum().backward()
    assert not np.shares_memory(x.grad, y.grad)


def test_a_joint_rule_of_the_library_may_do_so_too(monkeypatch):
    monkeypatch.setattr(_primitive, "PRIMITIVES", {})

    @_primitive.primitive(joint=lambda g: (g * 2,) * 2)
    def twice_the_sum(x, y):
        return 2 * (x + y)

    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    twice_the_sum(x, y).sum().backward()
    assert not np.shares_memory(x.grad, y.grad)


def test_none_from_a_rule_is_no_gradient():
    @primitive(x=lambda g: None, y=lambda g: g)
    def second(x, y):
        return y * 1

    x, y = leaf(1.0), leaf(2.0)
    second(x, y).sum().backward()
    assert x.grad is None
    np.testing.assert_array_equal(y.grad, [1.0])


def test_several_outputs_reach_the_rule_as_a_tuple():
    def rule(g, x):
        total = np.zeros_like(x)
        if g[0] is not None:
            total = total + g[0] * np.cos(x)
        return total if g[1] is None else total - g[1] * np.sin(x)

    @primitive(x=rule)
    def sincos(x):
        return np.sin(x), np.cos(x)

    x = leaf(0.3, 0.7)
    s, c = sincos(x)
    (s * c).sum().backward()
    np.testing.assert_allclose(x.grad, np.cos(2 * x.data))
    s, c = sincos(x)
    (g,) = autograd.grad((s * c).sum(), [x], create_graph=True)
    (h,) = autograd.grad(g.sum(), [x])
    np.testing.assert_allclose(h, -2 * np.sin(2 * x.data))


# -- needs -----------------------------------------------------------------------------------------


def test_a_rule_gets_what_it_names():
    got = {}

    def rule(g, x_shape, x_ndim, x_dtype, out, out_shape, out_dtype, out_ndim, axis, scale):
        got.update(locals())
        return np.broadcast_to(np.expand_dims(g, axis), x_shape) * scale

    @primitive(x=rule)
    def total(x, axis=0, *, scale=1.0):
        return x.sum(axis) * scale

    x = Variable(np.ones((2, 3), np.float32), requires_grad=True)
    total(x, axis=-1, scale=2.0).sum().backward()
    assert (got["x_shape"], got["x_ndim"], got["x_dtype"]) == ((2, 3), 2, np.float32)
    assert (got["out_shape"], got["out_ndim"], got["out_dtype"]) == ((2,), 1, np.float32)
    assert (got["axis"], got["scale"]) == (-1, 2.0)
    np.testing.assert_array_equal(got["out"], [6.0, 6.0])
    np.testing.assert_array_equal(x.grad, np.full((2, 3), 2.0))


def test_only_what_a_rule_names_is_kept():
    @primitive(x=lambda g, x_shape: g.reshape(x_shape))
    def flat(x):
        return np.array(x).reshape(-1)

    x = leaf([1.0, 2.0])
    y = x * 1.0
    ref = weakref.ref(y._data)
    z = flat(y)
    del y
    assert ref() is None
    z.sum().backward()
    np.testing.assert_array_equal(x.grad, [[1.0, 1.0]])


def test_an_operand_that_two_rules_need_is_kept_once():
    @primitive(x=lambda g, x, y: g * 2 * x * y, y=lambda g, x: g * x * x)
    def squared_times(x, y):
        return x * x * y

    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    z = squared_times(x, y)
    assert sum(value is x.data for value in z._node.saved) == 1
    z.sum().backward()
    np.testing.assert_array_equal(x.grad, [6.0, 16.0])
    np.testing.assert_array_equal(y.grad, [1.0, 4.0])


def test_keyword_arguments_are_kept_as_they_were_at_the_call():
    @primitive(x=lambda g, power, x: g * power * x ** (power - 1))
    def raised(x, *, power=2):
        return x**power

    x = leaf(2.0, 3.0)
    raised(x, power=3).sum().backward()
    np.testing.assert_array_equal(x.grad, [12.0, 27.0])
    with pytest.raises(TypeError, match=r"raised: wanted keywords among x, power, got 'pow'"):
        raised(x, pow=3)


def test_wrong_calls_are_explained():
    @primitive(x=lambda g: g)
    def same(x, y=1):
        return x

    with pytest.raises(
        TypeError,
        match="same: wanted arguments for .x, y., got others .takes from 1 to 2 positional",
    ):
        same(1.0, 2, 3)
    with pytest.raises(
        TypeError, match="same: wanted arguments for .x, y., got others .got multiple values"
    ):
        same(leaf(1.0), x=2.0)
    with pytest.raises(
        TypeError, match="same: wanted arguments for .*missing 1 required positional argument: 'x'"
    ):
        same()


# -- errors of authors -----------------------------------------------------------------------------


def test_a_rule_for_an_unknown_operand_is_refused():
    with pytest.raises(TypeError, match="cube: wanted a rule for one of x, got one for 'y'"):

        @primitive(y=lambda g: g)
        def cube(x):
            return x**3


def test_a_rule_with_an_unknown_need_is_refused():
    with pytest.raises(
        TypeError,
        match=r"cube: wanted a rule that needs operands.* of cube \(x\), got one that needs 'z'",
    ):

        @primitive(x=lambda g, z: g)
        def cube(x):
            return x**3


def test_a_function_without_names_for_its_parameters_is_refused():
    with pytest.raises(TypeError, match="primitive: wanted a Python function, whose parameters"):
        primitive(x=lambda g: g)(abs)


def test_keywords_that_could_swallow_are_refused():
    with pytest.raises(TypeError, match=r"swallow: wanted named parameters.*got \*\*keywords"):

        @primitive(x=lambda g: g)
        def swallow(x, **options):
            return x


def test_operands_before_star_operands_are_refused():
    with pytest.raises(TypeError, match=r"mixed: wanted .*\*operands first.*got both kinds"):

        @primitive(rest=lambda g: g)
        def mixed(first, *rest):
            return first


def wrong(result):
    @primitive(x=lambda g: result)
    def broken(x):
        return x * 1

    return broken


def test_a_gradient_of_the_wrong_shape_names_function_and_operand():
    with pytest.raises(
        ValueError,
        match=r"broken: wanted a gradient of shape \(2,\) for operand 'x', got shape \(3,\)",
    ):
        wrong(np.ones(3))(leaf(1.0, 2.0)).sum().backward()
    with pytest.raises(
        ValueError,
        match=r"broken: wanted a gradient of shape \(2,\) for operand 'x', got shape \(\)",
    ):
        wrong(1.0)(leaf(1.0, 2.0)).sum().backward()


@pytest.mark.parametrize("result", ["text", [1.0, 2.0], (np.ones(2),), object()])
def test_a_gradient_of_the_wrong_type_names_function_and_operand(result):
    with pytest.raises(TypeError, match=r"broken: wanted a gradient array .*for operand 'x', got"):
        wrong(result)(leaf(1.0, 2.0)).sum().backward()


def test_a_complex_gradient_for_a_real_operand_is_refused():
    with pytest.raises(
        TypeError,
        match=r"broken: wanted a gradient array .*for operand 'x', got.*complex128",
    ):
        wrong(np.ones(2, complex))(leaf(1.0, 2.0)).sum().backward()


def test_a_gradient_of_a_python_number_or_integers_is_taken():
    x = leaf(3.0)
    wrong(np.array([2]))(x).sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad, [2.0])
    y = Variable(1.0, requires_grad=True)
    wrong(2)(y).backward()
    assert y.grad == 2.0


def test_a_float64_gradient_of_a_float32_operand_is_cast():
    x = Variable(np.ones(2, np.float32), requires_grad=True)
    wrong(np.ones(2))(x).sum().backward()
    assert x.grad.dtype == np.float32


def test_a_list_with_variables_as_operand_stays_recorded():
    a, b = Variable(1.0, requires_grad=True), Variable(2.0, requires_grad=True)

    @primitive(x=lambda g, x: 2 * g * x)
    def squares(x):
        return x * x

    squares([a, b, 3.0]).sum().backward()
    assert (a.grad, b.grad) == (2.0, 4.0)


# -- any order -------------------------------------------------------------------------------------


def test_a_users_rule_is_differentiated_through_all_it_names():
    @primitive(x=lambda g, x, out, y: g * out * y, y=lambda g, x, out: g * out * x)
    def expprod(x, y):
        return np.exp(x * y)

    x, y = np.array([0.3, -0.2]), np.array([0.5, 0.9])

    def gradient(x, y):
        vx, vy = Variable(x, requires_grad=True), Variable(y, requires_grad=True)
        gx, gy = autograd.grad(expprod(vx, vy).sum(), [vx, vy], create_graph=True)
        return vx, vy, (gx * gx).sum() + (gy * gx).sum()

    vx, vy, total = gradient(x, y)
    total.backward()
    np.testing.assert_allclose(
        vx.grad, differences(lambda v: gradient(v, y)[2].item(), x), rtol=1e-7
    )
    np.testing.assert_allclose(
        vy.grad, differences(lambda v: gradient(x, v)[2].item(), y), rtol=1e-7
    )


def test_a_rule_that_raises_shows_its_own_error():
    @primitive(x=lambda g: {}["missing"])
    def failing(x):
        return x * 1

    with pytest.raises(KeyError, match="missing"):
        failing(leaf(1.0)).sum().backward()


def test_a_rule_may_return_its_cotangent_without_harm():
    @primitive(x=lambda g: g, y=lambda g: g)
    def plus(x, y):
        return x + y

    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = np.array([1.0, 2.0])
    (plus(x, y) + x).backward(seed)
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    np.testing.assert_array_equal(y.grad, [1.0, 2.0])
    np.testing.assert_array_equal(seed, [1.0, 2.0])


def test_nothing_is_recorded_for_arrays_and_constants():
    calls = []

    @primitive(x=lambda g: calls.append(1))
    def double(x):
        assert not isinstance(x, Variable)
        return x * 2

    assert type(double(np.ones(2))) is np.ndarray
    assert double(2.0) == 4.0
    assert not double(Variable(1.0)).requires_grad
    assert calls == []


def test_a_forward_function_may_return_a_python_number():
    @primitive(x=lambda g, x_shape: np.broadcast_to(g, x_shape))
    def total(x):
        return float(np.sum(x))

    x = leaf(1.0, 2.0)
    y = total(x)
    assert y.item() == 3.0
    y.backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])


def test_integers_among_several_outputs_carry_no_gradient():
    @primitive(x=lambda g, x: g[0] * 2 * x)
    def square_and_order(x):
        return x * x, np.argsort(x), x > 0

    x = Variable([3.0, -1.0], requires_grad=True)
    square, order, positive = square_and_order(x)
    assert [v.requires_grad for v in (square, order, positive)] == [True, False, False]
    assert x[order].data.tolist() == [-1.0, 3.0]
    square.sum().backward()
    assert x.grad.tolist() == [6.0, -2.0]


def test_integers_and_truth_values_carry_no_gradient():
    @primitive(x=lambda g: g)
    def positive(x):
        return x > 0

    y = positive(leaf(1.0, -2.0))
    assert isinstance(y, Variable)
    assert not y.requires_grad


@pytest.mark.parametrize("result", ["text", None, [1.0], Variable(1.0)])
def test_a_forward_function_must_return_arrays(result):
    @primitive(x=lambda g: g)
    def strange(x):
        return result

    with pytest.raises(
        TypeError, match=r"strange: wanted an array or a tuple of arrays.*, got \w+"
    ):
        strange(leaf(1.0))


def test_a_branch_on_values_takes_the_stated_way_while_a_program_is_traced():
    for value in (0.0, 1.0):
        assert holds(Variable(value), traced=False) is bool(value)
        assert holds(Variable(value), traced=True) is bool(value)
        with watching(tracing=True):
            assert not holds(Variable(value), traced=False)
            assert holds(Variable(value), traced=True)


def test_the_node_of_a_call_with_several_outputs_is_found():
    outputs = autograd.modf(Variable([1.5], requires_grad=True))
    assert recorded(outputs).plan.name == "modf"
    assert recorded(autograd.modf(Variable([1.5]))) is None
