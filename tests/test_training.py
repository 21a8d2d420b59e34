"""The training loop: what a step does, what is recorded, what repeats, and how it ends badly."""

import math
import subprocess
import sys

import numpy as np
import pytest
from benchmarks.digits import learn_digits
from helpers import assert_refuses, lies_samples_last
from numpy.testing import assert_array_equal

import cnnbp.training
from cnnbp import (
    SGD,
    Adam,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Network,
    ReLU,
    evaluate,
    mean_squared_error,
    softmax_cross_entropy,
    train,
)
from cnnbp.training import History, half_cosine, learn, minibatches, training_step

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.standard_normal((20, 1, 4, 4)), RNG.integers(0, 3, 20)


def small_network(dtype=np.float64):
    return Network([Flatten(), Linear(16, 3, dtype=dtype, rng=0)])


def fit(network, optimizer=None, images=IMAGES, labels=LABELS, **options):
    """train, with what most tests do not care about filled in."""
    optimizer = optimizer or SGD(network, learning_rate=0.1)
    usual = {"epochs": 2, "batch_size": 8, "rng": 0, "progress": False}
    return train(network, images, labels, optimizer=optimizer, **(usual | options))


def test_a_step_by_hand():
    network, by_hand = small_network(), small_network()
    scores = by_hand.forward(IMAGES)
    loss, dz = softmax_cross_entropy(scores, LABELS)
    by_hand.backward(dz)
    norm = math.sqrt(sum((dw**2).sum() for dw in by_hand.grads.values()))

    optimizer = SGD(network, learning_rate=0.5)
    z, *told = training_step(network, optimizer, softmax_cross_entropy, IMAGES, LABELS)
    assert_array_equal(z, scores)
    assert told == pytest.approx([loss, norm])
    for name, w in network.params.items():
        assert_array_equal(w, by_hand.params[name] - 0.5 * by_hand.grads[name])


def test_an_epoch_of_one_batch_is_one_step():
    network, other = small_network(), small_network()
    history = fit(network, epochs=1, batch_size=20)
    x, labels = next(minibatches(IMAGES, LABELS, 20, rng=0))
    optimizer = SGD(other, 0.1)
    scores, loss, norm = training_step(other, optimizer, softmax_cross_entropy, x, labels)
    accuracy = (scores.argmax(axis=0) == labels).mean()
    assert history == History([loss], [norm], [loss], [accuracy])
    for name, w in network.params.items():
        assert_array_equal(w, other.params[name])


def test_minibatches_hold_every_image_once_with_its_own_label():
    images = np.arange(20.0).reshape(20, 1, 1, 1) * np.ones((1, 2, 3, 4))
    batches = list(minibatches(images, np.arange(20), 8, rng=0))
    assert [x.shape for x, _ in batches] == [(8, 2, 3, 4), (8, 2, 3, 4), (4, 2, 3, 4)]
    for x, labels in batches:
        assert_array_equal(x[:, 0, 0, 0], labels)
        assert lies_samples_last(x)
    seen = np.concatenate([labels for _, labels in batches])
    assert sorted(seen) == list(range(20))
    assert seen.tolist() != list(range(20))


def test_every_epoch_has_an_order_of_its_own():
    rng = np.random.default_rng(0)
    first, second = (next(minibatches(IMAGES, np.arange(20), 20, rng))[1] for _ in range(2))
    assert (first != second).any()


def test_history_has_a_number_for_every_step_and_every_epoch():
    history = fit(small_network(), epochs=3, test=(IMAGES[:5], LABELS[:5]))
    assert len(history.loss) == len(history.gradient_norm) == 3 * 3  # batches of 8, 8 and 4
    for per_epoch in (
        history.train_loss,
        history.train_accuracy,
        history.test_loss,
        history.test_accuracy,
    ):
        assert len(per_epoch) == 3
    assert not history.diverged


