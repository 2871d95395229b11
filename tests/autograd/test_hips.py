"""Names of HIPS autograd: what they compute, against formulas and against its version 1.9.1."""

import functools
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
import autograd as ag
import autograd.numpy as anp
from autograd import Variable, core, elementwise_grad, grad
from autograd.builtins import DictBox
from autograd.extend import (
    def_linear,
    defjvp,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    notrace_primitive,
    primitive,
)
from autograd.misc import const_graph, flatten
from autograd.misc.fixed_points import fixed_point
from autograd.misc.flatten import flatten_func
from autograd.misc.optimizers import adam, rmsprop, sgd
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vjps import unbroadcast_f
from autograd.test_util import (
    check_equivalent,
    check_grads,
    check_jvp,
    check_vjp,
    combo_check,
    scalar_close,
)
from autograd.tracer import Box, Node, getval, isbox, new_box, toposort, trace, trace_stack
from autograd.wrap_util import unary_to_nary

X = np.array([0.5, -0.3, 1.2])
V = np.array([1.0, 2.0, -1.0])


def cubes(x):
    """Jacobian: diag(3 x^2); Hessian of the sum: diag(6 x)."""
    return x**3


def test_names_are_there_and_the_contents_page_does_not_list_them():
    names = (
        "builtins checkpoint deriv dict differential_operators egrad elementwise_grad extend grad "
        "grad_and_aux grad_named hessian hessian_tensor_product hessian_vector_product "
        "holomorphic_grad isinstance jacobian list make_ggnvp make_hvp make_jvp make_vjp "
        "multigrad_dict numpy primitive tensor_jacobian_product tracer tuple type value_and_grad "
        "vector_jacobian_product"
    )
    assert [name for name in names.split() if not hasattr(autograd, name)] == []
    assert not {"make_vjp", "tuple", "isinstance", "misc"} & {*autograd.__all__, *dir(autograd)}
    assert not hasattr(autograd, "make_vjpp")
    script = "import sys, autograd; print([m for m in sys.modules if 'differential' in m])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# -- operators -------------------------------------------------------------------------------------


def test_products_with_jacobians():
    pullback, out = ag.make_vjp(cubes)(X)
    np.testing.assert_allclose(out, X**3)
    np.testing.assert_allclose(pullback(V), 3 * X**2 * V)
    np.testing.assert_allclose(pullback(V), 3 * X**2 * V)  # any number of times
    out, tangent = ag.make_jvp(cubes)(X)(V)
    np.testing.assert_allclose([out, tangent], [X**3, 3 * X**2 * V])
    pullback, _ = ag.make_vjp(lambda a, b: a * b**2, (0, 1))(2.0, 3.0)
    assert pullback(1.0) == (9.0, 12.0)
    np.testing.assert_allclose(
        ag.differential_operators.make_jvp_reversemode(cubes)(X)(V), 3 * X**2 * V
    )
    with pytest.raises(ValueError, match=r"make_vjp: wanted argnum below .*, 1, got 1"):
        ag.make_vjp(cubes, 1)(X)


def test_products_with_hessians():
    def f(x, scale):
        return scale * anp.sum(cubes(x))

    product, gradient = ag.make_hvp(f)(X, 2.0)
    np.testing.assert_allclose(gradient, 6 * X**2)
    np.testing.assert_allclose(product(V), 12 * X * V)
    np.testing.assert_allclose(ag.hessian_vector_product(f)(X, 2.0, V), 12 * X * V)
    assert ag.hessian_tensor_product is ag.hessian_vector_product
    np.testing.assert_allclose(ag.make_ggnvp(cubes)(X)(V), 9 * X**4 * V)
    np.testing.assert_allclose(
        ag.make_ggnvp(lambda s, x: s * cubes(x), lambda y: anp.sum(y**3), 1)(2.0, X)(V),
        (6 * X**2) * (6 * 2 * X**3) * (6 * X**2) * V,
    )


def test_tensors_are_contracted_with_the_first_axes_of_the_jacobian():
    def outer(x):
        return anp.outer(x, x**2)

    whole, rng = autograd.jacobian(outer)(X), np.random.default_rng(0)
    for shape in [(3,), (3, 3)]:
        t = rng.normal(size=shape)
        np.testing.assert_allclose(
            ag.tensor_jacobian_product(outer)(X, t), np.tensordot(t, whole, len(shape))
        )
    assert ag.vector_jacobian_product is ag.tensor_jacobian_product


