"""The curve clinic's runs: real, rightly labelled, explained, and small enough for a notebook."""

import json
from collections import Counter

import numpy as np
import pytest

from grader.exercises import all_exercises
from labutils.data import digits
from labutils.widgets import CurveClinic
from labutils.widgets.clinic import DIAGNOSES, runs
from labutils.widgets.make_clinic import PATIENTS, changed, treat

RUNS = {run.name: run for run in runs()}


def test_every_diagnosis_has_runs_and_every_run_its_settings():
    assert Counter(run.diagnosis for run in runs()) == {diagnosis: 2 for diagnosis in DIAGNOSES}
    for name, patient in PATIENTS.items():
        settings = json.loads(json.dumps(changed(patient)))
        assert (RUNS[name].diagnosis, RUNS[name].settings) == (patient.diagnosis, settings)
    assert PATIENTS.keys() == RUNS.keys()


@pytest.mark.parametrize("run", runs(), ids=lambda run: run.name)
def test_the_rules_of_the_exercise_give_the_label(run):
    diagnose = all_exercises()["diagnose"].reference_function
    assert diagnose(run.train_loss, run.validation_loss) == run.diagnosis
    assert run.train_loss.shape == run.validation_loss.shape == (run.settings["epochs"],)
    assert len(run.train_loss) <= 40


# Runs that settle. Where a rate is too high, rounding decides what happens, and machines round differently.
@pytest.mark.parametrize("name", ["small steps", "one great cut", "heavy decay", "few examples"])
def test_the_shipped_curves_are_what_training_gives(name):
    history = treat(PATIENTS[name], digits())
    np.testing.assert_allclose(history.train_loss, RUNS[name].train_loss, atol=0.02)
    np.testing.assert_allclose(history.validation_loss, RUNS[name].validation_loss, atol=0.05)


def test_a_seed_gives_an_order_of_all_runs():
    orders = [CurveClinic(seed=seed)._order for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == list(range(len(RUNS)))
    with pytest.raises(ValueError, match="seed is -1.*whole number from 0"):
        CurveClinic(seed=-1)


def test_neighbours_do_not_give_each_other_away():
    shown = [runs()[index].diagnosis for index in CurveClinic()._order]
    assert all(here != following for here, following in zip(shown, shown[1:]))


def test_what_is_picked_stays_small_and_leaves_the_text_as_it_is():
    clinic = CurveClinic()
    before = clinic.describe()
    assert len(json.dumps(clinic.get_state(["seed", "_order", "case", "picks"]))) < 500
    clinic.case, clinic.picks = 3, {"0": list(DIAGNOSES)}
    assert clinic.describe() == before
    data, _ = clinic._repr_mimebundle_()
    assert data["text/plain"] == before
    assert f'alt="{before}"' in data["text/html"]
