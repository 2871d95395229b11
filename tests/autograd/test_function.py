"""Function: the PyTorch-like spelling of a user's own operation, its context and its checks."""

import functools
import gc
import weakref
from collections import OrderedDict, deque
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

import autograd
from autograd import Function, Variable, grad


def leaf(*values, dtype=float):
    return Variable(np.array(values, dtype=dtype), requires_grad=True)


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        out = np.exp(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return g * out


class SinCos(Function):
    @staticmethod
    def forward(ctx, x):
        s, c = np.sin(x), np.cos(x)
        ctx.save_for_backward(s, c)
        return s, c

    @staticmethod
    def backward(ctx, gs, gc):
        s, c = ctx.saved_tensors
        return gs * c - gc * s


class Scale(Function):
    @staticmethod
    def forward(ctx, x, factor, shift=0.0):
        ctx.factor = factor
        return x * factor + shift

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None, None


def test_forward_sees_arrays_and_backward_arrays():
    seen = []

    class Watching(Function):
        @staticmethod
        def forward(ctx, x):
            seen.append(type(x))
            return x * 2

        @staticmethod
        def backward(ctx, g):
            seen.append(type(g))
            return g * 2

    x = leaf(1.0, 2.0)
    Watching.apply(x).sum().backward()
    assert seen == [np.ndarray, np.ndarray]
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


def test_saved_inputs_and_outputs_give_gradients():
    x = leaf(0.5, -1.0)
    (Cube.apply(x) + Exp.apply(x)).sum().backward()
    np.testing.assert_allclose(x.grad, 3 * x.data**2 + np.exp(x.data))


@pytest.mark.parametrize("function, second", [(Cube, lambda x: 6 * x), (Exp, np.exp)])
def test_second_derivatives_flow_through_saved_inputs_and_outputs(function, second):
    x = leaf(0.5, -1.0)
    (g,) = autograd.grad(function.apply(x).sum(), [x], create_graph=True)
    (h,) = autograd.grad(g.sum(), [x])
    np.testing.assert_allclose(h, second(x.data))


def test_third_derivatives_through_the_functional_spelling():
    third = autograd.grad(autograd.grad(autograd.grad(lambda x: Cube.apply(x) * x)))
    assert third(0.5) == pytest.approx(24 * 0.5)


def test_several_outputs_and_their_second_derivatives():
    x = leaf(0.3, 0.7)
    s, c = SinCos.apply(x)
    (g,) = autograd.grad((s * c).sum(), [x], create_graph=True)
    np.testing.assert_allclose(g.data, np.cos(2 * x.data))
    (h,) = autograd.grad(g.sum(), [x])
    np.testing.assert_allclose(h, -2 * np.sin(2 * x.data))


def test_an_unused_output_comes_as_zeros():
    x = leaf(0.3, 0.7)
    SinCos.apply(x)[0].sum().backward()
    np.testing.assert_allclose(x.grad, np.cos(x.data))


def test_an_unused_output_comes_as_none_where_asked_for():
    seen = []

    class Lazy(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, first, second):
            seen.append((first is None, second is None))
            return second * 2

    x = leaf(1.0)
    Lazy.apply(x)[1].sum().backward()
    assert seen == [(True, False)]
    np.testing.assert_array_equal(x.grad, [2.0])


def test_constants_travel_as_attributes_and_get_none():
    x = leaf(1.0, 2.0)
    Scale.apply(x, 3.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])
    y = Scale.apply(x, factor=2.0, shift=1.0)
    np.testing.assert_array_equal(y.data, [3.0, 5.0])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [5.0, 5.0])


def test_context_tells_which_inputs_need_a_gradient():
    seen = []

    class Product(Function):
        @staticmethod
        def forward(ctx, x, y):
            seen.append(ctx.needs_input_grad)
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            seen.append(ctx.needs_input_grad)
            return g * y, g * x

    x = leaf(1.0, 2.0)
    Product.apply(x, np.ones(2)).sum().backward()
    assert seen == [(True, False), (True, False)]
    y = leaf(3.0, 4.0)
    Product.apply(x, y).sum().backward()
    np.testing.assert_array_equal(x.grad, [4.0, 5.0])
    np.testing.assert_array_equal(y.grad, [1.0, 2.0])


