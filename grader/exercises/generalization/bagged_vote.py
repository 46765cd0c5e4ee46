"""The exercise `bagged_vote`."""

import numpy as np
import torch

from grader.exercises.generalization.common import chapter

exercise = chapter.exercise(
    "bagged_vote",
    points=2,
    aspects={"a clear majority": 1, "ties": 1, "any labels, or none": 1},
    hints=(
        "Look at one example, that is one column of `votes`. Which labels occur in it, and how often each?",
        "`np.unique(column, return_counts=True)` gives the labels, sorted, and how often each occurs. `np.argmax` "
        "finds the first of the largest counts; it is a place, not yet a label.",
        "For each column: `labels, counts = np.unique(column, return_counts=True)`, and the winner is "
        "`labels[np.argmax(counts)]`. The columns of `votes` are the rows of `votes.T`. No model at all is to be "
        "refused.",
    ),
)


@exercise.reference
def bagged_vote(votes):
    if len(votes) == 0:
        raise ValueError("there are 0 models and nobody to vote; train at least one")
    winners = []
    for column in votes.T:
        labels, counts = np.unique(column, return_counts=True)
        winners.append(labels[np.argmax(counts)])
    return np.array(winners)


exercise.case(
    "a clear majority", votes=np.array([[1, 2, 0, 3], [1, 2, 2, 0], [0, 1, 2, 0], [1, 2, 2, 0], [3, 1, 2, 3]])
)
# As many models as examples. The majority is neither the mean nor the median, and neither first nor last.
exercise.case(
    "a clear majority",
    votes=np.array([[3, 1, 2, 0, 2], [0, 3, 2, 3, 1], [0, 3, 0, 3, 3], [2, 2, 1, 3, 3], [1, 0, 2, 1, 3]]),
)
exercise.case("a clear majority", votes=np.array([[2, 1, 3, 0]]))
# The winner has most votes and yet less than half of them.
exercise.case("a clear majority", votes=np.array([[3, 2], [3, 0], [0, 1], [1, 2], [2, 3]]))
exercise.case("ties", votes=np.array([[3, 0, 2], [3, 2, 1], [1, 2, 1], [1, 0, 2]]))
exercise.case("ties", votes=np.array([[2, 1, 3, 0], [1, 2, 0, 3], [3, 0, 1, 2]]))
# A set lists 8 before 1; a dict lists what it met first.
exercise.case("ties", votes=np.array([[8, 1, 1], [1, 8, 9], [8, 1, 17], [1, 8, 17], [2, 2, 9]]))
# Labels between which others are missing, large ones and negative ones.
exercise.case("any labels, or none", votes=np.array([[7, 40, 12], [7, 7, 40], [12, 40, 40]]))
exercise.case("any labels, or none", votes=np.array([[-1, 1, 1, -1], [1, 1, -1, -1], [-1, 1, 1, -1]]))
exercise.case("any labels, or none", votes=np.array([[-5, 1_000_000], [2, 1_000_000], [-5, -2]]))
exercise.case("any labels, or none", votes=np.empty((0, 4), dtype=int))


def ballot(rng, labels, *, models, examples):
    """Votes among these labels, in which every example has one winner without a tie, by chance in any place."""
    votes = np.empty((models, examples), dtype=int)
    for example in range(examples):
        counts = [0, 0]
        while counts[0] == counts[1]:
            votes[:, example] = rng.choice(labels, models)
            counts = sorted((votes[:, example, None] == labels).sum(axis=0), reverse=True)
    return votes


@exercise.hidden("a clear majority", count=4)
def small_labels(rng):
    return {"votes": ballot(rng, np.arange(int(rng.integers(3, 6))), models=7, examples=int(rng.integers(8, 20)))}


@exercise.hidden("ties", count=4)
def tied(rng):
    """Two to four labels with equally many votes, and sometimes a further vote for another one."""
    columns = []
    for _ in range(int(rng.integers(5, 12))):
        labels = rng.permutation(8)[:4]
        columns.append(rng.permutation(np.concatenate([np.repeat(labels[:3], 2), labels[3:]])))
    return {"votes": np.array(columns).T}


@exercise.hidden("any labels, or none", count=4)
def far_labels(rng):
    labels = np.unique(rng.integers(-50, 1000, 5))
    return {"votes": ballot(rng, labels, models=9, examples=int(rng.integers(8, 20)))}


exercise.slip(
    "You count along the wrong axis: your answer has one entry for each model. The models vote on each example, which "
    "is a column.",
    name="one_entry_for_each_model",
    right="votes.T",
    wrong="votes",
)


@exercise.mistake(
    "Where several labels have the most votes you take the largest of them. The smallest is asked for, so that every "
    "reader gets the same answer."
)
def largest_of_the_tied(votes):
    if len(votes) == 0:
        raise ValueError("no model")
    winners = []
    for column in votes.T:
        labels, counts = np.unique(column, return_counts=True)
        winners.append(labels[counts == counts.max()].max())
    return np.array(winners)