def test_gradients_with_something_besides():
    gradient, aux = ag.grad_and_aux(lambda x, k: (x**k, {"half": x / 2, "name": "x"}))(3.0, 2)
    assert gradient == 6.0
    assert aux["half"] == 1.5
    assert type(aux["half"]) is np.float64
    # In an outer gradient what comes besides is part of the graph.
    assert grad(lambda y: ag.grad_and_aux(lambda x: (x**2, x * y))(y)[1])(3.0) == 6.0
    with pytest.raises(TypeError, match=r"grad_and_aux: wanted a function that returns \(scalar"):
        ag.grad_and_aux(lambda x: x)(1.0)


def test_arguments_by_name():
    def f(x, y, *rest, power=2.0, **more):
        return x * y**power + sum(rest) * 3.0 + more.get("c", 0.0) * x

    assert ag.grad_named(f, "y")(2.0, 3.0) == 12.0
    with pytest.raises(ValueError, match="grad_named: wanted one of x, y, .* got 'z'"):
        ag.grad_named(f, "z")
    found = ag.multigrad_dict(f)(2.0, 3.0, 4.0, c=5.0)
    assert found["x"] == 9.0 + 5.0
    assert found["y"] == 12.0
    assert found["rest"] == (3.0,)
    assert found["more"] == {"c": 2.0}
    assert found["power"] == pytest.approx(2.0 * 9.0 * np.log(3.0))


def test_derivatives_of_functions_of_a_number():
    np.testing.assert_allclose(ag.deriv(lambda t: V * t**2)(3.0), 6 * V)
    assert ag.deriv(lambda s, t: s * t**2, 1)(2.0, 3.0) == 12.0
    assert ag.egrad is ag.elementwise_grad
    np.testing.assert_allclose(ag.egrad(anp.sin)(X), np.cos(X))


def test_complex_gradients_are_the_conjugates_of_theirs():
    z = 1.0 + 2.0j
    # (2-4j) in HIPS autograd; down the hill is -grad here and -conj(grad) there.
    assert grad(lambda z: anp.abs(z) ** 2)(z) == 2 * z
    assert ag.make_vjp(lambda z: z * (2 + 1j))(z)[0](1j) == 1j * (2 - 1j)
    product = made(lambda a, b: a * b, *[lambda ans, a, b: lambda g: g * b] * 2)
    assert grad(lambda z: anp.real(product(z, z)))(z) == 2 * np.conj(z)  # rules have no conj
    # Where no loss is real, there is one derivative, and the same.
    assert ag.holomorphic_grad(lambda z: z**3)(z) == pytest.approx(3 * z**2)
    both = np.array([z, 2 * z])
    np.testing.assert_allclose(ag.holomorphic_grad(anp.exp)(both), np.exp(both))


def test_eigh_has_symmetric_gradients_also_of_matrices_that_are_not():
    """Those of HIPS autograd 1.9.1 belong to the triangle that is read; the sums are the same."""
    a = np.array([[2.0, 1.0], [0.5, 3.0]])
    theirs = np.array([[0.85355339, 0.0], [-0.70710678, 0.14644661]])
    np.testing.assert_allclose(
        grad(lambda a: anp.linalg.eigh(a)[0][0])(a), (theirs + theirs.T) / 2, atol=1e-8
    )


# -- rules in two stages ---------------------------------------------------------------------------


def made(function, *rules, attach=defvjp, **options):
    operation = primitive(function)
    attach(operation, *rules, **options)
    return operation


def _total(x, axis=None, keepdims=False):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def _total_x(ans, x, axis=None, keepdims=False):
    def pull(g):
        if axis is None or keepdims:
            return g * anp.exp(x - ans)
        return anp.expand_dims(g, axis) * anp.exp(x - anp.expand_dims(ans, axis))

    return pull


@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"axis": 0, "keepdims": True}])
def test_a_rule_in_two_stages_is_right_to_second_order(options):
    total = made(_total, _total_x)
    x = np.random.default_rng(0).normal(size=(2, 3))
    check_grads(lambda x: total(x, **options))(x)
    if set(options) == {"axis"}:
        check_grads(lambda x: total(x, options["axis"]), order=1)(x)


def test_the_first_stage_gets_the_arguments_as_they_were_given():
    seen = []

    def maker(ans, *args, **kwargs):
        seen.append((float(ans), len(args), kwargs))
        return lambda g: g * 2.0

    double = made(lambda x, scale=2.0, *, note=None: x * scale, maker)
    for call in (lambda x: double(x), lambda x: double(x, 3.0), lambda x: double(x, note="a")):
        assert grad(call)(1.0) == 2.0
    assert seen == [(2.0, 1, {}), (3.0, 2, {}), (2.0, 1, {"note": "a"})]


