"""Names and places of parameters: NumPy's, wherever a function or a method is NumPy's."""

import inspect

import numpy as np
import pytest
from op_table import Call, collect, leaves

import autograd
from autograd import Variable
from autograd.protocols.functions import HANDLERS, QUESTIONS, open_rooms

Parameter = inspect.Parameter
BY_PLACE = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
open_rooms()
COUNTERPARTS = {f: h for f, h in (HANDLERS | QUESTIONS).items() if not isinstance(f, np.ufunc)}

# (name, parameter) -> why it is not as in NumPy.
EXCEPTIONS = {
    ("clip", "a_min"): "as in np.clip; the method of arrays calls it min, which is taken as well",
    ("clip", "a_max"): "likewise",
}
# Functions that got other parameters after a version that is supported.
EARLIER = {("reshape", "2.0"), ("trim_zeros", "2.0"), ("trim_zeros", "2.1")}


def differences(theirs, ours):
    """Say where `ours` takes a parameter under another name or at another place than `theirs`."""
    theirs, ours = (list(inspect.signature(f).parameters.values()) for f in (theirs, ours))
    names = {p.name for p in theirs}
    takes_any = any(p.kind is Parameter.VAR_KEYWORD for p in theirs)
    found = []
    for place, p in enumerate(ours):
        there = theirs[place] if place < len(theirs) else None
        if p.kind in BY_PLACE:
            if there is None or (there.name != p.name and there.kind is not BY_PLACE[0]):
                # What NumPy takes by name only may be taken by place as well, behind all others.
                by_name = any(t.name == p.name and t.kind is Parameter.KEYWORD_ONLY for t in theirs)
                if not by_name and not takes_any:
                    found.append((p.name, there and there.name))
            elif p.kind is BY_PLACE[0] and there.kind is not BY_PLACE[0]:
                found.append((p.name, "by name, too"))
        elif p.kind is Parameter.KEYWORD_ONLY:
            if p.name not in names and not takes_any:
                found.append((p.name, None))
        elif there is None or (there.name, there.kind) != (p.name, p.kind):
            found.append((p.name, there and there.name))
    return found


@pytest.mark.parametrize("function", COUNTERPARTS, ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_parameters_of_functions_are_numpys(function):
    if (function.__name__, np.__version__[:3]) in EARLIER:
        pytest.skip("the names are those of later versions of NumPy")
    try:
        inspect.signature(function)
    except ValueError:
        pytest.skip("this version of NumPy does not tell the signature")
    assert differences(function, COUNTERPARTS[function]) == []


METHODS = [
    name
    for name, method in vars(np.ndarray).items()
    if not name.startswith("_") and callable(method) and callable(vars(Variable).get(name))
]


@pytest.mark.parametrize("name", METHODS)
def test_parameters_of_methods_are_those_of_arrays(name):
    try:
        inspect.signature(getattr(np.ndarray, name))
    except ValueError:
        pytest.skip("this version of NumPy does not tell the signature")
    found = differences(getattr(np.ndarray, name), vars(Variable)[name])
    found = [d for d in found if (name, d[0]) not in EXCEPTIONS and d[0] not in ("self", "a", "x")]
    assert found == []


def test_differences_are_noticed():
    def numpys(a, axis=None, out=None, *, keepdims=False): ...

    assert differences(numpys, lambda a, axis=None, *, keepdims=False: 0) == []
    assert differences(numpys, lambda x, axis=None: 0) == [("x", "a")]
    assert differences(numpys, lambda a, keepdims=False: 0) == []
    assert differences(numpys, lambda a, out=None, axis=None: 0) == [
        ("out", "axis"),
        ("axis", "out"),
    ]
    assert differences(numpys, lambda a, *, other=0: 0) == [("other", None)]
    assert differences(numpys, lambda a, /, axis=None: 0) == [("a", "by name, too")]


ROWS = [row for row in collect() if row.function in COUNTERPARTS.values()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_operands_may_be_given_by_name(row):
    case = row.cases[0]
    arguments = case.arguments(np.random.default_rng(0))
    signature = inspect.signature(row.function)
    bound = signature.bind(*arguments, **case.kwargs)
    if any(
        signature.parameters[name].kind not in BY_PLACE[1:] for name in list(bound.arguments)[:1]
    ):
        return  # operands that NumPy takes by place only, or any number of them
    call = Call(row.function, arguments, case)
    variables = [Variable(x, requires_grad=True) for x in call.operands]
    given = signature.bind(*call.arguments_with(variables)).arguments | case.kwargs
    by_name = leaves(row.function(**given))
    by_place = leaves(row.function(*arguments, **case.kwargs))
    for a, b in zip(by_name, by_place, strict=True):
        np.testing.assert_array_equal(a.data if isinstance(a, Variable) else a, b)


def test_names_of_operands_are_known_to_the_protocols():
    v = Variable([1.0, 2.0], requires_grad=True)
    for f in (np.sum, autograd.sum):
        assert f(a=v, axis=0).requires_grad
    for f in (np.vstack, autograd.vstack):
        assert f(tup=(v, v)).shape == (2, 2)
    with pytest.raises(TypeError, match="wanted keywords among a, axis1, axis2, got 'x'"):
        autograd.swapaxes(x=v, axis1=0, axis2=0)