def test_the_losses_of_an_epoch_are_averaged_over_its_images():
    history = fit(small_network(), epochs=1)
    first, second, last = history.loss
    assert history.train_loss == [pytest.approx((8 * first + 8 * second + 4 * last) / 20)]


def test_test_data_are_evaluated_after_each_epoch_and_not_trained_on():
    network, without = small_network(), small_network()
    test = IMAGES[:7] + 1, LABELS[:7]
    history = fit(network, test=test)
    assert (history.test_loss[-1], history.test_accuracy[-1]) == evaluate(network, *test)
    fit(without)
    for name, w in network.params.items():
        assert_array_equal(w, without.params[name])


def random_network(rng):
    rng = np.random.default_rng(rng)
    return Network(
        [
            Conv2d(1, 4, 3, padding=1, rng=rng),
            BatchNorm2d(4),
            ReLU(),
            Dropout(0.5, rng=rng),
            MaxPool2d(2),
            Flatten(),
            Linear(16, 3, rng=rng),
        ]
    )


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_the_same_seeds_give_the_same_training(optimizer):
    def trained(order):
        network = random_network(rng=1)
        history = fit(network, optimizer(network, 0.01), rng=order, test=(IMAGES, LABELS))
        return history, network.params

    history, params = trained(order=2)
    again, params_again = trained(order=np.random.default_rng(2))
    other, _ = trained(order=3)
    assert history == again
    assert history != other
    for name, w in params.items():
        assert_array_equal(w, params_again[name])


def test_training_trains_and_evaluation_evaluates():
    network = random_network(rng=0)
    normalization, dropout = network.layers[1], network.layers[3]
    fit(network, epochs=1)
    assert normalization.running_mean.any()
    assert dropout.mask is not None
    mean = normalization.running_mean
    evaluate(network, IMAGES, LABELS)
    assert dropout.mask is None
    assert_array_equal(normalization.running_mean, mean)


def test_evaluation_by_hand():
    images = np.log([[3, 1, 1], [1, 1, 2]]).reshape(2, 3, 1, 1)  # scores: 3/5 and 1/4 for class 0
    loss, accuracy = evaluate(Flatten(), images, [0, 0])
    assert loss == pytest.approx(-(math.log(3 / 5) + math.log(1 / 4)) / 2)
    assert accuracy == 1 / 2


@pytest.mark.parametrize("batch_size", [1, 7, 20, 1000])
def test_evaluation_does_not_depend_on_the_batch_size(batch_size):
    network = small_network()
    assert evaluate(network, IMAGES, LABELS, batch_size=batch_size) == pytest.approx(
        evaluate(network, IMAGES, LABELS)
    )


def test_clipping_bounds_the_step_and_records_the_norm_before():
    free, bound = small_network(), small_network()
    start = {name: w.copy() for name, w in free.params.items()}
    histories = [
        fit(network, SGD(network, 1.0), epochs=1, batch_size=20, max_norm=max_norm)
        for network, max_norm in ((free, None), (bound, 1e-3))
    ]
    assert histories[0] == histories[1]
    moved = [bound.params[name] - start[name] for name in start]
    assert math.sqrt(sum((step**2).sum() for step in moved)) == pytest.approx(1e-3)


def test_float32_stays_float32():
    network = small_network(np.float32)
    history = fit(network, images=IMAGES.astype(np.float32), test=(IMAGES, LABELS))
    assert {w.dtype for w in network.params.values()} == {np.dtype(np.float32)}
    assert network.trace[0].x.dtype == np.float64  # the test images, which stay as they are
    assert all(type(loss) is float for loss in history.loss)


def test_images_may_be_lists_of_whole_numbers_and_stay_as_they_are():
    whole = np.rint(4 * IMAGES).astype(int)
    whole.flags.writeable = LABELS.flags.writeable = False
    from_lists = fit(small_network(), images=whole.tolist(), labels=LABELS.tolist())
    assert from_lists == fit(small_network(), images=whole)