def test_rules_by_position_for_all_and_together():
    first = made(lambda x, y: x * y, lambda ans, x, y: lambda g: g * y, None)
    assert grad(first, (0, 1))(2.0, 3.0) == (3.0, 0.0)
    second = made(lambda x, y: x * y, lambda ans, x, y: lambda g: g * x, argnums=[1])
    assert grad(second, 1)(2.0, 3.0) == 2.0
    with pytest.raises(TypeError, match="wanted operand 'x' without a gradient"):
        grad(second)(2.0, 3.0)

    def scaled(argnum, ans, args, kwargs):
        return lambda g: g * (argnum + 1) * kwargs.get("scale", 1.0)

    variadic = made(
        lambda *xs, scale=1.0: scale * sum((i + 1) * x for i, x in enumerate(xs)),
        scaled,
        attach=defvjp_argnum,
    )
    assert grad(lambda a, b: variadic(a, 1.0, b, scale=2.0), (0, 1))(2.0, 3.0) == (2.0, 6.0)
    by_place = made(lambda *xs: xs[0] * xs[1], *[lambda ans, x, y: lambda g: g * y, None])
    assert grad(by_place, (0, 1))(2.0, 3.0) == (3.0, 0.0)

    asked = []

    def together(argnums, ans, args, kwargs):
        asked.append(argnums)
        a, b = args
        return lambda g: [(g * b**2, g * 2 * a * b)[i] for i in argnums]

    joint = made(lambda a, b: a * b**2, together, attach=defvjp_argnums)
    assert grad(joint, (0, 1))(2.0, 3.0) == (9.0, 12.0)
    assert grad(joint, 1)(2.0, 3.0) == 12.0
    assert asked == [(0, 1), (1,)]
    check_grads(joint, (0, 1), order=2)(2.0, 3.0)


def test_a_ufunc_becomes_a_primitive_and_broadcasting_is_undone():
    arctan2 = primitive(np.arctan2)
    assert arctan2.__name__ == "arctan2"

    def over(y, x):
        return x**2 + y**2

    defvjp(
        arctan2,
        lambda ans, y, x: unbroadcast_f(y, lambda g: g * x / over(y, x)),
        lambda ans, y, x: unbroadcast_f(x, lambda g: -g * y / over(y, x)),
    )
    check_grads(arctan2, (0, 1))(np.array([[0.5], [2.0]]), X)
    check_grads(lambda y: arctan2(y, X))(0.7)


def test_tangent_rules_are_what_forward_mode_takes():
    rules = [lambda ans, x, y: lambda g: g * y, lambda ans, x, y: lambda g: g * x]
    product = made(lambda x, y: x * y, *rules)
    defjvp(product, lambda g, ans, x, y: 7.0 * g * y, "same")
    assert ag.make_jvp(product, (0, 1))(2.0, 3.0)((1.0, 1.0)) == (6.0, 7.0 * 3.0 + 2.0)
    assert grad(product)(2.0, 3.0) == 3.0
    linear = made(lambda x: 3.0 * x, attach=def_linear)
    assert ag.deriv(linear)(2.0) == 3.0
    with pytest.raises(NotImplementedError, match=r"wanted a rule for argument 0.*give defvjp one"):
        grad(linear)(2.0)
    variadic = made(lambda *xs: xs[0] * xs[1], *rules)
    defjvp(variadic, "same", None)
    assert ag.make_jvp(variadic, (0, 1))(2.0, 3.0)((1.0, 1.0)) == (6.0, 3.0)


def test_a_function_without_a_gradient_gets_arrays():
    seen = []
    largest = notrace_primitive(lambda x: seen.append(type(x)) or np.argmax(x))
    np.testing.assert_array_equal(grad(lambda x: x[largest(x)] ** 2)(X), [0.0, 0.0, 2.4])
    assert seen == [np.ndarray]


def test_a_complex_cotangent_of_a_real_operand_is_its_real_part():
    product = made(lambda x, z: x * z, *[lambda ans, x, z: lambda g: g * z] * 2)
    np.testing.assert_allclose(grad(lambda x: anp.real(product(x, 2.0 + 3.0j) * 1j))(1.5), -3.0)
    attached = made(lambda *xs: xs[0] * xs[1], lambda i, ans, a, k: lambda g: g * a[1 - i],
                    attach=defvjp_argnum)  # fmt: skip
    np.testing.assert_allclose(grad(lambda x: anp.imag(attached(x, 2.0 + 3.0j)))(1.5), 3.0)


