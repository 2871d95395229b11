"""Products, einsum, filtering, covariance: what the op table does not say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable, grad


def leaf(*shape, seed=0):
    return Variable(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


# -- matmul ----------------------------------------------------------------------------------------


def test_matmul_explains_shapes_that_do_not_fit():
    wanted = r"matmul: wanted shapes .* got \(2, 3\) and \(2, 3\); transpose an operand"
    with pytest.raises(ValueError, match=wanted):
        leaf(2, 3) @ leaf(2, 3)
    with pytest.raises(ValueError, match=wanted):
        autograd.matmul(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"got \(2, 3, 4\) and \(3, 5\)"):
        leaf(2, 3, 4) @ leaf(3, 5)


def test_matmul_refuses_scalars():
    with pytest.raises(ValueError, match=r"got \(2,\) and \(\); .*use \* for scalars"):
        leaf(2) @ 2.0
    with pytest.raises(ValueError, match=r"got \(\) and \(2,\)"):
        np.float64(2.0) @ leaf(2)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3, 2, 4), (0, 2, 4), (3, 0, 4), (2, 3, 0)])
def test_a_stack_times_one_matrix_equals_numpy_in_any_layout(shape, order):
    x = np.asarray(np.random.default_rng(1).normal(size=shape), order=order)
    y = np.random.default_rng(2).normal(size=(shape[-1], 5))
    vx, vy = Variable(x, requires_grad=True), Variable(y, requires_grad=True)
    out = vx @ vy
    np.testing.assert_allclose(out.data, np.matmul(x, y), rtol=1e-13)
    g = np.random.default_rng(3).normal(size=out.shape)
    out.backward(g)
    np.testing.assert_allclose(vx.grad, np.matmul(g, y.T), rtol=1e-13)
    np.testing.assert_allclose(vy.grad, np.tensordot(x, g, ((0, 1), (0, 1))), rtol=1e-12)


def test_dot_and_matmul_record_the_same_node():
    a, b = leaf(2, 3), leaf(3, 4)
    names = {f(a, b)._node.plan.name for f in (autograd.dot, np.dot, autograd.matmul, np.matmul)}
    assert names == {"matmul"}


def test_vdot_vecdot_and_vecmat_conjugate_their_first_operand():
    z = np.array([1 + 2j, 3 - 1j])
    w = np.array([2 - 1j, 1j])
    assert autograd.vdot(z, w) == np.vdot(z, w)
    assert autograd.vecdot(z, w) == np.vdot(z, w)
    np.testing.assert_allclose(autograd.vecmat(z, np.diag(w)), z.conj() * w)
    np.testing.assert_allclose(autograd.matvec(np.diag(w), z), z * w)


def test_vecdot_does_not_broadcast_the_axis_it_sums():
    with pytest.raises(ValueError, match=r"vecdot: wanted equal lengths along axis -1, got"):
        autograd.vecdot(leaf(3), leaf(1))


def test_cross_names_the_way_out_for_vectors_in_the_plane():
    with pytest.raises(ValueError, match="cross: wanted vectors of length 3, got lengths 2 and 3"):
        autograd.cross(leaf(2), leaf(3))


# -- einsum ----------------------------------------------------------------------------------------


@st.composite
def subscripts(draw):
    """Draw a valid implicit or explicit einsum with its operands' shapes."""
    letters = "abcd"
    lengths = {c: draw(st.integers(1, 3)) for c in letters}
    terms = draw(st.lists(st.text(letters, min_size=0, max_size=3), min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    text = ",".join(terms)
    if draw(st.booleans()):
        text += "->" + "".join(draw(st.permutations(used)))[: draw(st.integers(0, len(used)))]
    return text, [tuple(lengths[c] for c in term) for term in terms]


@given(subscripts(), st.integers(0, 2**32 - 1))
def test_einsum_and_its_gradients_equal_those_of_differences_in_every_operand(case, seed):
    text, shapes = case
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.normal(size=shape)) for shape in shapes]
    variables = [Variable(a, requires_grad=True) for a in arrays]
    out = autograd.einsum(text, *variables)
    np.testing.assert_allclose(out.data, np.einsum(text, *arrays), rtol=1e-12, atol=1e-13)
    g = np.asarray(rng.normal(size=out.shape))
    out.backward(g)
    for i, (a, v) in enumerate(zip(arrays, variables, strict=True)):
        direction = np.asarray(rng.normal(size=a.shape))
        moved = [*arrays[:i], direction, *arrays[i + 1 :]]  # linear in each operand: exact
        slope = np.sum(g * np.einsum(text, *moved))
        np.testing.assert_allclose(np.sum(v.grad * direction), slope, rtol=1e-10, atol=1e-11)