@pytest.mark.parametrize("learning_rate", [1e200, 1e308])
def test_divergence_ends_training_with_a_history_and_without_a_warning(learning_rate):
    network = Network([Flatten(), Linear(16, 8, rng=0), Linear(8, 3, rng=1)])
    history = fit(network, SGD(network, learning_rate), epochs=50)
    assert history.diverged
    assert 1 < len(history.loss) < 50
    assert math.isfinite(history.loss[0])
    assert not math.isfinite(history.loss[-1] + history.gradient_norm[-1])
    assert "diverged" in repr(history)
    assert "smaller learning rate" in repr(history)


def test_test_data_of_a_network_about_to_diverge_are_evaluated_without_a_warning():
    network = Network([Flatten(), Linear(16, 8, rng=0), Linear(8, 3, rng=1)])
    options = {"epochs": 50, "batch_size": 20, "test": (IMAGES, LABELS)}
    history = fit(network, SGD(network, 1e200), **options)
    assert history.diverged
    assert not math.isfinite(history.test_loss[-1])


def test_a_step_that_would_spoil_the_weights_is_not_taken():
    network = small_network()
    spoiled = IMAGES.copy()
    spoiled[3] = np.nan
    before = {name: w.copy() for name, w in network.params.items()}
    history = fit(network, images=spoiled, batch_size=20, test=(IMAGES, LABELS))
    assert history.diverged
    assert len(history.loss) == 1
    assert history.test_loss == history.train_loss == []
    for name, w in network.params.items():
        assert_array_equal(w, before[name])


def test_a_gradient_whose_norm_overflows_is_divergence_although_the_loss_is_finite():
    network = small_network()
    network.params["1.w"][...] = 0
    images, labels = np.full(IMAGES.shape, 1.7e308), np.zeros(20, int)
    history = fit(network, images=images, labels=labels, batch_size=20)
    assert history.diverged
    assert history.loss == [pytest.approx(math.log(3))]
    assert history.gradient_norm == [math.inf]
    assert not network.params["1.w"].any()


def test_a_history_is_readable():
    assert repr(fit(small_network(), epochs=3)).startswith("History(3 epochs, 9 steps, train loss")
    assert repr(History()) == "History(0 epochs, 0 steps)"


def test_the_rate_falls_along_half_a_cosine():
    rate = half_cosine(0.1, 10)
    rates = [rate(step) for step in range(12)]
    assert rates[0] == 0.1
    assert rates[5] == pytest.approx(0.05)
    assert rates[10] == rates[11] == 0
    assert all(np.diff(rates) <= 0)


def test_learning_draws_anew_for_every_step_and_repeats_by_seed():
    seen = []

    def draw(rng):
        seen.append(rng.random((2, 4)))
        return seen[-1], seen[-1].sum(axis=0, keepdims=True)

    def learned():
        network = Network([Linear(2, 1, gain=0.0)])
        options = {"steps": 30, "learning_rate": 0.1, "rng": 3}
        return learn(network, draw, mean_squared_error, progress=False, **options)

    first, second = learned(), learned()
    assert first == second
    assert len(first.loss) == 30
    assert first.loss[-1] < first.loss[0]
    assert len({batch.tobytes() for batch in seen[:30]}) == 30


def test_the_bar_counts_steps(capsys):
    network = Network([Linear(1, 1)])
    draw = lambda rng: (rng.random((1, 2)), np.ones((1, 2)))  # noqa: E731
    learn(network, draw, mean_squared_error, steps=3, learning_rate=0.1, rng=0)
    assert "3/3" in capsys.readouterr().out


def test_learning_ends_with_the_step_that_was_not_taken():
    network = Network([Linear(2, 1, gain=1.0)])
    batches = iter([1.0, np.inf, 1.0])
    draw = lambda rng: (np.full((2, 4), next(batches)), np.ones((1, 4)))  # noqa: E731
    run = learn(network, draw, mean_squared_error, steps=3, learning_rate=0.1, progress=False)
    assert (run.diverged, run.ended, len(run.loss)) == (True, 1, 2)
    assert all(np.isfinite(w).all() for w in network.params.values())