def test_several_outputs_integers_among_them_have_tangent_rules():
    """As the sparse products of ceviche have: values, and where they stand."""
    table = np.array([2, 0, 1])

    def values_and_places(x, y):
        return x[table] * y, table

    both = primitive(values_and_places)
    defvjp(
        both,
        lambda ans, x, y: lambda g: anp.array([g[0][1] * y[1], g[0][2] * y[2], g[0][0] * y[0]]),
        lambda ans, x, y: lambda g: g[0] * x[table],
    )
    defjvp(
        both,
        lambda g, ans, x, y: (g[table] * y, np.zeros(7)),  # of any shape: integers have none
        lambda g, ans, x, y: (x[table] * g, np.zeros(7)),
    )

    def loss(x):
        values, places = both(x, anp.sin(x))
        return anp.sum(values[places.astype(int)] ** 2)

    _, tangent = ag.make_jvp(loss)(X)(V)
    np.testing.assert_allclose(tangent, grad(loss)(X) @ V)
    check_grads(loss, order=1)(X)


def test_rules_of_methods_have_an_operand_called_self():
    class Line:
        @primitive
        def __call__(self, x):
            return 3.0 * x

    defvjp(Line.__call__, None, lambda ans, line, x: lambda g: 3.0 * g)
    assert grad(Line())(2.0) == 3.0


def test_wrong_rules_are_refused():
    with pytest.warns(UserWarning, match=r"defvjp: wanted a function made by .*; put @primitive"):
        defvjp(np.sin, lambda ans, x: lambda g: g)
    one = primitive(lambda x: x * 1.0)
    with pytest.raises(TypeError, match=r"defvjp: wanted at most 1 rules for .*, got one for arg"):
        defvjp(one, None, None)


# -- misc, builtins, tracer ------------------------------------------------------------------------


def test_structures_become_vectors_and_come_back():
    tree = {"b": (1.0, np.arange(4.0).reshape(2, 2)), "a": [np.zeros(1)], "c": ()}
    vector, unflatten = flatten(tree)
    assert vector.tolist() == [0.0, 1.0, 0.0, 1.0, 2.0, 3.0]  # keys in order
    back = unflatten(vector)
    assert list(back) == ["a", "b", "c"]
    check_equivalent(back["b"], tree["b"])
    assert flatten(())[0].shape == (0,)
    assert flatten([])[1](np.zeros(0)) == []

    def f(p):
        return {"z": p["b"][1] * p["b"][0], "y": p["a"][0] ** 2}

    of_vectors, unflatten, start = flatten_func(f, tree)
    assert of_vectors(start).tolist() == [0.0, 0.0, 1.0, 2.0, 3.0]
    check_grads(of_vectors)(start + 1.0)


@pytest.mark.parametrize(
    "optimize, weights, bias",
    [
        (sgd, [0.3203761431520512, 0.04815440122278508, 1.0915778313177806], 0.3582158643935754),
        (rmsprop, [0.0414080208166141, -0.1451784092165399, 1.036157010243734], 0.6046100001873735),
        (adam, [0.25249249044622785, -0.25987821129389516, 1.158193066770291], 0.5358704104643157),
    ],
)
def test_optimizers_go_where_theirs_go(optimize, weights, bias):
    """The numbers are those of HIPS autograd 1.9.1."""

    def loss(p, i):
        slope = (i + 1) * anp.cos(p["b"][0]) * anp.sum(p["w"])
        return anp.sum((p["w"] - np.arange(3.0)) ** 4) + slope

    told = []
    start = {"w": np.array([0.5, -0.5, 1.0]), "b": (0.3,)}
    found = optimize(
        grad(loss), start, lambda p, i, g: told.append((i, p, g)), num_iters=5, step_size=0.05
    )
    np.testing.assert_allclose(found["w"], weights, rtol=1e-12)
    assert found["b"][0] == pytest.approx(bias, rel=1e-12)
    assert [i for i, *_ in told] == list(range(5))
    check_equivalent(told[0][1]["w"], start["w"])
    check_equivalent(told[0][2]["w"], grad(loss)(start, 0)["w"])


def test_steps_of_an_optimizer_are_differentiated():
    """x after two steps of size s of gradient descent on x^2 is (1 - 2 s)^2."""

    def end(size):
        return sgd(lambda x, i: 2 * x, 1.0, num_iters=2, step_size=size, mass=0.0)

    assert grad(end)(0.1) == pytest.approx(-4 * (1 - 0.2))


def test_the_other_tools():
    assert const_graph(lambda x, k: anp.sum(x**k), k=2)(X) == pytest.approx(np.sum(X**2))

    def root(a):
        return fixed_point(
            lambda a: lambda x: 0.5 * (x + a / x), a, 1.0, lambda x, y: anp.abs(x - y), 1e-12
        )

    assert grad(root)(2.0) == pytest.approx(0.5 / np.sqrt(2.0))