def test_einsum_on_one_operand_used_twice_adds_both_gradients():
    x = leaf(3, 3)
    autograd.einsum("ij,jk->", x, x).backward()
    column_sums, row_sums = x.data.sum(0), x.data.sum(1)
    np.testing.assert_allclose(x.grad, row_sums[None, :] + column_sums[:, None], rtol=1e-13)


def test_a_large_einsum_looks_for_fast_products_by_itself(monkeypatch):
    seen = []
    original = np.einsum

    def watched(*args, **kwargs):
        seen.append(kwargs["optimize"])
        return original(*args, **kwargs)

    monkeypatch.setattr(np, "einsum", watched)
    autograd.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((3, 2)))
    autograd.einsum("ij,jk->ik", np.ones((40, 40)), np.ones((40, 40)))
    assert seen == [False, True]


def test_einsum_takes_a_path_for_the_forward_pass_only():
    path = ["einsum_path", (1, 2), (0, 1)]
    x, y, z = leaf(2, 3), leaf(3, 4, seed=1), leaf(4, 2, seed=2)
    autograd.einsum("ij,jk,kl->il", x, y, z, optimize=path).sum().backward()
    np.testing.assert_allclose(x.grad, np.ones((2, 2)) @ (y.data @ z.data).T, rtol=1e-13)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ((), ValueError, "wanted subscripts and at least one operand, got nothing"),
        (("ij,jk", np.ones((2, 2))), ValueError, r"wanted as many operands as subscripts \(2\)"),
        (("i?", np.ones((2, 2))), ValueError, "wanted letters and at most one ellipsis"),
        (("ijk", np.ones((2, 2))), ValueError, "wanted 3 axes for the subscripts 'ijk', got"),
        (("i", np.ones((2, 2))), ValueError, "wanted 1 axes for the subscripts 'i', got"),
        (("...i->i", np.ones((2, 2))), ValueError, "wanted an ellipsis in the output"),
        ((np.ones(2), 0), TypeError, "wanted a string first, or a list of integers"),
        ((np.ones(2), [60]), ValueError, "wanted integers from 0 to 51"),
    ],
)
def test_einsum_names_what_is_wrong(arguments, error, message):
    with pytest.raises(error, match="einsum: " + message):
        autograd.einsum(*arguments)


def test_einsum_refuses_keywords_without_a_gradient_by_name():
    with pytest.raises(TypeError, match="einsum.*dtype"):
        np.einsum("ij->i", leaf(2, 2), dtype=np.float32)


# -- filtering -------------------------------------------------------------------------------------


@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from(["full", "same", "valid"]),
    st.sampled_from(["convolve", "correlate"]),
)
def test_convolve_and_correlate_equal_numpy_and_are_bilinear(m, n, mode, name):
    rng = np.random.default_rng([m, n])
    x, y, dx, dy = (rng.normal(size=k) for k in (m, n, m, n))
    function = getattr(np, name)
    vx, vy = Variable(x, requires_grad=True), Variable(y, requires_grad=True)
    out = getattr(autograd, name)(vx, vy, mode)
    np.testing.assert_allclose(out.data, function(x, y, mode), rtol=1e-12, atol=1e-13)
    g = rng.normal(size=out.shape)
    out.backward(g)
    np.testing.assert_allclose(vx.grad @ dx, g @ function(dx, y, mode), rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(vy.grad @ dy, g @ function(x, dy, mode), rtol=1e-10, atol=1e-11)


def test_convolve_explains_its_operands():
    with pytest.raises(ValueError, match=r"convolve: wanted a vector .* 'a', got shape \(2, 2\)"):
        autograd.convolve(leaf(2, 2), leaf(2))
    with pytest.raises(
        ValueError, match="convolve: wanted mode 'full', 'same' or 'valid', got 'x'"
    ):
        autograd.convolve(leaf(2), leaf(2), "x")


def test_interp_takes_the_slope_to_the_right_at_a_knot_and_none_outside():
    slope = grad(lambda x: autograd.interp(x, [0.0, 1.0, 3.0], [0.0, 2.0, 3.0]).sum())
    at = np.array([0.0, 1.0, 3.0, -1.0, 4.0])
    np.testing.assert_allclose(slope(at), [2.0, 0.5, 0.5, 0.0, 0.0])


def test_interp_of_a_single_point_is_constant():
    fp = Variable([2.0], requires_grad=True)
    out = autograd.interp(np.array([-1.0, 0.0, 1.0]), [0.0], fp)
    out.sum().backward()
    np.testing.assert_allclose(out.data, 2.0)
    np.testing.assert_allclose(fp.grad, [3.0])
    assert autograd.interp([0.5], [0], [2]).dtype == np.float64  # as NumPy's, not int64


def test_interp_explains_its_operands():
    with pytest.raises(ValueError, match="interp: wanted xp and fp of one length, got 2 and 3"):
        autograd.interp(leaf(2), [0.0, 1.0], [0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="interp: wanted a period that is not 0"):
        autograd.interp(leaf(2), [0.0, 1.0], [0.0, 1.0], period=0)


def test_polyval_of_a_constant_has_no_slope():
    x = leaf(3)
    autograd.polyval([2.0], x).sum().backward()
    np.testing.assert_array_equal(x.grad, np.zeros(3))


def test_apply_along_axis_needs_a_vector():
    with pytest.raises(ValueError, match=r"apply_along_axis: wanted at least one vector"):
        autograd.apply_along_axis(autograd.sum, 1, leaf(0, 3))


def test_apply_over_axes_explains_a_function_that_drops_too_much():
    with pytest.raises(ValueError, match="apply_over_axes: wanted a function that keeps or drops"):
        autograd.apply_over_axes(lambda a, axis: a.sum(), leaf(2, 3), 0)


# -- covariance ------------------------------------------------------------------------------------


def test_cov_keeps_float32():
    x = Variable(
        np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32), requires_grad=True
    )
    out = autograd.cov(x)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.data, np.cov(x.data), rtol=1e-5)