def test_a_falling_rate_needs_steps():
    assert_refuses(lambda: half_cosine(0.1, 0), ValueError, "steps must be at least 1")


def test_the_progress_bar_goes_to_standard_output_unless_it_is_not_wanted(capsys):
    network = small_network()
    options = {"optimizer": SGD(network, 0.1), "epochs": 3, "batch_size": 8}
    train(network, IMAGES, LABELS, **options)
    printed = capsys.readouterr()
    assert "3/3" in printed.out
    assert "accuracy" in printed.out
    assert printed.err == ""
    train(network, IMAGES, LABELS, **options, progress=False)
    assert capsys.readouterr().out == ""


def test_the_progress_bar_is_imported_only_when_training_runs():
    code = "import cnnbp.training, sys; print('tqdm' in sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout == "False\n"


@pytest.mark.parametrize(
    ("wrong", "error", "substance"),
    [
        ({"images": IMAGES[:, 0]}, ValueError, ["train: images must have 4 axes", "(20, 4, 4)"]),
        ({"images": IMAGES[:0], "labels": []}, ValueError, ["(0, 1, 4, 4)", "empty"]),
        ({"labels": LABELS[:-1]}, ValueError, ["labels is (19,)", "(20,)", "(20, 1, 4, 4)"]),
        ({"labels": np.eye(3)[LABELS]}, ValueError, ["labels is (20, 3)", "one-hot"]),
        ({"labels": LABELS / 1}, TypeError, ["labels must be ints", "float64"]),
        ({"labels": LABELS + 1}, ValueError, ["labels reach", "rows 0 to 2"]),
        ({"epochs": 0}, ValueError, ["train: epochs", "at least 1", "0"]),
        ({"epochs": 1.5}, TypeError, ["train: epochs", "int", "1.5"]),
        ({"batch_size": 0}, ValueError, ["train: batch_size", "at least 1", "0"]),
        ({"batch_size": "all"}, TypeError, ["train: batch_size", "int", "'all'"]),
        ({"max_norm": 0}, ValueError, ["max_norm must be positive", "0"]),
        ({"test": (IMAGES, LABELS[:3])}, ValueError, ["train: test_labels is (3,)", "(20,)"]),
        ({"optimizer": 0.1}, TypeError, ["optimizer must be an SGD or Adam", "0.1"]),
        ({"optimizer": SGD}, TypeError, ["optimizer is the class SGD", "SGD(network, learning"]),
        ({"optimizer": SGD(small_network(), 0.1)}, ValueError, ["optimizer", "another network"]),
    ],
    ids=str,
)
def test_training_refuses(wrong, error, substance):
    assert_refuses(lambda: fit(small_network(), **wrong), error, *substance)


