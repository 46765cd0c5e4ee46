"""Which device is picked, what is said about it, and what happens to a wish that cannot be met."""

import pytest
import torch

from labutils import device
from labutils.devices import ThreadTrial, available


def test_a_wish_is_granted_and_said(monkeypatch, capsys):
    monkeypatch.setenv("LABUTILS_DEVICE", " CPU ")
    assert device() == torch.device("cpu")
    assert capsys.readouterr().out == "Computing on cpu: LABUTILS_DEVICE asks for it.\n"


def test_without_a_wish_the_best_is_taken_and_works(monkeypatch, capsys):
    monkeypatch.delenv("LABUTILS_DEVICE", raising=False)
    chosen = device()
    assert str(chosen) == available()[0]
    assert torch.ones(2, device=chosen).sum().item() == 2
    assert capsys.readouterr().out.startswith(f"Computing on {chosen}: there is ")


@pytest.mark.parametrize("wish", ["gpu", "cuda:99", "cpu:0:1", "xla"])
def test_a_wish_that_cannot_be_met_names_what_there_is(wish, monkeypatch):
    monkeypatch.setenv("LABUTILS_DEVICE", wish)
    with pytest.raises(ValueError, match=rf"LABUTILS_DEVICE is '{wish}'.*\bcpu\b.*unset"):
        device()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that torch can use")
def test_a_graphics_card_is_preferred_and_can_be_named(monkeypatch):
    monkeypatch.delenv("LABUTILS_DEVICE", raising=False)
    assert device() == torch.device("cuda")
    monkeypatch.setenv("LABUTILS_DEVICE", "cuda:0")
    assert torch.ones(1, device=device()).device == torch.device("cuda:0")


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def clock(monkeypatch, seconds_of_step):
    """Let time pass as `seconds_of_step(step, threads)` says, without waiting for it."""
    now = [0.0]
    monkeypatch.setattr("labutils.devices.perf_counter", lambda: now[0])

    def step(number):
        now[0] += seconds_of_step(number, torch.get_num_threads())

    return step


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    "seconds_of_step, kept",
    [
        (lambda step, threads: 1 / threads, 2),
        (lambda step, threads: threads, 1),
        (lambda step, threads: 100 if step == 4 and threads == 2 else 1 / threads, 2),
        (lambda step, threads: 100 if step == 15 and threads == 2 else 1 / threads, 2),
        (lambda step, threads: 100 if step > 10 and threads == 2 else 1 / threads, 1),
    ],
    ids=["two are faster", "one is faster", "two stall once in the trial", "two stall once later", "two stall often"],
)
def test_a_thread_trial_keeps_what_is_faster(seconds_of_step, kept, monkeypatch):
    step = clock(monkeypatch, seconds_of_step)
    used = []
    with ThreadTrial() as trial:
        for number in range(20):
            trial.next_step()
            used.append(torch.get_num_threads())
            step(number)
    assert {1, 2} == set(used) and used[-1] == kept
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_a_thread_trial_gives_the_threads_back_after_an_error():
    with pytest.raises(KeyError), ThreadTrial() as trial:
        trial.next_step()
        trial.next_step()
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 2
