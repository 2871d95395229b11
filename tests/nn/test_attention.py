"""Attention: beside a plain loop in NumPy, beside PyTorch, with every kind of mask."""

import numpy as np
import pytest
import torch_nested
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Variable
from nn import functional

attention = functional.scaled_dot_product_attention


def plain(query, key, value, bias=None, scale=None):
    """One query at a time, of two axes."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    out = []
    for i, q in enumerate(query):
        scores = key @ q * scale + (0 if bias is None else bias[i])
        powers = np.exp(scores)
        out.append(powers @ value / powers.sum())
    return np.array(out)


def inputs(rng, *batch, queries=3, keys=5, features=4, values=2):
    return [
        rng.normal(size=(*batch, *shape))
        for shape in ((queries, features), (keys, features), (keys, values))
    ]


TRIANGLE = np.tri(3, 5, dtype=bool)
SOME = np.array([[1, 0, 1, 1, 0], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
NUMBERS = np.random.default_rng(5).normal(size=(3, 5))


@pytest.mark.parametrize(
    "arguments, bias",
    [
        ({}, None),
        ({"scale": 0.3}, None),
        ({"is_causal": True}, np.where(TRIANGLE, 0, -np.inf)),
        ({"attn_mask": SOME}, np.where(SOME, 0, -np.inf)),
        ({"attn_mask": NUMBERS}, NUMBERS),
    ],
)
def test_attention_equals_a_plain_loop(arguments, bias):
    q, k, v = inputs(np.random.default_rng(0))
    wanted = plain(q, k, v, bias, arguments.get("scale"))
    np.testing.assert_allclose(attention(q, k, v, **arguments), wanted, rtol=1e-13)
    out = attention(Variable(q, requires_grad=True), k, v, **arguments)
    np.testing.assert_allclose(out.data, wanted, rtol=1e-13)


def test_gradients_and_second_derivatives_equal_differences():
    q, k, v = inputs(np.random.default_rng(0), 2)

    def run(q, k, v, bias):
        return attention(q, k, v, attn_mask=bias) + attention(q, k, v, attn_mask=SOME)

    autograd.testing.check_gradients(run, q, k, v, NUMBERS, order=2)


@pytest.mark.torch
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"is_causal": True},
        {"scale": 2.0},
        {"attn_mask": SOME},
        {"attn_mask": NUMBERS},
        {"attn_mask": np.stack([SOME, ~SOME])[:, None]},
    ],
)
def test_attention_and_its_gradients_equal_pytorchs(arguments):
    torch = pytest.importorskip("torch")
    torch_nested.compare_functions(
        torch,
        attention,
        torch.nn.functional.scaled_dot_product_attention,
        *inputs(np.random.default_rng(0), 2, 3),
        **arguments,
    )


@pytest.mark.torch
def test_one_head_of_keys_for_several_of_queries_equals_pytorchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    torch_nested.compare_functions(
        torch,
        attention,
        torch.nn.functional.scaled_dot_product_attention,
        rng.normal(size=(2, 6, 3, 4)),
        rng.normal(size=(2, 2, 5, 4)),
        rng.normal(size=(2, 2, 5, 3)),
        enable_gqa=True,
    )


def test_a_query_without_keys_gets_zeros_and_passes_no_gradient():
    q, k, v = (Variable(x, requires_grad=True) for x in inputs(np.random.default_rng(0)))
    mask = SOME.copy()
    mask[1] = False
    out = attention(q, k, v, attn_mask=mask)
    out.sum().backward()
    np.testing.assert_array_equal(out.data[1], 0.0)
    np.testing.assert_array_equal(q.grad[1], 0.0)
    assert np.isfinite(k.grad).all()
    assert q.grad[0].any()


def test_large_scores_do_not_overflow():
    q, k, v = inputs(np.random.default_rng(0))
    with np.errstate(over="raise", invalid="raise"):
        out = attention(1e4 * q, k, v, attn_mask=SOME)
    best = np.where(SOME, q @ k.T, -np.inf).argmax(axis=1)
    np.testing.assert_allclose(out, v[best], rtol=1e-12)


@pytest.mark.parametrize("mask", [None, SOME, NUMBERS])
def test_float32_stays_float32(mask):
    q, k, v = (
        Variable(x.astype(np.float32), requires_grad=True) for x in inputs(np.random.default_rng(0))
    )
    out = attention(q, k, v, attn_mask=mask)
    out.sum().backward()
    assert out.dtype == q.grad.dtype == k.grad.dtype == v.grad.dtype == np.float32


def test_dropout_zeroes_weights_and_keeps_the_mean():
    ones = np.ones((200, 4))
    values = np.eye(200)
    weights = attention(ones, ones, values, dropout_p=0.25, generator=0)
    assert set(np.round(weights.ravel() * 200, 9)) == {0.0, np.round(1 / 0.75, 9)}
    assert abs(weights.sum(axis=1).mean() - 1) < 0.01
    again = attention(ones, ones, values, dropout_p=0.25, generator=0)
    np.testing.assert_array_equal(again, weights)


@given(st.data())
def test_a_causal_query_does_not_see_what_follows(data):
    length = data.draw(st.integers(1, 6))
    batch = tuple(data.draw(st.lists(st.integers(1, 3), max_size=2)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    q, k, v = inputs(rng, *batch, queries=length, keys=length)
    seen = data.draw(st.integers(1, length))
    out = attention(q, k, v, is_causal=True)
    cut = attention(q[..., :seen, :], k[..., :seen, :], v[..., :seen, :], is_causal=True)
    assert out.shape == (*batch, length, 2)
    np.testing.assert_allclose(out[..., :seen, :], cut, rtol=1e-12)


# -- several heads ---------------------------------------------------------------------------------

MODULES = [
    {},
    {"bias": False},
    {"batch_first": True},
    {"kdim": 3, "vdim": 5},
    {"kdim": 3, "vdim": 5, "bias": False, "add_bias_kv": True, "batch_first": True},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True},
]
KEYS = np.array([[0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)  # of two sequences; True is left out
CALLS = [
    {},
    {"need_weights": False},
    {"average_attn_weights": False},
    {"key_padding_mask": KEYS},
    {"key_padding_mask": np.where(KEYS, -1.5, 0.25)},
    {"attn_mask": ~SOME},
    {"attn_mask": NUMBERS},
    {"attn_mask": np.repeat(NUMBERS[None], 8, axis=0) * np.arange(8)[:, None, None]},
    {"attn_mask": ~SOME, "key_padding_mask": np.roll(KEYS, 1, axis=1)},
    {"attn_mask": NUMBERS, "key_padding_mask": np.where(KEYS, -1.5, 0.25), "need_weights": False},
]


def modules(torch, options):
    ours = nn.MultiheadAttention(8, 4, dtype=np.float64, **options)
    theirs = torch.nn.MultiheadAttention(8, 4, dtype=torch.float64, **options)
    for p in ours.parameters():  # biases start from zeros
        p.data = np.random.default_rng(p.size).normal(size=p.shape)
    return ours, theirs


def sequences(rng, options, queries=3):
    shapes = [(queries, 2, 8), (5, 2, options.get("kdim", 8)), (5, 2, options.get("vdim", 8))]
    arrays = [rng.normal(size=shape) for shape in shapes]
    return [x.swapaxes(0, 1) for x in arrays] if options.get("batch_first") else arrays


@pytest.mark.torch
@pytest.mark.parametrize("options", MODULES, ids=str)
@pytest.mark.parametrize("call", CALLS, ids="+".join)
def test_several_heads_and_their_gradients_equal_pytorchs(options, call):
    torch = pytest.importorskip("torch")
    ours, theirs = modules(torch, options)
    x = sequences(np.random.default_rng(0), options)
    torch_nested.compare_modules(torch, ours, theirs, *x, **call)


@pytest.mark.torch
@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"bias": False}], ids=str)
def test_self_attention_and_that_to_a_memory_equal_pytorchs(options):
    torch = pytest.importorskip("torch")
    ours, theirs = modules(torch, options)
    torch_nested.exchange(ours, theirs, torch)
    q, k, _ = sequences(np.random.default_rng(0), options)
    for wrap, args in (
        (lambda layer: lambda x: layer(x, x, x), (q,)),
        (lambda layer: lambda x, m: layer(x, m, m), (q, k)),
    ):
        got = torch_nested.ours(wrap(ours), args, {}, list(ours.parameters()))
        wanted = torch_nested.theirs(torch, wrap(theirs), args, {}, list(theirs.parameters()))
        for a, b in zip(got, wanted, strict=True):
            torch_nested.same(a, b)


@pytest.mark.torch
def test_a_single_sequence_equals_pytorchs():
    torch = pytest.importorskip("torch")
    ours, theirs = modules(torch, {"batch_first": True})
    q, k, v = (x[0] for x in sequences(np.random.default_rng(0), {"batch_first": True}))
    for call in ({}, {"key_padding_mask": KEYS[0]}, {"attn_mask": NUMBERS, "need_weights": False}):
        torch_nested.compare_modules(torch, ours, theirs, q, k, v, **call)


@pytest.mark.torch
def test_projected_keys_and_values_equal_pytorchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    q, k, v = sequences(rng, {})
    ours, theirs = modules(torch, {})
    torch_nested.exchange(ours, theirs, torch)

    def with_static(library, layer):
        def run(q, k, v, static_k, static_v):
            return library.multi_head_attention_forward(
                *(q, k, v, 8, 4, layer.in_proj_weight, layer.in_proj_bias, None, None, False, 0.0),
                *(layer.out_proj.weight, layer.out_proj.bias),
                static_k=static_k,
                static_v=static_v,
            )

        return run

    statics = [rng.normal(size=(8, 5, 2)) for _ in range(2)]
    got = torch_nested.ours(with_static(functional, ours), (q, k, v, *statics), {})
    other = with_static(torch.nn.functional, theirs)
    wanted = torch_nested.theirs(torch, other, (q, k, v, *statics), {})
    for a, b in zip(got, wanted, strict=True):
        torch_nested.same(a, b)


@pytest.mark.torch
def test_initial_values_are_drawn_as_pytorchs():
    torch = pytest.importorskip("torch")
    for options in ({"add_bias_kv": True}, {"kdim": 60, "vdim": 40}):
        ours = nn.MultiheadAttention(120, 4, **options)
        theirs = torch.nn.MultiheadAttention(120, 4, **options)
        for (name, p), (other, q) in zip(
            ours.named_parameters(), theirs.named_parameters(), strict=True
        ):
            assert (name, p.shape) == (other, tuple(q.shape))
            scale = q.detach().numpy().std()
            assert abs(p.data.std() - scale) <= (0.2 if p.size < 1000 else 0.03) * scale, name


def test_several_heads_are_the_formula_of_the_paper():
    rng = np.random.default_rng(0)
    layer = nn.MultiheadAttention(6, 2, dtype=np.float64, generator=0)
    layer.in_proj_bias.data = rng.normal(size=18)
    q, k, v = rng.normal(size=(3, 6)), rng.normal(size=(5, 6)), rng.normal(size=(5, 6))
    projected = [
        x @ w.T + b
        for x, w, b in zip(
            (q, k, v),
            np.split(layer.in_proj_weight.data, 3),
            np.split(layer.in_proj_bias.data, 3),
            strict=True,
        )
    ]
    heads = [plain(*(x[:, part] for x in projected)) for part in (slice(0, 3), slice(3, 6))]
    wanted = np.concatenate(heads, axis=1) @ layer.out_proj.weight.data.T
    out, weights = layer(q, k, v)
    np.testing.assert_allclose(out.data, wanted, rtol=1e-12)
    assert weights.shape == (3, 5)
    np.testing.assert_allclose(weights.data.sum(axis=1), 1.0)


def test_is_causal_needs_no_mask():
    layer = nn.MultiheadAttention(8, 2, dtype=np.float64, generator=0)
    x = np.random.default_rng(0).normal(size=(4, 1, 8))
    out, weights = layer(x, x, x, is_causal=True)
    np.testing.assert_array_equal(np.triu(weights.data[0], 1), 0.0)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    np.testing.assert_allclose(layer(x, x, x, attn_mask=mask)[0].data, out.data, rtol=1e-13)


def test_weights_are_dropped_in_training_only():
    layer = nn.MultiheadAttention(8, 2, dropout=0.5, generator=0)
    x = np.random.default_rng(0).normal(size=(6, 1, 8)).astype(np.float32)
    assert (layer(x, x, x)[1].data == 0).any()
    layer.eval()
    assert (layer(x, x, x)[1].data > 0).all()


# -- errors ----------------------------------------------------------------------------------------


def mha(q, k, v, **call):
    return nn.MultiheadAttention(8, 4)(np.ones(q), np.ones(k), np.ones(v), **call)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: attention(np.ones((3, 4)), np.ones((5, 3)), np.ones((5, 2))),
            ValueError,
            r"wanted query \(..., L, E\), key \(..., S, E\) and value \(..., S, V\), got \(3, 4\)",
        ),
        (
            lambda: attention(np.ones((3, 4)), np.ones((5, 4)), np.ones((4, 2))),
            ValueError,
            r"wanted query .* got \(3, 4\), \(5, 4\) and \(4, 2\)",
        ),
        (
            lambda: attention(np.ones((2, 3, 4)), np.ones((3, 5, 4)), np.ones((3, 5, 2))),
            ValueError,
            "wanted query",
        ),
        (
            lambda: attention(np.ones(4), np.ones((5, 4)), np.ones((5, 2))),
            ValueError,
            "wanted query",
        ),
        (
            lambda: attention(*inputs(np.random.default_rng(0)), attn_mask=np.ones((5, 3), bool)),
            ValueError,
            r"wanted an attn_mask that broadcasts to \(3, 5\), got \(5, 3\)",
        ),
        (
            lambda: attention(*inputs(np.random.default_rng(0)), attn_mask=np.ones((3, 5), int)),
            TypeError,
            r"wanted attn_mask of dtype bool, or of numbers .*; write attn_mask.astype\(bool\)",
        ),
        (
            lambda: attention(*inputs(np.random.default_rng(0)), attn_mask=SOME, is_causal=True),
            ValueError,
            "wanted is_causal or an attn_mask, got both",
        ),
        (
            lambda: attention(*inputs(np.random.default_rng(0)), dropout_p=1.5),
            ValueError,
            "wanted a probability p from 0 to 1, got 1.5",
        ),
        (
            lambda: attention(
                np.ones((3, 3, 4)), np.ones((2, 5, 4)), np.ones((2, 5, 4)), enable_gqa=True
            ),
            ValueError,
            "wanted heads of queries that are a multiple of those of keys and values .* 3 and 2",
        ),
        (
            lambda: nn.MultiheadAttention(8, 3),
            ValueError,
            "MultiheadAttention: wanted an embed_dim that num_heads divides, got 8 and 3",
        ),
        (
            lambda: mha((3, 2, 7), (5, 2, 8), (5, 2, 8)),
            ValueError,
            r"wanted a query of 8 features, embed_dim, .* got shape \(3, 2, 7\)",
        ),
        (
            lambda: mha((3, 2, 8), (5, 3, 8), (5, 3, 8)),
            ValueError,
            r"of 2 sequences as the query, got query \(3, 2, 8\), .* is batch_first as it should",
        ),
        (
            lambda: mha((3, 2, 8), (5, 2, 8), (5, 8)),
            ValueError,
            "wanted query, key and value of three axes, or of two for a single sequence",
        ),
        (
            lambda: mha((3, 2, 8), (5, 2, 8), (5, 2, 8), attn_mask=np.ones((5, 3), bool)),
            ValueError,
            r"wanted an attn_mask of shape \(3, 5\) or \(8, 3, 5\), got \(5, 3\)",
        ),
        (
            lambda: mha((3, 2, 8), (5, 2, 8), (5, 2, 8), key_padding_mask=np.ones((5, 2), bool)),
            ValueError,
            r"wanted a key_padding_mask of shape \(2, 5\), got \(5, 2\)",
        ),
        (
            lambda: mha((3, 2, 8), (5, 2, 8), (5, 2, 8), key_padding_mask=np.ones((2, 5), int)),
            TypeError,
            r"wanted key_padding_mask of dtype bool.*got int64; write key_padding_mask.astype",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