def test_evaluation_refuses():
    network = small_network()
    assert_refuses(lambda: evaluate(network, IMAGES[:0], []), ValueError, "evaluate", "empty")
    assert_refuses(lambda: evaluate(network, IMAGES, LABELS[:3]), ValueError, "evaluate: labels")
    assert_refuses(
        lambda: evaluate(network, IMAGES, LABELS, batch_size=0), ValueError, "batch_size", "0"
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_a_small_network_reads_97_of_100_digits(seed):
    history = learn_digits(seed)
    assert history.test_accuracy[-1] >= 0.97
    assert history.train_loss[-1] < 0.1 < history.train_loss[0]


def test_spoiled_images_are_named_and_no_smaller_rate_is_advised():
    network, spoiled = small_network(), IMAGES.copy()
    spoiled[3, 0, 0, 0] = np.nan
    history = fit(network, images=spoiled, batch_size=20)
    assert "1 of this step's 20 images hold NaN or inf" in repr(history)
    assert "smaller" not in repr(history)


def test_what_is_not_finite_from_the_start_is_not_the_learning_rates_fault():
    network = small_network()
    network.params["1.w"][...] = np.inf
    history = fit(network)
    assert "no weight had moved yet" in repr(history)
    assert "smaller" not in repr(history)


def test_too_large_a_rate_is_told_to_be_smaller():
    assert "smaller learning rate" in repr(History([1.0, 1e9, np.inf], [1.0, 1e9, np.nan]))


def test_a_large_loss_is_not_printed_with_all_its_digits():
    history = History([1e131], [1.0], [1e131], [0.1], [2e131], [0.1])
    assert "train loss 1e+131" in repr(history)
    assert len(repr(history)) < 130


@pytest.mark.parametrize("steps", [0, 1, 3, 9])
def test_the_record_of_the_first_steps(steps):
    history = History(
        loss=[2.0, 8.0, 1.0, 0.5],
        gradient_norm=[3.0, 1.0, 7.0, 0.25],
        test_accuracy=[0.125, 0.5],
        measured=[0, 3],
    )
    earlier = history.until(steps)
    assert earlier.loss == history.loss[:steps]
    assert earlier.test_accuracy == history.test_accuracy[: 1 + (steps >= 3)]
    assert earlier.test_loss == []


def test_train_notes_when_it_measured_and_how_it_trained():
    history = fit(small_network(), epochs=2, batch_size=8, test=(IMAGES, LABELS))
    assert history.measured == [3, 6]
    assert history.settings == "SGD(learning_rate=0.1, momentum=0.0), batches of 8"


@pytest.mark.parametrize(
    ("wrong", "error", "substance"),
    [
        ({"epochs": True}, TypeError, ["epochs must be an int, not True"]),
        ({"batch_size": True}, TypeError, ["batch_size must be an int, not True"]),
        (
            {"labels": LABELS.astype(float)},
            TypeError,
            ["must be ints", "labels.astype(int)"],
        ),
        ({"labels": np.eye(3)[LABELS]}, ValueError, ["one-hot", "labels.argmax(axis=1)"]),
        ({"labels": LABELS[:, None]}, ValueError, ["labels.reshape(20)"]),
        ({"labels": LABELS - 1}, ValueError, ["labels count from 0", "-1"]),
        ({"test": (IMAGES, LABELS * 1.0)}, TypeError, ["test_labels.astype(int)"]),
        ({"test": IMAGES}, TypeError, ["test must be a pair (images, labels), not ndarray"]),
        ({"max_norm": "1"}, TypeError, ["max_norm must be a number"]),
        ({"max_norm": -1}, ValueError, ["max_norm must be positive"]),
    ],
)
def test_what_would_spoil_the_training_is_refused_before_the_first_step(wrong, error, substance):
    network = small_network()
    before = {name: array.copy() for name, array in network.params.items()}
    assert_refuses(lambda: fit(network, **wrong), error, "train: ", *substance)
    for name, array in network.params.items():
        assert (array == before[name]).all()


def test_among_nan_no_score_is_the_largest():
    scores = np.zeros((1, 3, 1, 1))
    scores[0, 1] = np.nan  # where argmax would say 1
    loss, accuracy = evaluate(Flatten(), scores, [1])
    assert np.isnan(loss)
    assert accuracy == 0


def test_a_progress_bar_starts_no_thread_where_there_are_none(monkeypatch):
    import tqdm

    monkeypatch.setattr(tqdm.tqdm, "monitor_interval", 10)
    monkeypatch.setattr(tqdm.tqdm, "monitor", None)
    monkeypatch.setattr("cnnbp.training.sys.platform", "emscripten")
    monkeypatch.setattr("threading.Thread.start", lambda thread: pytest.fail("a thread started"))
    bar = cnnbp.training.progress_bar(1, "step")
    assert list(bar) == [0]
    assert bar.monitor is None
