"""The grad switch: nesting, decorators, exceptions, threads, tasks, Ctrl-C, observers."""

import asyncio
import functools
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import autograd
from autograd import Variable, enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from autograd.engine.mode import watching


@pytest.fixture
def x():
    return Variable(np.array([1.0, 2.0]), requires_grad=True)


def recorded(x):
    return (x * 2).requires_grad


def test_recording_is_on_by_default(x):
    assert is_grad_enabled()
    assert recorded(x)


def test_no_grad_records_nothing_inside_and_goes_on_after(x):
    with no_grad():
        assert not is_grad_enabled()
        assert not recorded(x)
        assert (x * 2)._node is None
    assert recorded(x)


def test_switches_nest(x):
    with no_grad():
        with enable_grad():
            assert recorded(x)
            with no_grad():
                assert not recorded(x)
            assert recorded(x)
        assert not recorded(x)
    assert recorded(x)


def test_one_switch_can_be_entered_again_and_again(x):
    off = no_grad()
    with off, enable_grad(), off:
        assert not recorded(x)
    assert recorded(x)
    with off:
        assert not recorded(x)
    assert recorded(x)


@pytest.mark.parametrize("switch", [no_grad, enable_grad, lambda: set_grad_enabled(False)])
def test_an_exception_restores_the_mode(switch, x):
    with pytest.raises(KeyError), switch():
        raise KeyError
    assert is_grad_enabled()
    with no_grad():
        with pytest.raises(KeyError), switch():
            raise KeyError
        assert not is_grad_enabled()


def test_decorators_with_and_without_parentheses(x):
    @no_grad()
    def with_parentheses():
        return recorded(x)

    @no_grad
    def without():
        return recorded(x)

    @enable_grad()
    def on():
        return recorded(x)

    assert not with_parentheses()
    assert not without()
    with no_grad():
        assert on()
    assert is_grad_enabled()


def test_a_decorated_function_keeps_its_name_and_restores_the_mode_after_an_error(x):
    @no_grad()
    def evaluate(model):
        """Measure."""
        raise ValueError(model)

    assert evaluate.__name__ == "evaluate"
    assert evaluate.__doc__ == "Measure."
    with pytest.raises(ValueError, match="model"):
        evaluate("model")
    assert is_grad_enabled()


def test_a_decorated_function_may_call_itself(x):
    @no_grad()
    def count(n):
        assert not is_grad_enabled()
        return n if n == 0 else count(n - 1)

    assert count(5) == 0
    assert is_grad_enabled()


def test_a_decorated_generator_runs_its_body_in_the_mode_and_its_caller_outside(x):
    @no_grad()
    def batches():
        for _ in range(3):
            yield recorded(x)

    for inside in batches():
        assert not inside
        assert recorded(x), "the loop around a decorated generator keeps its own mode"
    assert recorded(x)


def test_a_generator_closed_early_restores_the_mode(x):
    @no_grad()
    def batches():
        yield 1
        yield 2

    generator = batches()
    next(generator)
    generator.close()
    assert is_grad_enabled()


def test_a_decorated_generator_takes_what_is_sent_and_thrown_and_returns_its_value():
    @no_grad()
    def conversation():
        heard = yield "first"
        try:
            yield heard, is_grad_enabled()
        except KeyError:
            yield "caught", is_grad_enabled()
        return "end"

    generator = conversation()
    assert next(generator) == "first"
    assert generator.send("sent") == ("sent", False)
    assert generator.throw(KeyError()) == ("caught", False)
    with pytest.raises(StopIteration, match="end"):
        next(generator)
    assert is_grad_enabled()


# -- coroutines and tasks --------------------------------------------------------------------------


def test_tasks_whose_blocks_overlap_leave_the_mode_as_it_was(x):
    seen = []

    async def evaluate(begin, end):
        await asyncio.sleep(begin)
        with no_grad():
            await asyncio.sleep(end)
            seen.append(recorded(x))
        seen.append(recorded(x))

    async def main():
        await asyncio.gather(evaluate(0, 0.01), evaluate(0.005, 0.02))
        return is_grad_enabled()

    assert asyncio.run(main())
    assert sorted(seen) == [False, False, True, True]


def test_a_task_that_waits_in_its_block_leaves_the_others_alone(x):
    async def main():
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def evaluate():
            with no_grad():
                inside.set()
                await go_on.wait()
                return recorded(x)

        task = asyncio.create_task(evaluate())
        await inside.wait()
        meanwhile = recorded(x)
        go_on.set()
        return meanwhile, await task, recorded(x)

    assert asyncio.run(main()) == (True, False, True)


def test_one_switch_in_two_tasks(x):
    off = no_grad()

    async def evaluate(begin, end):
        await asyncio.sleep(begin)
        with off:
            await asyncio.sleep(end)
            inside = recorded(x)
        return inside, recorded(x)

    async def main():
        return await asyncio.gather(evaluate(0, 0.01), evaluate(0.005, 0.02))

    assert asyncio.run(main()) == [(False, True), (False, True)]