def test_one_variable_given_twice_gets_both_gradients():
    class Product(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x

    x = leaf(3.0)
    (g,) = autograd.grad(Product.apply(x, x), [x], create_graph=True)
    np.testing.assert_array_equal(g.data, [6.0])
    (h,) = autograd.grad(g, [x])
    np.testing.assert_array_equal(h, [2.0])


def test_arrays_in_give_arrays_out_and_constants_give_constants():
    assert type(Cube.apply(np.ones(2))) is np.ndarray
    constant = Cube.apply(Variable([2.0]))
    assert isinstance(constant, Variable)
    assert not constant.requires_grad
    with autograd.no_grad():
        assert not Cube.apply(leaf(2.0)).requires_grad


def test_outputs_marked_non_differentiable_carry_no_gradient():
    class SortWithOrder(Function):
        @staticmethod
        def forward(ctx, x):
            order = np.argsort(x)
            ranks = order.astype(float)
            ctx.mark_non_differentiable(ranks)
            ctx.order = order
            return x[order], order, ranks

        @staticmethod
        def backward(ctx, g, *unused):
            gx = np.zeros(g.shape)
            gx[ctx.order] = g
            return gx

    x = leaf(3.0, 1.0, 2.0)
    values, order, ranks = SortWithOrder.apply(x)
    assert values.requires_grad
    assert not order.requires_grad
    assert not ranks.requires_grad
    (values * np.array([1.0, 2.0, 3.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 1.0, 2.0])


def test_an_output_that_is_the_input_works():
    class Identity(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return -g  # reverses the gradient

    x = leaf(1.0, 2.0)
    y = Identity.apply(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [-1.0, -1.0])


def test_complex_gradients_follow_pytorchs_convention():
    class Square(Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, g):
            (z,) = ctx.saved_tensors
            return g * np.conj(2 * z)

    data = np.array([1 + 2j, -0.5 + 1j])
    a, b = Variable(data, requires_grad=True), Variable(data, requires_grad=True)
    Square.apply(a).real.sum().backward()
    (b * b).real.sum().backward()
    np.testing.assert_allclose(a.grad, b.grad)


def test_a_zero_dimensional_input_and_output():
    x = Variable(2.0, requires_grad=True)
    y = Cube.apply(x)
    assert y.shape == ()
    y.backward()
    assert x.grad == 12.0


# -- checks ----------------------------------------------------------------------------------------


def returning(result):
    class Broken(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return result

    return Broken.apply(leaf(1.0, 2.0), leaf(3.0, 4.0)).sum()


def test_the_number_of_gradients_is_checked():
    with pytest.raises(
        ValueError,
        match=r"Broken\.backward: wanted 2 gradients, one per.* \(x, y\), got 1; return None",
    ):
        returning(np.ones(2)).backward()
    with pytest.raises(ValueError, match="got 3"):
        returning((np.ones(2), None, None)).backward()


def test_the_shape_of_gradients_is_checked():
    with pytest.raises(
        ValueError,
        match=r"Broken: wanted a gradient of shape \(2,\) for operand 'y', got shape \(3,\)",
    ):
        returning((np.ones(2), np.ones(3))).backward()


def test_the_type_of_gradients_is_checked():
    with pytest.raises(
        TypeError,
        match=r"Broken: wanted a gradient array .*for operand 'x', got str",
    ):
        returning(("text", None)).backward()
    with pytest.raises(TypeError, match=r"for operand 'x', got.*complex128"):
        returning((np.ones(2, complex), None)).backward()


def test_the_dtype_of_gradients_is_that_of_the_input():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return np.full(g.shape, 2.0)

    x = Variable(np.ones(2, np.float32), requires_grad=True)
    Double.apply(x).sum().backward()
    assert x.grad.dtype == np.float32


def test_forward_must_return_arrays():
    class Text(Function):
        @staticmethod
        def forward(ctx, x):
            return "text"

    with pytest.raises(
        TypeError, match=r"Text\.forward: wanted an array or a tuple of arrays as output, got str"
    ):
        Text.apply(leaf(1.0))


def test_wrong_arguments_are_explained():
    with pytest.raises(
        TypeError,
        match=r"Scale\.apply: wanted the arguments of Scale\.forward, got others: missing",
    ):
        Scale.apply(leaf(1.0))


def test_a_function_is_not_instantiated():
    with pytest.raises(TypeError, match=r"Cube: wanted a call of Cube\.apply"):
        Cube()


def test_a_missing_backward_is_not_implemented():
    class OneWay(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    y = OneWay.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="OneWay: wanted a static method backward"):
        y.sum().backward()
    with pytest.raises(NotImplementedError, match="Function: wanted a static method forward"):
        Function.apply(1.0)


def test_a_second_derivative_through_a_saved_stranger_is_refused():
    class Stranger(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(np.cos(x))
            return np.sin(x)

        @staticmethod
        def backward(ctx, g):
            (c,) = ctx.saved_tensors
            return g * c

    x = leaf(0.5)
    Stranger.apply(x).sum().backward()
    np.testing.assert_allclose(x.grad, np.cos([0.5]))
    with pytest.raises(
        RuntimeError, match=r"Stranger: wanted only arguments and outputs of forward in ctx"
    ):
        autograd.grad(Stranger.apply(x).sum(), [x], create_graph=True)


def test_a_stranger_in_an_attribute_is_refused_as_well():
    class Hidden(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.slope = np.cos(x)
            return np.sin(x)

        @staticmethod
        def backward(ctx, g):
            return g * ctx.slope

    x = leaf(0.5)
    with pytest.raises(RuntimeError, match="Hidden: wanted only arguments and outputs"):
        autograd.grad(Hidden.apply(x).sum(), [x], create_graph=True)


def test_a_changed_input_is_detected():
    x = leaf(1.0, 2.0)
    y = Cube.apply(x).sum()
    x.data = np.zeros(2)
    with pytest.raises(RuntimeError, match="after Cube saved it"):
        y.backward()


def test_a_second_backward_explains_itself():
    y = Cube.apply(leaf(1.0)).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="freed"):
        y.backward()


def test_a_function_leaves_no_garbage_and_frees_what_it_saved():
    x = leaf(1.0, 2.0)
    gc.collect()
    gc.disable()
    try:
        y = Exp.apply(x)
        ref = weakref.ref(y._data)
        loss = y.sum()
        del y
        assert ref() is not None
        loss.backward()
        assert ref() is None
        del loss
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_zero_cotangent_protects_what_is_behind_a_function():
    x = leaf(0.0, 4.0)
    with np.errstate(all="ignore"):
        y = np.sqrt(x)
    np.where([False, True], Cube.apply(y), 0.0).sum().backward()
    np.testing.assert_allclose(x.grad, [0.0, 3 * 4 * 0.25])


# -- what forward and backward are given -----------------------------------------------------------


class Doubles(Function):
    """Writes into its argument; `backward` into what it is given."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        x *= 2
        return x.sum()

    @staticmethod
    def backward(ctx, g):
        return g * 2 * ctx.saved_tensors[0]


def test_forward_cannot_write_into_its_arguments():
    x = Variable(np.array([1.0, 2.0]), requires_grad=True)
    for v in (x, x * 1.0, x.detach()):
        with pytest.raises(ValueError, match="read-only") as caught:
            Doubles.apply(v)
        assert caught.value.__notes__ == [
            "Doubles.forward: wanted a new array as result, got a change of one that was given"
        ]
    np.testing.assert_array_equal(x.data, [1.0, 2.0])
    assert x.data.flags.writeable


def test_forward_may_write_into_plain_arrays_that_it_is_given():
    class Into(Function):
        @staticmethod
        def forward(ctx, x, out):
            return np.multiply(x, 2.0, out=out)

        @staticmethod
        def backward(ctx, g):
            return g * 2, None

    x, out = Variable(np.array([1.0, 2.0]), requires_grad=True), np.zeros(2)
    Into.apply(x, out).sum().backward()
    np.testing.assert_array_equal(out, [2.0, 4.0])
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


@pytest.mark.parametrize("what", ["g", "input", "output"])
def test_backward_cannot_write_into_what_it_is_given(what):
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            out = x * x
            ctx.save_for_backward(x, out)
            return out

        @staticmethod
        def backward(ctx, g):
            x, out = ctx.saved_tensors
            {"g": g, "input": x, "output": out}[what][...] = 0
            return g * 2 * x

    x, other = (Variable(np.array([1.0, 2.0]), requires_grad=True) for _ in range(2))
    y, seed = Square.apply(x), np.ones(2)
    with pytest.raises(ValueError, match="read-only") as caught:
        (y + other).backward(seed)
    assert "Square.backward: wanted a new array" in caught.value.__notes__[0]
    np.testing.assert_array_equal(seed, 1.0)
    np.testing.assert_array_equal(y.data, [1.0, 4.0])


def test_other_errors_of_forward_and_backward_are_their_own():
    class Fails(Function):
        @staticmethod
        def forward(ctx, x):
            if x.size > 1:
                raise ValueError("my own")
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise ValueError("mine too")

    with pytest.raises(ValueError, match="my own") as caught:
        Fails.apply(Variable(np.ones(2), requires_grad=True))
    assert not hasattr(caught.value, "__notes__")
    with pytest.raises(ValueError, match="mine too"):
        Fails.apply(Variable(np.ones(1), requires_grad=True)).backward()


# -- second derivatives of what is kept in other ways ----------------------------------------------


class Pair(NamedTuple):
    first: object
    second: object


def squared(keep, read):
    """Return x * x as a Function that keeps x by `keep(ctx, x)` and gets it by `read(ctx)`."""

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            keep(ctx, x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g * 2 * read(ctx)

    return Square


@pytest.mark.parametrize(
    "keep, read",
    [
        (lambda ctx, x: setattr(ctx, "k", [x]), lambda ctx: ctx.k[0]),
        (lambda ctx, x: setattr(ctx, "k", (1, (x,))), lambda ctx: ctx.k[1][0]),
        (lambda ctx, x: setattr(ctx, "k", Pair(2, x)), lambda ctx: ctx.k.second),
        (lambda ctx, x: setattr(ctx, "k", {"x": x}), lambda ctx: ctx.k["x"]),
        (lambda ctx, x: setattr(ctx, "k", {"x": [x]}), lambda ctx: ctx.k["x"][0]),
        (lambda ctx, x: ctx.save_for_backward(x), lambda ctx: ctx.saved_tensors[0]),
    ],
    ids=["list", "nested tuple", "named tuple", "dict", "list in a dict", "saved"],
)
def test_second_derivatives_flow_through_containers(keep, read):
    f = squared(keep, read).apply
    assert grad(f)(3.0) == 6.0
    assert grad(grad(f))(3.0) == 2.0
    np.testing.assert_array_equal(autograd.hessian(lambda x: f(x).sum())(np.ones(2)), 2 * np.eye(2))


@pytest.mark.parametrize(
    "keep, read",
    [
        (lambda ctx, x: setattr(ctx, "k", float(x)), lambda ctx: ctx.k),
        (lambda ctx, x: setattr(ctx, "k", complex(x)), lambda ctx: ctx.k.real),
        (lambda ctx, x: setattr(ctx, "k", [float(x)]), lambda ctx: ctx.k[0]),
        (lambda ctx, x: setattr(ctx, "k", x + 0.0), lambda ctx: ctx.k),
        (lambda ctx, x: setattr(ctx, "k", {"x": [x * 1]}), lambda ctx: ctx.k["x"][0]),
        (lambda ctx, x: setattr(ctx, "k", SimpleNamespace(x=x)), lambda ctx: ctx.k.x),
        (lambda ctx, x: setattr(ctx, "k", deque([x])), lambda ctx: ctx.k[0]),
        (lambda ctx, x: setattr(ctx, "k", {float(x)}), lambda ctx: next(iter(ctx.k))),
        (lambda ctx, x: setattr(ctx, "k", OrderedDict(x=x)), lambda ctx: ctx.k["x"]),
        (lambda ctx, x: setattr(ctx, "k", x.reshape(1)), lambda ctx: ctx.k[0]),
        (lambda ctx, x: ctx.save_for_backward(x + 0), lambda ctx: ctx.saved_tensors[0]),
        (lambda ctx, x: setattr(ctx, "k", lambda: x), lambda ctx: ctx.k()),
        (lambda ctx, x: setattr(ctx, "k", functools.partial(np.add, x)), lambda ctx: ctx.k(0)),
        (
            lambda ctx, x: setattr(ctx, "k", SimpleNamespace(x=x).__getattribute__),
            lambda ctx: ctx.k("x"),
        ),
    ],
    ids=[
        "float",
        "complex",
        "float in a list",
        "array",
        "array in a dict",
        "object",
        "deque",
        "set",
        "subclass of dict",
        "view",
        "saved",
        "closure",
        "partial",
        "method",
    ],
)
def test_second_derivatives_through_numbers_computed_in_forward_are_refused(keep, read):
    f = squared(keep, read).apply
    assert grad(f)(3.0) == 6.0
    with pytest.raises(RuntimeError, match="Square: wanted only arguments and outputs of forward"):
        grad(grad(f))(3.0)


@pytest.mark.parametrize(
    "value", [lambda x: x, float, lambda x: [x]], ids=["array", "float", "list"]
)
def test_second_derivatives_through_what_forward_leaves_on_the_class_are_refused(value):
    class Base(Function):
        left = None

    class Square(Base):
        rate = 0.5  # a constant of the class is none of its arguments' business

        @staticmethod
        def forward(ctx, x):
            Base.left = value(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g * 2 * (Base.left[0] if isinstance(Base.left, list) else Base.left)

    assert grad(Square.apply)(3.0) == 6.0
    with pytest.raises(RuntimeError, match="Square: wanted only arguments and outputs of forward"):
        grad(grad(Square.apply))(3.0)


def test_settings_of_other_kinds_do_not_stand_in_the_way_of_a_second_derivative():
    class Settings:
        power, axes, name = 2, (0, 1), "square"

    f = squared(
        lambda ctx, x: setattr(ctx, "k", [x, Settings(), range(3), np.sin, 2, "a", None]),
        lambda ctx: ctx.k[0],
    ).apply
    assert grad(grad(f))(3.0) == 2.0


class Product(Function):
    """PyTorch's other form: a `forward` without `ctx`, and `setup_context`."""

    @staticmethod
    def forward(x, y, scale=1.0):
        return x * y * scale, np.argsort(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, y, ctx.scale = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(x, y)

    @staticmethod
    def backward(ctx, g, _):
        x, y = ctx.saved_tensors
        return g * y * ctx.scale, g * x * ctx.scale, None


def test_setup_context_keeps_what_a_forward_without_context_computed():
    x, y = leaf(3.0, 1.0), leaf(2.0, 5.0)
    out, places = Product.apply(x, y, scale=10.0)
    assert (places.tolist(), places.requires_grad) == ([1, 0], False)
    out.sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([20.0, 50.0], [30.0, 10.0])
    assert autograd.grad(autograd.grad(lambda x: Product.apply(x * x, x)[0].sum()))(2.0) == 12.0
    with pytest.raises(
        TypeError, match=r"wanted the arguments of Product\.forward, got others: missi"
    ):
        Product.apply(x)


@pytest.mark.parametrize("hidden", [lambda x: [x, x], lambda x: {"a": (1.0, x)}])
def test_a_gradient_inside_of_a_container_is_not_lost(hidden):
    class Total(Function):
        @staticmethod
        def forward(ctx, xs):
            return np.asarray(2.0)

    with pytest.raises(
        TypeError,
        match=r"Total\.apply: .* of their own, got one inside of xs; let forward take \*xs",
    ):
        Total.apply(hidden(leaf(1.0)))
    assert Total.apply(hidden(Variable(1.0))) == 2.0
