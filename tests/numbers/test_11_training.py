"""What lesson 11 says in numbers, on the settings that it uses and, where it can, on more seeds."""

import math

import numpy as np
import pytest

import cnnbp
from cnnbp.explorers.training import GOOD, Run

SEEDS = range(2)


@pytest.fixture(scope="module")
def digits():
    return cnnbp.digits()


def reader(seed=0, head_gain=0.1, dtype=np.float32, gate=cnnbp.ReLU):
    """The lesson's reader; gate is the activation behind its convolutions."""
    options = {"dtype": dtype, "rng": np.random.default_rng(seed)}
    layers = [cnnbp.Conv2d(1, 16, 3, padding=1, **options), gate(), cnnbp.MaxPool2d(2)]
    layers += [cnnbp.Conv2d(16, 32, 3, padding=1, **options), gate(), cnnbp.MaxPool2d(2)]
    head = cnnbp.Linear(128, 10, gain=head_gain, **options)
    return cnnbp.Network([*layers, cnnbp.Flatten(), head])


def fit(net, x, taught, rate, epochs, momentum=0.9, **options):
    options |= {"batch_size": min(64, len(x)), "rng": 0, "progress": False}
    optimizer = cnnbp.SGD(net, rate, momentum=momentum)
    return cnnbp.train(net, x, taught, optimizer=optimizer, epochs=epochs, **options)


@pytest.fixture(scope="module")
def trained(digits):
    network = reader()
    return network, fit(network, *digits[0], 0.1, epochs=8)


@pytest.fixture(scope="module")
def dead(digits):
    """Readers after one epoch at rate 2, which saw all images last, with their losses."""
    readers = [reader(seed) for seed in SEEDS]
    runs = [fit(each, *digits[0], 2.0, epochs=1) for each in readers]
    for each in readers:
        _, dz = cnnbp.softmax_cross_entropy(each.forward(digits[0][0]), digits[0][1])
        each.backward(dz)
    return list(zip(readers, runs, strict=True))


def test_a_large_head_is_sure_and_pays_more_than_log_ten(digits):
    assert round(math.log(10), 1) == 2.3
    for gain, low, high in ((1.5, 2.86, 2.94), (1, 2.56, 2.64), (0.1, 2.26, 2.34), (0, 2.3, 2.305)):
        assert low < cnnbp.evaluate(reader(head_gain=gain), *digits[0])[0] < high


def test_a_step_keeps_its_promise_if_it_is_short(digits):
    (images, labels), _ = digits
    few, few_labels = images[:64].astype(float), labels[:64]
    found = {}
    for rate in (0.01, 0.1, 1.0):
        fresh = reader(dtype=float)
        before, dz = cnnbp.softmax_cross_entropy(fresh.forward(few), few_labels)
        fresh.backward(dz)
        predicted = -rate * cnnbp.gradient_norm(fresh) ** 2
        cnnbp.SGD(fresh, rate).step()
        after, _ = cnnbp.softmax_cross_entropy(fresh.forward(few), few_labels)
        found[rate] = predicted, after - before
    assert [round(float(predicted), 2) for predicted, _ in found.values()] == [-0.01, -0.11, -1.11]
    assert [round(float(measured), 2) for _, measured in found.values()] == [-0.01, -0.06, 1.99]
    share = {rate: measured / predicted for rate, (predicted, measured) in found.items()}
    assert 0.9 < share[0.01] < 1
    assert 0.45 < share[0.1] < 0.6
    assert sum(p.size for p in reader().params.values()) == 6090


def test_random_labels_none_of_them_right_are_learned_by_heart(digits):
    (images, labels), _ = digits
    drawn = np.random.default_rng(4).integers(10, size=10)
    assert not (drawn == labels[:10]).any()
    for seed in SEEDS:
        told = fit(reader(seed), images[:10], drawn, 0.1, epochs=60)
        assert told.train_accuracy[-1] == 1


def test_eight_epochs_are_184_steps_and_read_97_of_100(digits, trained):
    (images, _), new_digits = digits
    network, history = trained
    assert len(images) == 1437
    assert len(new_digits[0]) == 360
    assert len(history.loss) == 8 * 23 == 184
    assert cnnbp.evaluate(network, *new_digits)[1] > 0.98