def decorated_coroutine(switch, x):
    @switch
    async def evaluate():
        before = recorded(x)
        await asyncio.sleep(0)
        return before, recorded(x)

    async def main():
        return (*await evaluate(), recorded(x))

    return asyncio.run(main())


def decorated_async_generator(switch, x):
    @switch
    async def batches():
        yield recorded(x)
        await asyncio.sleep(0)
        yield recorded(x)

    async def main():
        found = []
        async for inside in batches():
            found.append(inside)
            assert recorded(x), "the loop around a decorated generator keeps its own mode"
        return (*found, recorded(x))

    return asyncio.run(main())


def decorated_partial(switch, x):
    def batches(count):
        for _ in range(count):
            yield recorded(x)

    return (*switch(functools.partial(batches, 2))(), recorded(x))


def decorated_object(switch, x):
    class Batches:
        def __call__(self):
            yield recorded(x)
            yield recorded(x)

    return (*switch(Batches())(), recorded(x))


def decorated_method(switch, x):
    class Model:
        @switch
        async def evaluate(self):
            return recorded(x)

    async def main():
        return await Model().evaluate(), await Model().evaluate(), recorded(x)

    return asyncio.run(main())


def set_off(function):
    return set_grad_enabled(False)(function)


@pytest.mark.parametrize(
    "run",
    [
        decorated_coroutine,
        decorated_async_generator,
        decorated_partial,
        decorated_object,
        decorated_method,
    ],
)
@pytest.mark.parametrize(
    "switch",
    [no_grad(), no_grad, set_off],
    ids=["no_grad()", "no_grad", "set"],
)
def test_whatever_runs_later_is_decorated_where_it_runs(run, switch, x):
    assert run(switch, x) == (False, False, True)


def test_a_decorated_asynchronous_generator_takes_what_is_sent_and_thrown_and_closes():
    left = []

    @no_grad
    async def conversation():
        try:
            heard = yield "first"
            try:
                yield heard, is_grad_enabled()
            except KeyError:
                yield "caught", is_grad_enabled()
        finally:
            left.append(is_grad_enabled())

    async def main():
        talk = conversation()
        assert await talk.__anext__() == "first"
        assert await talk.asend("sent") == ("sent", False)
        assert await talk.athrow(KeyError()) == ("caught", False)
        with pytest.raises(StopAsyncIteration):
            await talk.__anext__()
        early = conversation()
        await early.__anext__()
        await early.aclose()
        return is_grad_enabled()

    assert asyncio.run(main())
    assert left == [False, False]


# -- Ctrl-C ----------------------------------------------------------------------------------------

STORM = """
    import signal, sys
    from autograd import is_grad_enabled, no_grad

    sys.unraisablehook = lambda _: None  # Python drops what strikes in a destructor
    armed = False

    def strike(*_):
        global armed
        if armed:
            armed = False
            raise KeyboardInterrupt

    @no_grad()
    def decorated():
        pass

    def loop():
        for _ in range(1000):
            {body}

    signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    struck = wrong = 0
    while struck < 300:
        armed = True
        try:
            loop()
        except KeyboardInterrupt:
            struck += 1
        armed = False
        wrong += not is_grad_enabled()
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(wrong)
"""


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="needs timer signals")
@pytest.mark.parametrize(
    "body",
    [
        "with no_grad(): pass",
        "with no_grad(), no_grad(): pass",
        "decorated()",
    ],
    ids=["with", "nested", "decorator"],
)
def test_ctrl_c_at_any_moment_leaves_recording_on(body):
    program = textwrap.dedent(STORM).format(body=body)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    assert int(done.stdout) == 0


# -- observers -------------------------------------------------------------------------------------


EARLY = set_grad_enabled(True)  # called here, used as a decorator later, inside another mode


def decorate(switch):
    return lambda function: switch(function)()


@pytest.mark.parametrize(
    "change",
    [
        decorate(enable_grad()),
        decorate(enable_grad),
        decorate(EARLY),
        lambda function: set_grad_enabled(True)(function)(),
        lambda function: (set_grad_enabled(True), function())[1],
    ],
    ids=["enable_grad()", "enable_grad", "set earlier", "set decorator", "set call"],
)
def test_observers_see_what_is_computed_behind_other_switches(change, x):
    seen = []
    with watching(lambda primitive, arguments, out: seen.append(primitive.name)):
        change(lambda: np.exp(x) * 2.0)
        np.sin(x)
    assert seen == ["exp", "multiply", "sin"]


@pytest.mark.parametrize("switch", [enable_grad(), EARLY], ids=["enable", "set"])
def test_the_debug_mode_knows_the_lines_behind_other_switches(switch, x):
    with (
        autograd.detect_anomaly(),
        pytest.raises(FloatingPointError, match="recorded at .*line_of"),
    ):
        switch(line_of)(x).backward()