def test_containers_are_pythons_own_and_isinstance_looks_inside():
    assert (ag.tuple, ag.list, ag.dict) == (tuple, list, dict)
    assert (DictBox, ArrayBox) == (dict, Variable)
    seen = []

    def f(x):
        seen.append(tuple(ag.isinstance(x, kind) for kind in (np.ndarray, float, Variable)))
        seen.append((ag.builtins.type(x), isbox(x), type(getval(x))))
        return ag.dict(a=ag.list((x * 2, x)))["a"][0].sum()

    assert grad(f)(X).tolist() == [2.0] * 3
    assert grad(f)(1.0) == 2.0
    assert seen[:2] == [(True, False, True), (np.ndarray, True, np.ndarray)]
    assert seen[2] == (False, True, True)
    assert not isbox(X)
    assert getval("x") == "x"


# -- core and tracer -------------------------------------------------------------------------------


def test_the_core_takes_the_point_at_once():
    pullback, out = core.make_vjp(cubes, X)
    np.testing.assert_allclose([out, pullback(V)], [X**3, 3 * X**2 * V])
    np.testing.assert_allclose(core.make_jvp(cubes, X)(V), [X**3, 3 * X**2 * V])
    core_vjp = unary_to_nary(core.make_vjp)
    assert core_vjp(lambda a, b: a * b**2, 1)(2.0, 3.0)[0](1.0) == 12.0
    names = "Box Node VSpace defvjp getval isbox new_box primitive subvals toposort trace vspace"
    assert [name for name in names.split() if not hasattr(core, name)] == []


TREE = {"x": [0.5, np.ones((3, 1))], "y": ({"a": 1.0j}, [np.zeros(2, np.float32)])}


@pytest.mark.parametrize("value", [0.0, np.zeros((2, 2)), np.zeros((2, 1), complex), TREE], ids=str)
def test_spaces_of_vectors(value):
    np.random.seed(0)
    space = ag.extend.vspace(value)
    x, y, z = space.randn(), space.randn(), space.randn()
    basis = list(space.standard_basis())
    assert len(basis) == space.size
    inner = [[space.inner_prod(a, b) for a in basis] for b in basis]
    np.testing.assert_array_equal(inner, np.eye(space.size))
    check_equivalent(functools.reduce(space.add, basis), space.ones())
    check_equivalent(space.mut_add(None, x), x)
    left = space.inner_prod(space.add(x, space.scalar_mul(y, 2.0)), z)
    assert left == pytest.approx(space.inner_prod(x, z) + 2.0 * space.inner_prod(y, z), rel=1e-5)
    for vector in (x, space.zeros(), space.add(x, y), basis[-1]):
        assert ag.core.vspace(vector) == space
    assert space != ag.core.vspace([value])
    assert isinstance(space, ag.extend.VSpace)
    if value is not TREE:
        assert space.shape == np.shape(value)
        check_grads(space.inner_prod, (0, 1), order=1)(x, y)


def test_covectors_are_what_pullbacks_take():
    """<v, J^T(covector(u))> = <u, J v>, which tells conventions apart for complex numbers."""
    np.random.seed(0)
    z = np.array([0.5 + 1.0j, -0.3j])
    space = core.vspace(z)
    v, u = space.randn(), space.randn()
    pullback, _ = core.make_vjp(anp.exp, z)
    pushed = space.inner_prod(u, np.exp(z) * v)
    assert space.inner_prod(v, pullback(space.covector(u))) == pytest.approx(pushed)


def test_spaces_are_of_numbers():
    with pytest.raises(TypeError, match="vspace: wanted numbers, arrays or nested .*, got str"):
        core.vspace("x")
    assert autograd.numpy.numpy_vspaces.ArrayVSpace is core.VSpace


def test_graphs_by_hand_start_at_new_boxes():
    """As lab, pymoo and tidy3d make them."""
    with trace_stack.new_trace() as level:
        start = new_box(X, level, core.VJPNode.new_root(X))
        end = anp.stack([cubes(start), anp.sin(start)], axis=1)
    assert type(start) is ArrayBox
    assert isbox(end)
    assert end._trace == start._trace
    assert Variable(X)._trace != start._trace
    np.testing.assert_allclose(end._value[:, 0], X**3)
    for column, expected in enumerate((3 * X**2, np.cos(X))):
        g = np.zeros((3, 2))
        g[:, column] = 1.0
        np.testing.assert_allclose(core.backward_pass(g, end._node), expected)
    by_hand, node = trace(core.VJPNode.new_root(), cubes, X)
    np.testing.assert_allclose(by_hand, X**3)
    np.testing.assert_allclose(core.backward_pass(V, node), 3 * X**2 * V)
    with pytest.raises(TypeError, match=r"new_box: wanted VJPNode\.new_root\(\) .*, got NoneType"):
        new_box(X, 0, None)
    with pytest.raises(ValueError, match="wanted a graph with one start made by new_box, got 0"):
        core.backward_pass(1.0, Variable(1.0, requires_grad=True)._node)
    with pytest.raises(ValueError, match=r"wanted a cotangent of shape \(3,\), got \(2,\)"):
        core.backward_pass(np.ones(2), node)