@exercise.mistake(
    "In a tie your winner is the label that the first models voted for; `Counter.most_common` keeps the sequence in "
    "which it met them. The answer should not depend on the sequence of the models."
)
def first_met_of_the_tied(votes):
    if len(votes) == 0:
        raise ValueError("no model")
    winners = []
    for column in votes.T.tolist():
        counts = {}
        for label in column:
            counts[label] = counts.get(label, 0) + 1
        winners.append(max(counts, key=counts.get))
    return np.array(winners)


@exercise.mistake(
    "In a tie your winner is the label that comes first in a set, and a set has no order to rely on: it lists 8 before "
    "1. Go through the labels sorted."
)
def first_in_the_set(votes):
    if len(votes) == 0:
        raise ValueError("no model")
    columns = votes.T.tolist()
    return np.array([max(set(column), key=column.count) for column in columns])


exercise.slip(
    "You return the place of the winner in the sorted labels. Look up which label stands there.",
    name="place_of_the_label",
    right="labels[np.argmax(counts)]",
    wrong="np.argmax(counts)",
)
exercise.slip(
    "You return how many votes the winner has. Asked for is whom they elected.",
    name="number_of_votes",
    right="labels[np.argmax(counts)]",
    wrong="counts.max()",
)


@exercise.mistake(
    "You average the labels and round. A label is a name and no quantity: the mean of a 0 and a 2 is no vote for 1."
)
def mean_label(votes):
    if len(votes) == 0:
        raise ValueError("no model")
    return np.rint(votes.mean(axis=0)).astype(int)


@exercise.mistake("You take the median of the labels. A label is a name and no quantity; count the votes for each.")
def median_label(votes):
    if len(votes) == 0:
        raise ValueError("no model")
    return np.median(votes, axis=0).astype(int)


@exercise.mistake(
    "`np.bincount` counts the labels 0, 1, 2 … and fails on a negative one, such as the -1 that boosting uses. Count "
    "the labels that occur, with `np.unique`."
)
def bincount(votes):
    if len(votes) == 0:
        raise ValueError("no model")
    return np.array([np.bincount(column).argmax() for column in votes.T])


@exercise.mistake(
    "You count votes only for the labels 0 to the largest. A negative label, such as the -1 that boosting uses, gets "
    "no vote in your function."
)
def negative_labels_uncounted(votes):
    if len(votes) == 0:
        raise ValueError("no model")
    labels = np.arange(votes.max() + 1)
    return (votes[:, :, None] == labels).sum(axis=0).argmax(axis=1)


@exercise.mistake(
    "A label wins in your function only with more than half of the votes. Most votes are enough; with three classes "
    "or more nobody may have half."
)
def more_than_half(votes):
    if len(votes) == 0:
        raise ValueError("no model")
    winners = votes.min(axis=0)
    for label in np.unique(votes):
        winners[(votes == label).sum(axis=0) > len(votes) / 2] = label
    return winners


exercise.slip(
    "You return what the last model says. In a vote all of them count.",
    name="last_model",
    right="labels[np.argmax(counts)]",
    wrong="column[-1]",
)
exercise.slip(
    "You return what the first model says. In a vote all of them count.",
    name="first_model",
    right="labels[np.argmax(counts)]",
    wrong="column[0]",
)


@exercise.mistake(
    "Without a model there is no vote, and you elect somebody all the same. Refuse it with `raise ValueError`."
)
def elected_by_nobody(votes):
    if len(votes) == 0:
        return np.zeros(votes.shape[1], dtype=int)
    winners = []
    for column in votes.T:
        labels, counts = np.unique(column, return_counts=True)
        winners.append(labels[np.argmax(counts)])
    return np.array(winners)


exercise.slip(
    "You refuse a single model. It elects whom it votes for.",
    name="single_model_refused",
    right="len(votes) == 0",
    wrong="len(votes) < 2",
)


@exercise.alternative
def all_columns_at_once(votes):
    if votes.shape[0] < 1:
        raise ValueError("nobody votes")
    classes = np.unique(votes)
    counts = (votes[:, :, None] == classes).sum(axis=0)
    return classes[counts.argmax(axis=1)].astype(np.int32)


@exercise.alternative
def sorted_lists(votes):
    if not votes.size:
        raise ValueError("nobody votes")
    ballots = [sorted(column) for column in zip(*votes.tolist())]
    return np.array([max(ballot, key=ballot.count) for ballot in ballots])


@exercise.alternative
def with_torch(votes):
    if len(votes) == 0:
        raise ValueError("nobody votes")
    return torch.from_numpy(votes).mode(dim=0).values.numpy()
