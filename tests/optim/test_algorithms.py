"""Every algorithm against its formula and against PyTorch, on every layout of memory."""

import inspect

import numpy as np
import pytest
from optim_table import CASES, NAMES, TABLE

import optim
from autograd import Variable

every_case = pytest.mark.parametrize("algorithm, options", CASES, ids=NAMES)
every_algorithm = pytest.mark.parametrize("algorithm", TABLE, ids=lambda a: a.__name__)

STEPS = 40


def start(dtype=np.float64, row=None):
    """Parameters of every kind: 0-d, empty, small, long, and long but not contiguous."""
    rng = np.random.default_rng(1)
    shapes = [(), (0, 3), (5,), (2, 3, 4), (150, 100), (100, 150)]
    if row is not None and row.matrices:
        shapes = [(0, 3), (1, 5), (4, 3), (25, 40)]
    arrays = [np.asarray(rng.normal(size=s), dtype=dtype) for s in shapes]
    arrays[-1] = arrays[-1].T.copy().T
    return arrays


def gradient(p, t):
    """A gradient that depends on the parameter and on the step, as training has it."""
    return np.asarray(0.5 * p + np.sin(3 * p + t) + 0.1)


def run(optimizer, params, steps, first=1):
    for t in range(first, first + steps):
        for p in params:
            p.grad = gradient(p.data, t)
        optimizer.step()


def leaves(arrays):
    return [Variable(a.copy(order="K"), requires_grad=True) for a in arrays]


def assert_near(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-12)


def test_every_algorithm_has_a_row():
    exported = {
        value
        for name in optim.__all__
        if inspect.isclass(value := getattr(optim, name)) and value is not optim.Optimizer
    }
    # LBFGS calls its closure as it likes: test_lbfgs.py.
    assert exported == {*TABLE, optim.LBFGS}


@every_algorithm
def test_defaults_are_the_ones_of_the_table(algorithm):
    optimizer = algorithm(leaves(start(row=TABLE[algorithm])[:1]))
    assert optimizer.defaults == TABLE[algorithm].defaults


@every_case
def test_steps_follow_the_formula_of_the_paper(algorithm, options):
    row = TABLE[algorithm]
    arrays = start(row=row)
    params = leaves(arrays)
    run(algorithm(params, **options), params, STEPS)
    for p, wanted in zip(params, arrays, strict=True):
        memory = {}
        for t in range(1, STEPS + 1):
            wanted = row.formula(wanted, gradient(wanted, t), t, memory, row.defaults | options)
        assert_near(p.data, wanted)