class Named(Node):
    def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
        self.parents, self.name, self.value = parents, fun.__name__, value
        self.given = args, kwargs, parent_argnums

    def initialize_root(self, name):
        self.parents, self.name = (), name


def test_programs_are_traced_call_by_call():
    value, end = trace(Named.new_root("x"), lambda x: anp.sum(anp.exp(x * V), axis=0) / 2.0, X)
    assert value == np.sum(np.exp(X * V)) / 2.0 == end.value
    assert [n.name for n in toposort(end)] == ["divide", "sum", "exp", "multiply", "x"]
    (total,) = end.parents
    assert total.given[1] == {"axis": 0} or total.given[0][1:] == (0,)
    args, kwargs, argnums = total.parents[0].parents[0].given
    assert (kwargs, argnums) == ({}, (0,))
    np.testing.assert_array_equal(args, [X, V])
    with pytest.warns(UserWarning, match="the result does not depend on the argument"):
        assert trace(Named.new_root("x"), lambda x: 3.0, 1.0) == (3.0, None)


def test_a_gradient_is_a_program_too():
    value, end = trace(Named.new_root("x"), grad(lambda x: anp.sin(2.0 * x)), 0.3)
    assert value == pytest.approx(2 * np.cos(0.6))
    assert [n.name for n in toposort(end)] == ["multiply", "multiply", "cos", "multiply", "x"]


def test_variables_are_boxes_and_other_classes_are_no_vectors():
    box = ag.extend.Box
    assert isinstance(Variable(1.0), box)
    assert not isinstance(1.0, box)
    box.register(np.memmap)
    for kind in (type("OwnBox", (box,), {}), core.VSpace):
        with pytest.raises(TypeError, match=r"register: wanted arrays, or nested .* class Path; "):
            kind.register(Path)


def test_small_tools():
    assert ag.util.subval((1, 2), 0, 3) == (3, 2)
    assert ag.util.func(cubes) is cubes
    diamond = {1: (2, 3), 2: (4,), 3: (4,), 4: ()}
    assert list(toposort(1, diamond.get)) in ([1, 2, 3, 4], [1, 3, 2, 4])


def test_subclasses_of_ndarray_are_arrays_unless_their_arithmetic_is_their_own(tmp_path):
    mapped = np.memmap(tmp_path / "x.bin", float, "w+", shape=(3,))
    mapped[:] = X
    seen = []
    g = grad(lambda x: seen.append(type(x._value)) or anp.sum(cubes(x)))(mapped)
    assert (type(g), seen) == (np.ndarray, [np.ndarray])
    np.testing.assert_allclose(g, 3 * X**2)

    class Units(np.ndarray):
        def __array_ufunc__(self, *args, **kwargs):
            return NotImplemented

    for other, name in [
        (X.view(Units), "Units"),
        (X.view(np.matrix), "matrix"),
        (np.ma.masked_array(X), "masked"),
    ]:
        for make in (grad(anp.sum), Variable, ag.make_vjp(anp.sum)):
            with pytest.raises(TypeError, match=f"wanted an array.*{name}"):
                make(other)


def test_sequences_to_join_may_be_generators():
    def f(x):
        rows = anp.stack(x * k for k in range(2))
        return anp.sum(anp.concatenate(map(anp.sin, (rows[0], rows[1]))) ** 2)

    np.testing.assert_allclose(grad(f)(X), np.sin(2 * X))


# -- checks ----------------------------------------------------------------------------------------


