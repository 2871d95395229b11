import json

import numpy as np
import pytest

from autograd.random import manual_seed, new_generator, random_state, set_random_state


def test_the_same_seed_gives_the_same_bits():
    manual_seed(11)
    first = [new_generator().random(3) for _ in range(4)]
    manual_seed(11)
    second = [new_generator().random(3) for _ in range(4)]
    np.testing.assert_array_equal(first, second)


def test_consumers_get_different_streams():
    manual_seed(11)
    draws = {float(new_generator().random()) for _ in range(50)}
    assert len(draws) == 50


def test_a_stream_given_by_seed_ignores_the_global_one():
    manual_seed(1)
    first = new_generator(5).random(4)
    manual_seed(2)
    np.testing.assert_array_equal(first, new_generator(5).random(4))
    np.testing.assert_array_equal(first, np.random.default_rng(5).random(4))
    np.testing.assert_array_equal(first, new_generator(np.int32(5)).random(4))
    np.testing.assert_array_equal(first, new_generator(np.random.SeedSequence(5)).random(4))


def test_a_generator_is_shared_not_copied():
    generator = np.random.default_rng(0)
    assert new_generator(generator) is generator


def test_the_state_survives_json_and_continues_the_stream():
    manual_seed(2**100)
    new_generator()
    state = json.loads(json.dumps(random_state()))
    expected = [new_generator().random() for _ in range(3)]
    manual_seed(0)
    set_random_state(state)
    assert [new_generator().random() for _ in range(3)] == expected


@pytest.mark.parametrize("seed", ["3", 1.0, True, np.random.RandomState(0)])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(TypeError, match="new_generator: wanted an int, got"):
        new_generator(seed)
    with pytest.raises(TypeError, match="manual_seed: wanted an int, got"):
        manual_seed(seed)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="manual_seed: wanted a non-negative int, got -1"):
        manual_seed(-1)


def test_a_foreign_state_is_refused():
    with pytest.raises(ValueError, match=r"wanted what random_state\(\) returns, got the keys"):
        set_random_state({"seed": 3})