def test_the_hardest_tenth_makes_most_of_the_gradient(digits, trained):
    (images, labels), _ = digits
    share = []
    for network in (reader(), trained[0]):
        p = cnnbp.softmax(network.forward(images).astype(float))
        sizes = np.sort(np.linalg.norm(p - np.eye(10)[labels].T, axis=0))
        share.append(sizes[-len(sizes) // 10 :].sum() / sizes.sum())
    assert 0.08 < share[0] < 0.13
    assert share[1] > 0.8


def test_the_kernel_that_hardly_changes_stands_before_a_gate_that_is_shut(digits, trained):
    start, network = reader(), trained[0]
    start.forward(digits[0][0])
    is_open = (start.trace[1].z > 0).mean(axis=(0, 2, 3))
    moved = np.linalg.norm((network.params["0.w"] - start.params["0.w"]).reshape(16, -1), axis=1)
    assert moved.argmin() == is_open.argmin()
    assert is_open.min() < 0.03 < 0.2 < np.sort(is_open)[1]
    assert 10 * moved.min() < np.sort(moved)[1]


def test_running_mean_and_velocity_as_worked_in_the_text():
    smoothed = [4.0]
    for value in (0, 8, 8):
        smoothed.append(0.75 * smoothed[-1] + 0.25 * value)
    assert smoothed[1:] == [3, 4.25, 5.1875]
    layer = cnnbp.Linear(1, 1, gain=0.0, bias=False)
    optimizer = cnnbp.SGD(layer, 1.0, momentum=0.9)
    layer.forward([[1.0]])
    for _ in range(100):
        layer.backward([[1.0]])
        optimizer.step()
    assert optimizer.velocity["w"].item() == pytest.approx(10, rel=1e-3)


def test_momentum_at_a_tenth_of_the_rate_keeps_up(digits, trained):
    plain = fit(reader(), *digits[0], 0.1, epochs=5, momentum=0.0)
    slow = fit(reader(), *digits[0], 0.01, epochs=5)
    found = []
    for run in (plain, slow, trained[1]):
        means = np.convolve(run.loss, np.ones(5) / 5, "valid")
        assert (means < 0.3).any()
        found.append(int(np.argmax(means < 0.3)))
    assert [round(steps, -1) for steps in found] == [110, 110, 30]


def test_loss_and_norm_leap_in_the_second_step_and_the_norm_ends_small(digits):
    options = {name: GOOD[name] for name in ("optimizer", "momentum", "batch_size", "max_norm")}
    record = Run(digits, learning_rate=1.0, **options).until(60)
    assert record.loss[1] > 2 * record.loss[0]
    assert record.gradient_norm[1] > 2 * record.gradient_norm[0]
    assert 2.2 < min(record.loss[-10:]) < max(record.loss[-10:]) < 2.5
    assert max(record.gradient_norm[-10:]) < 0.3


def test_a_rate_of_two_shuts_a_whole_layer_and_only_the_last_bias_learns(dead):
    for network, run in dead:
        assert not run.diverged
        assert 2.2 < run.loss[-1] < 3
        assert not network.trace[4].z.any()
        assert [key for key, g in network.grads.items() if g.any()] == ["7.b"]
        assert [n for n, step in enumerate(network.trace) if step.dz.any()] == [4, 5, 6, 7]


def test_clipping_to_a_tenth_saves_rate_two_and_a_leaky_relu_does_not(digits):
    saved = fit(reader(), *digits[0], 2.0, epochs=2, max_norm=0.1)
    assert np.mean(saved.loss[-10:]) < 0.6
    for seed in SEEDS:
        with np.errstate(all="ignore"):
            leaky = fit(reader(seed, gate=cnnbp.LeakyReLU), *digits[0], 2.0, epochs=1)
        assert leaky.diverged


@pytest.mark.parametrize(("count", "low", "high"), [(12, 0.3, 0.5), (20, 0.6, 1), (30, 0.6, 0.85)])
def test_few_images_teach_some_reading(digits, count, low, high):
    (images, labels), new_digits = digits
    for seed in SEEDS:
        learner, known = reader(seed), (images[:count], labels[:count])
        fit(learner, *known, 0.05, epochs=40)
        assert cnnbp.evaluate(learner, *known)[1] == 1
        assert low < cnnbp.evaluate(learner, *new_digits)[1] < high


def test_global_pooling_survives_a_push_by_two_and_pays_for_one(digits):
    wide, new_wide = (np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)]) for x, _ in digits)
    head = cnnbp.Linear(32, 10, gain=0.1, dtype=np.float32, rng=0)
    layers = [*reader().layers[:5], cnnbp.GlobalMaxPool2d(), cnnbp.Flatten(), head]
    network = cnnbp.Network(layers)
    fit(network, wide, digits[0][1], 0.1, epochs=5)
    views = (np.roll(new_wide, push, axis=3) for push in range(3))
    right = [cnnbp.evaluate(network, view, digits[1][1])[1] for view in views]
    assert right[0] > 0.92
    assert right[1] < right[0] - 0.12
    assert right[2] > 0.92