def test_checks_pass_what_is_right_and_notice_what_is_wrong():
    check_grads(anp.tanh)(X)
    check_grads(lambda a, b: a * b, 1, modes=["rev"], order=1)(2, 3.0)
    check_vjp(anp.exp, X)
    check_jvp(anp.exp, X)
    combo_check(anp.sum)([X, np.ones((2, 3))], axis=[None, 0], keepdims=[True, False])
    wrong = made(lambda x: x * 2.0, lambda ans, x: lambda g: g * 2.1)
    for check in (
        lambda: check_grads(wrong, modes=["rev"], order=1)(X),
        lambda: check_vjp(wrong, X),
        lambda: combo_check(lambda x, f: f(x))([X], [anp.tanh, wrong]),
    ):
        with pytest.raises(AssertionError, match="wrong"):
            check()
    with pytest.raises(ValueError, match="check_grads: wanted modes among 'fwd' and 'rev'"):
        check_grads(anp.exp, modes=["reverse"])(X)

    def noisy(x):
        return x + np.random.normal(size=3)

    check_grads(noisy)(X)  # draws the same numbers whenever it is called
    with pytest.raises(AssertionError, match="^noisy: wanted"):
        check_grads(made(noisy, lambda ans, x: lambda g: g * 1.1))(X)
    assert scalar_close(1.0, 1.0 + 1e-9)
    assert not scalar_close(1.0, 1.1)
    with pytest.raises(AssertionError):
        check_equivalent((X, 1.0), (X + 1e-3, 1.0))
    with pytest.raises(AssertionError, match="float32"):
        check_equivalent(X, X.astype(np.float32))


# -- functions of any arguments, and structures of Variables ---------------------------------------


def test_a_primitive_may_have_arguments_without_names():
    @primitive
    def scaled(x, *others, **options):
        return np.sin(x) * options.get("by", 2.0)

    defvjp(scaled, lambda ans, x, *others, **options: lambda g: g * np.cos(x) * options["by"])
    f = lambda x: scaled(x, None, by=3.0) ** 2
    assert type(scaled(1.0)) is np.float64
    assert grad(f)(0.4) == pytest.approx(18 * np.sin(0.4) * np.cos(0.4))
    assert grad(grad(f))(0.4) == pytest.approx(18 * np.cos(0.8))
    assert ag.jvp(f, (0.4,), (1.0,))[1] == pytest.approx(grad(f)(0.4))
    eigh = primitive(np.linalg.eigh)
    defvjp(eigh, lambda ans, a: lambda g: ans[1] @ np.diag(g[0]) @ ans[1].T)
    a = np.array([[2.0, 1.0], [1.0, 5.0]])
    np.testing.assert_allclose(grad(lambda a: eigh(a).eigenvalues.sum())(a), np.eye(2), atol=1e-12)
    without = primitive(lambda *args, **options: args[0] * 1.0)
    with pytest.raises(TypeError, match="no rules; give it some with autograd.extend.defvjp"):
        grad(without)(2.0)


def in_structures(maker):
    """A function of nested Variables of different shapes, with several outputs."""

    @primitive
    def both(parameters, note):
        (a, b), (c,) = parameters
        return np.sin(a) * c, (b * c,)

    defvjp(both, maker, argnums=[0])

    def f(x):
        first, (second,) = both(((x[0], x[1:4]), (x[4],)), "note")
        return first * second.sum()

    return f


def test_structures_of_variables_are_operands_and_results():
    def maker(ans, parameters, note):
        (a, b), (c,) = parameters
        of_c = lambda g: np.sin(a) * g[0] + (b * g[1][0]).sum()
        return lambda g: ((np.cos(a) * c * g[0], c * g[1][0]), (of_c(g),))

    f, x = in_structures(maker), np.array([0.3, 1.0, -2.0, 0.5, 1.5])
    plain = lambda x: np.sin(x[0]) * x[4] * (x[1:4] * x[4]).sum()
    np.testing.assert_allclose(grad(f)(x), grad(plain)(x))
    np.testing.assert_allclose(ag.jacobian(grad(f))(x), ag.hessian(plain)(x))
    np.testing.assert_allclose(ag.jvp(f, (x,), (x,))[1], grad(plain)(x) @ x)
    with pytest.raises(ValueError, match=r"both: wanted a gradient of shape \(3,\) for argument 0"):
        grad(in_structures(lambda *_: lambda g: ((0.0, 1.0), (2.0,))))(x)


def test_a_rule_that_leaves_the_graph_is_for_reverse_mode_only():
    @primitive
    def double(x, **options):
        return x * 2.0

    defvjp(double, lambda ans, x, **options: lambda g: np.asarray(getattr(g, "data", g)) * 2.0)
    x = np.array([1.0, 3.0])
    f = lambda x: np.concatenate([double(x), double(x) ** 2])
    wanted = np.concatenate([2 * np.eye(2), np.diag(8 * x)])
    np.testing.assert_allclose(ag.jacobian(f)(x), wanted)  # which would be forward mode
    for ask in (lambda: ag.jvp(f, (x,), (x,)), lambda: grad(grad(lambda t: double(t) ** 2))(1.0)):
        with pytest.raises(TypeError, match="double: wanted a rule that can be differentiated"):
            ask()