@pytest.fixture
def torch_in_float64():
    """PyTorch with numbers of the state in float64, too: NAdam's product is float32 otherwise."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(before)


@pytest.mark.torch
@every_case
def test_steps_give_the_numbers_of_pytorch(algorithm, options, torch_in_float64, monkeypatch):
    torch = torch_in_float64
    if not TABLE[algorithm].in_torch or "weight_decay_l1" in options:
        pytest.skip("PyTorch has no such algorithm or option")
    # Muon's iteration in the dtype of the parameter, as ours.
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    arrays = start(row=TABLE[algorithm])
    if algorithm is optim.Adafactor:
        del arrays[1]  # PyTorch divides by the number of elements
    params = leaves(arrays)
    optimizer = algorithm(params, **options)
    tensors = [torch.tensor(a.copy(), requires_grad=True) for a in arrays]
    peer = getattr(torch.optim, algorithm.__name__)(tensors, **options)
    for t in range(1, STEPS + 1):
        for p, tensor in zip(params, tensors, strict=True):
            p.grad = gradient(p.data, t)
            tensor.grad = torch.tensor(gradient(tensor.detach().numpy(), t))
        optimizer.step()
        peer.step()
    for p, tensor in zip(params, tensors, strict=True):
        assert_near(p.data, tensor.detach().numpy())
        for name, value in optimizer.state.get(p, {}).items():
            if name in peer.state[tensor]:
                assert_near(value, peer.state[tensor][name].numpy())


@pytest.mark.torch
@every_algorithm
def test_arguments_and_defaults_are_those_of_pytorch(algorithm):
    torch = pytest.importorskip("torch")
    if not TABLE[algorithm].in_torch:
        pytest.skip("PyTorch has no such algorithm")
    ours = list(inspect.signature(algorithm).parameters.values())
    theirs = inspect.signature(getattr(torch.optim, algorithm.__name__)).parameters
    for parameter in ours:
        if parameter.name not in ("params", "weight_decay_l1"):
            assert theirs[parameter.name].default == parameter.default
    positional = [p.name for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == list(theirs)[: len(positional)]


@every_case
def test_float32_stays_float32(algorithm, options):
    row = TABLE[algorithm]
    exact, rough = leaves(start(row=row)), leaves(start(np.float32, row))
    optimizer = algorithm(rough, **options)
    run(algorithm(exact, **options), exact, 5)
    run(optimizer, rough, 5)
    for p, q in zip(exact, rough, strict=True):
        assert q.data.dtype == np.float32
        # A sign that flips in float32 moves a parameter by a whole step.
        assert np.mean(np.abs(p.data - q.data) > 1e-3) < 0.01 if p.size else True
    for state in optimizer.state.values():
        arrays = [value for value in state.values() if isinstance(value, np.ndarray)]
        assert all(a.dtype == np.float32 for a in arrays)


@every_case
def test_a_checkpoint_continues_bit_for_bit(algorithm, options):
    params = leaves(start(row=TABLE[algorithm]))
    optimizer = algorithm(params, **options)
    run(optimizer, params, 7)
    others = leaves([p.data for p in params])
    other = algorithm(others)
    other.load_state_dict(optimizer.state_dict())
    run(optimizer, params, 5, first=8)
    run(other, others, 5, first=8)
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


@every_algorithm
def test_packed_and_single_parameters_get_the_same_bits(algorithm):
    together = leaves(start(row=TABLE[algorithm]))
    alone = leaves(start(row=TABLE[algorithm]))
    run(algorithm(together), together, 5)
    for p in alone:
        run(algorithm([p]), [p], 5)
    for p, q in zip(together, alone, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


@every_algorithm
def test_minimises_a_quadratic(algorithm):
    target = np.array([1.0, -2.0, 0.5])
    options, steps = TABLE[algorithm].rosenbrock
    x = Variable(np.zeros((1, 3) if TABLE[algorithm].matrices else 3), requires_grad=True)
    optimizer = algorithm([x], **options)
    for _ in range(steps):
        optimizer.zero_grad()
        ((x - target) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(x.data.reshape(-1), target, atol=0.02)


@every_algorithm
def test_gets_along_the_valley_of_rosenbrock(algorithm):
    options, steps = TABLE[algorithm].rosenbrock
    start = np.array([-1.2, 1.0])
    leaf = Variable(start[None] if TABLE[algorithm].matrices else start, requires_grad=True)
    optimizer = algorithm([leaf], **options)

    def value():
        x = leaf.reshape(-1)
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    before = value().item()
    for _ in range(steps):
        optimizer.zero_grad()
        value().backward()
        optimizer.step()
    assert value().item() < before / 40


@every_algorithm
def test_complex_parameters_move_like_pairs_of_real_ones(algorithm):
    rng = np.random.default_rng(2)
    z = Variable(rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4)), requires_grad=True)
    if not TABLE[algorithm].complex:
        with pytest.raises(ValueError, match="wanted real .* complex128 in parameter 0; give"):
            algorithm([z])
        return
    pair = Variable(z.data.copy().view(np.float64), requires_grad=True)
    optimizers = algorithm([z]), algorithm([pair])
    for t in range(5):
        pair.grad = gradient(pair.data, t)
        z.grad = pair.grad.view(np.complex128)
        for optimizer in optimizers:
            optimizer.step()
    np.testing.assert_array_equal(z.data.view(np.float64), pair.data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_gradient_does_not_end_centered_rmsprop(dtype):
    """The variance is 0, and what rounding leaves of it may be negative."""
    x = Variable(np.zeros(4, dtype), requires_grad=True)
    optimizer = optim.RMSprop([x], lr=1e-3, centered=True)
    for _ in range(3000):
        before = x.data.copy()
        x.grad = np.full(4, 0.1)
        optimizer.step()
        # As long as the deviation is more than rounding, a step is lr * g / deviation.
        assert (np.abs(x.data - before) <= 1e-3 / np.sqrt(np.finfo(dtype).eps) * 1.01).all()
    assert np.isfinite(x.data).all()


@pytest.mark.torch
@pytest.mark.parametrize(
    "algorithm", [a for a in TABLE if TABLE[a].in_torch], ids=lambda a: a.__name__
)
def test_what_pytorch_refuses_is_refused(algorithm):
    """Every option of every algorithm, with values on both sides of its limits."""
    torch = pytest.importorskip("torch")
    peer = getattr(torch.optim, algorithm.__name__)
    tried = 0
    for name, default in TABLE[algorithm].defaults.items():
        values = [-1.0, -1e-8, 1.0, 1.5, float("nan")]
        if isinstance(default, tuple):
            places = range(len(default))
            values = [(*default[:i], v, *default[i + 1 :]) for v in values for i in places]
            values += [default[:-1]]
        elif default is None:
            values = ["no", 3, True]
        if isinstance(default, bool) or name in ("weight_decay_l1", "maximize"):
            continue
        for value in values:
            try:
                peer([torch.zeros(1, 1, requires_grad=True)], **{name: value})
            except (ValueError, TypeError, IndexError):
                tried += 1
                with pytest.raises(ValueError, match=f"{algorithm.__name__}: wanted .*{name}"):
                    algorithm([Variable([[0.0]], requires_grad=True)], **{name: value})
    assert tried >= 4


def test_the_average_of_asgd_is_that_of_the_points_after_t0():
    x = Variable(np.array([1.0, -2.0]), requires_grad=True)
    optimizer = optim.ASGD([x], lr=0.2, t0=4)
    points = []
    for t in range(12):
        x.grad = gradient(x.data, t)
        optimizer.step()
        points.append(x.data.copy())
    # The first point of the average is that of step t0 + 2.
    assert_near(optimizer.state[x]["ax"], np.mean(points[5:], axis=0))


@pytest.mark.parametrize("shape", [(3,), (), (2, 3, 4)])
def test_muon_refuses_what_is_no_matrix(shape):
    rows = Variable(np.ones((2, 3)), requires_grad=True)
    other = Variable(np.ones(shape), requires_grad=True)
    with pytest.raises(
        ValueError, match=r"Muon: wanted real matrices \(2 axes\), got .* parameter 1"
    ):
        optim.Muon([rows, other])
    with pytest.raises(ValueError, match="in parameter 'b'; give the others to AdamW"):
        optim.Muon([("a", rows), ("b", other)])


def test_the_state_of_adafactor_is_smaller_than_the_parameter():
    x = Variable(np.ones((4, 30, 20)), requires_grad=True)
    optimizer = optim.Adafactor([x])
    with pytest.warns(UserWarning, match="wanted gradients, got none"):
        optimizer.step()
    assert not optimizer.state
    x.grad = np.ones(x.shape)
    optimizer.step()
    state = optimizer.state[x]
    assert {name: np.shape(value) for name, value in state.items()} == {
        "step": (),
        "row_var": (4, 30, 1),
        "col_var": (4, 1, 20),
    }