def line_of(x):
    return np.sqrt(x - x).sum()


def test_set_grad_enabled_as_a_call_holds_until_further_notice(x):
    set_grad_enabled(False)
    try:
        assert not recorded(x)
    finally:
        set_grad_enabled(True)
    assert recorded(x)


def test_set_grad_enabled_as_context_and_decorator(x):
    with set_grad_enabled(False):
        assert not recorded(x)
        with set_grad_enabled(True):
            assert recorded(x)
        assert not recorded(x)
    assert recorded(x)

    @set_grad_enabled(False)
    def evaluate():
        return recorded(x)

    assert is_grad_enabled()
    assert not evaluate()
    assert is_grad_enabled()


def test_a_leaf_made_inside_no_grad_still_requires_a_gradient():
    with no_grad():
        w = Variable(np.ones(2), requires_grad=True)
    assert w.requires_grad
    assert recorded(w)


def test_every_thread_starts_with_recording_on(x):
    found = []
    with no_grad():
        thread = threading.Thread(target=lambda: found.append(recorded(x)))
        thread.start()
        thread.join()
    assert found == [True]


def test_the_mode_of_one_thread_does_not_show_in_another(x):
    inside, release = threading.Event(), threading.Event()

    def work():
        with no_grad():
            inside.set()
            release.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    assert recorded(x)
    release.set()
    thread.join()


@pytest.fixture
def frequent_switches():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(work, count=4):
    errors = []

    def guarded(i):
        try:
            work(i)
        except BaseException as error:  # noqa: BLE001 - whatever went wrong is raised below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.usefixtures("frequent_switches")
def test_one_switch_in_two_threads(x):
    off, entered, wrong = no_grad(), threading.Barrier(2), []

    def work(i):
        entered.wait(10)
        for _ in range(2000):
            with off:
                if recorded(x):
                    wrong.append("recorded inside")
            if not recorded(x):
                wrong.append("off outside")

    in_threads(work, count=2)
    assert wrong == []


def test_one_switch_whose_blocks_overlap_in_two_threads(x):
    off, first, second = no_grad(), threading.Event(), threading.Event()
    found = {}

    def early(_):
        with off:
            first.set()
            assert second.wait(10)
        found["early"] = recorded(x)

    def late(_):
        assert first.wait(10)
        with off:
            second.set()
            thread.join()
            found["late, inside"] = recorded(x)
        found["late"] = recorded(x)

    thread = threading.Thread(target=early, args=(0,))
    thread.start()
    in_threads(late, count=1)
    assert found == {"early": True, "late, inside": False, "late": True}


@pytest.mark.usefixtures("frequent_switches")
def test_thousands_of_nested_gradients_in_threads_are_all_right():
    third = autograd.grad(autograd.grad(autograd.grad(lambda v, k: np.sin(k * v))))
    wrong = []

    def work(i):
        for j in range(500):
            k, at = 1.0 + i, 0.001 * j
            if not np.isclose(third(at, k), -(k**3) * np.cos(k * at), rtol=1e-12):
                wrong.append((i, j))

    in_threads(work)
    assert wrong == []


@pytest.mark.usefixtures("frequent_switches")
def test_passes_over_a_shared_leaf_in_threads_are_all_right():
    shared = Variable(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    wrong = []

    def work(i):
        for j in range(300):
            factor = float(i * 1000 + j)
            with no_grad():
                assert not recorded(shared)
            (g,) = autograd.grad((shared * shared * factor).sum(), [shared])
            if not np.array_equal(g, 2 * shared.data * factor):
                wrong.append((i, j))

    in_threads(work)
    assert wrong == []


@pytest.mark.usefixtures("frequent_switches")
@pytest.mark.parametrize("size", [1, 100_000])
def test_threads_that_share_a_leaf_lose_no_gradient(size):
    shared = Variable(np.ones(size), requires_grad=True)

    def work(i):
        for _ in range(50):
            (shared * 1.0).sum().backward()

    in_threads(work)
    np.testing.assert_array_equal(shared.grad, np.full(size, 200.0))


@pytest.mark.usefixtures("frequent_switches")
def test_a_graph_recorded_in_one_thread_can_be_pulled_back_in_another(x):
    loss = np.exp(x).sum()
    in_threads(lambda i: loss.backward(), count=1)
    np.testing.assert_allclose(x.grad, np.exp([1.0, 2.0]))


@pytest.mark.parametrize("given", [None, 0.5, np.array([True, False]), "off"])
def test_a_switch_wants_true_or_false(given):
    with pytest.raises(TypeError, match=r"set_grad_enabled: wanted True or False, got .*\("):
        autograd.set_grad_enabled(given)
    assert autograd.is_grad_enabled()


def test_a_switch_that_is_lost_inside_is_left():
    switch = no_grad()
    switch.__enter__()
    assert not is_grad_enabled()
    del switch
    assert is_grad_enabled()