def test_cov_warns_of_too_few_observations():
    expected = "cov: wanted more observations than ddof=1, got 1"
    with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning, match=expected):
        autograd.cov(np.ones((2, 1)))


def test_cov_explains_its_operands():
    with pytest.raises(ValueError, match=r"cov: wanted at most 2 axes for 'm', got shape"):
        autograd.cov(leaf(2, 2, 2))
    with pytest.raises(ValueError, match=r"cov: wanted one weight per observation \(3\)"):
        autograd.cov(leaf(2, 3), aweights=np.ones(2))
    with pytest.raises(TypeError, match="cov: wanted integers as fweights, got dtype float64"):
        autograd.cov(leaf(2, 3), fweights=np.ones(3))


def test_corrcoef_of_one_variable_is_one():
    assert float(autograd.corrcoef(np.array([1.0, 3.0, 2.0]))) == 1.0


@pytest.mark.torch
def test_complex_products_follow_pytorchs_convention():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)) for _ in range(2))

    def ours(x, y):
        z = autograd.einsum("ij,jk,kk->ik", x, y, x)
        return autograd.absolute(z).sum() + autograd.absolute(autograd.vdot(x, y))

    def theirs(x, y):
        z = torch.einsum("ij,jk,k->ik", x, y, x.diagonal())
        return z.abs().sum() + torch.vdot(x.ravel(), y.ravel()).abs()

    variables = [Variable(m, requires_grad=True) for m in (a, b)]
    tensors = [torch.tensor(m, requires_grad=True) for m in (a, b)]
    ours(*variables).backward()
    theirs(*tensors).backward()
    for v, t in zip(variables, tensors, strict=True):
        np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "function, shapes",
    [
        (autograd.matmul, [(2, 3), (3, 4)]),
        (lambda x, y: autograd.tensordot(x, y, ((0, 2), (1, 0))), [(2, 3, 4), (4, 2, 5)]),
        (lambda x, y: autograd.einsum("iij,jk->ik", x, y), [(2, 2, 3), (3, 2)]),
        (autograd.cross, [(2, 3), (3,)]),
    ],
    ids=["matmul", "tensordot", "einsum", "cross"],
)
def test_tangents_of_products_follow_the_product_rule(function, shapes):
    x, y, dx, dy = (np.random.default_rng(i).normal(size=s) for i, s in enumerate(shapes * 2))
    _, both = autograd.jvp(function, (x, y), (dx, dy))
    np.testing.assert_allclose(both, function(dx, y) + function(x, dy), rtol=1e-12)
    _, left = autograd.jvp(lambda x: function(x, y), (x,), (dx,))
    np.testing.assert_allclose(left, function(dx, y), rtol=1e-12)
    _, right = autograd.jvp(lambda y: function(x, y), (y,), (dy,))
    np.testing.assert_allclose(right, function(x, dy), rtol=1e-12)


def test_nan_off_the_diagonal_stays_out_of_a_trace_by_einsum():
    x = autograd.Variable([[4.0, -1.0], [-2.0, 9.0]], requires_grad=True)
    with np.errstate(invalid="ignore"):
        np.einsum("ii->", np.exp(np.log(x))).backward()
    np.testing.assert_allclose(x.grad, np.eye(2))