def test_a_rule_may_take_the_box_of_the_inner_derivative_away():
    @primitive
    def cube(x, **options):
        return x**3

    def inner_only(value):
        return getattr(value, "_value", value)

    defvjp(cube, lambda ans, x, **options: lambda g: inner_only(g * 3 * x**2))
    assert grad(cube)(2.0) == 12.0
    assert grad(grad(cube))(2.0) == 12.0
    assert type(inner_only(Variable(1.0))) is not Variable


def test_subclasses_of_ndarray_that_are_registered_count_as_arrays():
    class Marked(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            inputs = [i.view(np.ndarray) if isinstance(i, Marked) else i for i in inputs]
            return super().__array_ufunc__(ufunc, method, *inputs, **kwargs).view(Marked)

    x = np.array([1.0, 2.0]).view(Marked)
    with pytest.raises(TypeError, match="got a Marked, whose arithmetic is its own"):
        grad(lambda x: (x * x).sum())(x)
    core.VSpace.mappings[Marked] = core.VSpace
    for f in (lambda v: (v * x).sum(), lambda v: (x * v).sum(), lambda v: x @ v):
        found = grad(f)(x)
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, [1.0, 2.0])
    assert type(x * x) is Marked
    with pytest.raises(TypeError, match="wanted arrays, or nested lists"):
        Box.type_mappings[Path] = ArrayBox


# -- SciPy -----------------------------------------------------------------------------------------


def test_modules_of_scipy_have_all_its_names_and_record():
    scipy_stats = pytest.importorskip("scipy.stats")
    import autograd.scipy.stats.poisson
    from autograd.scipy import integrate, linalg, signal, special, stats
    from autograd.scipy.stats import norm

    for name, room in (("special", special), ("linalg", linalg), ("signal", signal)):
        theirs = importlib.import_module(f"scipy.{name}")
        assert {n for n in dir(theirs) if not n.startswith("_")} <= set(dir(room))
        assert [n for n in theirs.__all__ if not hasattr(room, n)] == []
    assert norm is stats.norm
    assert set(autograd.stats.__all__) <= set(vars(stats))
    np.testing.assert_allclose(grad(norm.logpdf)(1.0, 2.0, 3.0), 1 / 9)
    assert norm.ppf(0.5) == 0.0
    assert norm.rvs(size=2, random_state=0).shape == (2,)
    assert stats.uniform is scipy_stats.uniform
    assert stats.distributions is scipy_stats.distributions
    np.testing.assert_allclose(grad(special.gammaln)(2.5), special.psi(2.5))
    np.testing.assert_allclose(
        grad(lambda x: special.logsumexp(anp.array([x, 1.0])))(2.0), 1 / (1 + np.exp(-1.0))
    )
    assert special.logsumexp(np.zeros(2), return_sign=True)[1] == 1.0
    low = np.array([[2.0, 0.0], [1.0, 3.0]])
    for options in ({}, {"check_finite": False, "overwrite_b": True}):
        solve = functools.partial(linalg.solve_triangular, b=np.ones(2), lower=True, **options)
        g = elementwise_grad(solve)(low)
        inverse = np.linalg.inv(low)
        np.testing.assert_allclose(
            g, np.tril(-np.outer(inverse.T @ np.ones(2), inverse @ np.ones(2))), atol=1e-15
        )
    with pytest.raises(TypeError, match=r"linalg\.solve: wanted arguments among .*, got assume_a"):
        grad(lambda a: linalg.solve(a, np.ones(2), assume_a="pos").sum())(low)
    np.testing.assert_allclose(linalg.solve(low @ low.T, np.ones(2), assume_a="pos").shape, (2,))
    image, kernel = np.ones((3, 3)), np.ones((2, 2))
    for x in (image, autograd.Variable(image)):  # keywords of HIPS autograd's own
        assert signal.convolve(x, kernel, axes=([0], [0])).shape == (3, 2, 4)
    end = grad(
        lambda a: integrate.odeint(lambda y, t, a: -a * y, np.ones(1), np.array([0.0, 0.5]), (a,))[
            -1, 0
        ]
    )(2.0)
    assert end == pytest.approx(-0.5 * np.exp(-1.0), rel=1e-6)


def test_without_scipy_its_modules_say_how_to_install_it():
    script = (
        "import sys; sys.modules['scipy'] = None\n"
        "import autograd.scipy\n"
        "try:\n    autograd.scipy.special\n"
        "except ImportError as error:\n    print(error)"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root
    )
    assert "pip install 'gradloom[special]'" in run.stdout
