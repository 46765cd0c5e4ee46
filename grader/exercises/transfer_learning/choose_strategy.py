"""The exercise `choose_strategy`."""

import numpy as np

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "choose_strategy",
    points=3,
    aspects={"as good as the best": 2, "the cheapest": 1, "ties": 1, "refusals": 1},
    hints=(
        "First find the best. Then ask of each strategy whether it is behind by more than chance explains. Of those "
        "that are not, the cheapest is wanted.",
        "The same seed drew the same examples for all, so look at differences, seed by seed: what is luck for both "
        "cancels. `differences.std(ddof=1) / np.sqrt(len(differences))` is the standard error of their mean.",
        "Sort the names by `(-mean, trainable)`: the first is the best, and equal means are settled. Keep, in this "
        "order, those whose mean difference is at most its standard error (the best itself is 0 behind); `min` with "
        "`key=trainable.get` takes the first of those with the fewest weights.",
    ),
)


@exercise.reference
def choose_strategy(accuracies, trainable):
    runs = {len(values) for values in accuracies.values()}
    if len(runs) != 1 or min(runs) < 2:
        raise ValueError(f"the strategies were run {sorted(runs)} times; run each on the same seeds, at least 2")
    ranking = sorted(accuracies, key=lambda name: (-accuracies[name].mean(), trainable[name]))
    good_enough = []
    for name in ranking:
        behind = accuracies[ranking[0]] - accuracies[name]
        if behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind)):
            good_enough.append(name)
    return min(good_enough, key=lambda name: trainable[name])


COUNTS = {"from scratch": 9000, "frozen": 650, "fine-tuned": 9000}
TWO_COUNTS = {"frozen": 650, "fine-tuned": 9000}

# The frozen one is behind in every single run, by little: that is no chance, although the runs scatter widely.
exercise.case(
    "as good as the best",
    accuracies={
        "from scratch": np.array([0.3, 0.6, 0.4, 0.7]),
        "frozen": np.array([0.5, 0.8, 0.6, 0.9]),
        "fine-tuned": np.array([0.53, 0.82, 0.63, 0.92]),
    },
    trainable=COUNTS,
)
# Behind once and ahead once.
exercise.case(
    "as good as the best",
    accuracies={
        "fine-tuned": np.array([0.75, 0.82, 0.8, 0.75]),
        "from scratch": np.array([0.5, 0.4, 0.45, 0.5]),
        "frozen": np.array([0.8, 0.76, 0.78, 0.77]),
    },
    trainable=COUNTS,
)
# Behind by one and a half standard errors; then by half of one.
exercise.case(
    "as good as the best",
    accuracies={"frozen": np.array([0.75, 0.625, 0.5, 0.875]), "fine-tuned": np.array([0.875, 0.875, 0.5, 0.875])},
    trainable=TWO_COUNTS,
)
exercise.case(
    "as good as the best",
    accuracies={"from scratch": np.array([0.75, 0.75, 0.5, 1.0]), "frozen": np.array([0.75, 0.875, 0.375, 0.875])},
    trainable={"from scratch": 9000, "frozen": 650},
)
# Two seeds, and behind by nearly one standard error.
exercise.case(
    "as good as the best",
    accuracies={"frozen": np.array([0.5, 0.7]), "fine-tuned": np.array([0.62, 0.69])},
    trainable=TWO_COUNTS,
)
# Behind by 2.2 standard errors, and by less than the scatter of a single run.
exercise.case(
    "as good as the best",
    accuracies={
        "frozen": np.array([0.4, 0.6, 0.6, 0.8, 0.8, 0.55]),
        "fine-tuned": np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.55]),
    },
    trainable=TWO_COUNTS,
)
# By 1.05 standard errors.
exercise.case(
    "as good as the best",
    accuracies={
        "fine-tuned": np.array([0.6, 0.7, 0.65, 0.8, 0.75, 0.7]),
        "frozen": np.array([0.453, 0.753, 0.503, 0.853, 0.603, 0.753]),
    },
    trainable=TWO_COUNTS,
)
# By five, and level in one run.
exercise.case(
    "as good as the best",
    accuracies={
        "frozen": np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.55]),
        "fine-tuned": np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.55]),
    },
    trainable=TWO_COUNTS,
)
# By nearly three, in three runs.
exercise.case(
    "as good as the best",
    accuracies={"frozen": np.array([0.6, 0.7, 0.8]), "fine-tuned": np.array([0.62, 0.75, 0.88])},
    trainable=TWO_COUNTS,
)
# One lucky run.
exercise.case(
    "as good as the best",
    accuracies={
        "from scratch": np.array([0.3, 0.3, 0.3, 0.95]),
        "frozen": np.array([0.7, 0.71, 0.7, 0.72]),
        "fine-tuned": np.array([0.8, 0.8, 0.82, 0.81]),
    },
    trainable=COUNTS,
)
# Behind by 0.8 standard errors.
exercise.case(
    "the cheapest",
    accuracies={"all": np.array([0.8, 0.7, 0.9, 0.6]), "head": np.array([0.7275, 0.7275, 0.8275, 0.6275])},
    trainable={"all": 5000, "head": 300},
)
exercise.case(
    "the cheapest",
    accuracies={
        "all": np.array([0.8, 0.9, 0.7, 0.8]),
        "half": np.array([0.75, 0.85, 0.85, 0.7]),
        "head": np.array([0.9, 0.7, 0.75, 0.78]),
    },
    trainable={"all": 5000, "half": 2000, "head": 300},
)
# The best one is also the cheapest, and stands last.
exercise.case(
    "the cheapest",
    accuracies={"all": np.array([0.8, 0.7, 0.9]), "half": np.array([0.7, 0.8, 0.8]), "head": np.array([0.9, 0.9, 0.8])},
    trainable={"all": 5000, "half": 2000, "head": 300},
)
# The cheapest of all is far behind.
exercise.case(
    "the cheapest",
    accuracies={
        "head": np.array([0.3, 0.35, 0.4]),
        "half": np.array([0.8, 0.7, 0.85]),
        "all": np.array([0.7, 0.85, 0.81]),
    },
    trainable={"all": 5000, "half": 2000, "head": 300},
)
# Equal means: the one with fewer weights is the best, and nothing is measured against the other.
exercise.case(
    "ties",
    accuracies={
        "wide": np.array([0.75, 0.25, 0.75]),
        "small": np.array([0.5, 0.5, 0.75]),
        "tiny": np.array([0.375, 0.375, 0.625]),
    },
    trainable={"wide": 800, "small": 400, "tiny": 100},
)
# Equal counts: the one with the higher mean, then the first.
exercise.case(
    "ties",
    accuracies={
        "late": np.array([0.5, 0.625, 0.75]),
        "early": np.array([0.625, 0.5, 0.875]),
        "both": np.array([0.25, 0.25, 0.25]),
    },
    trainable={"late": 400, "early": 400, "both": 100},
)
exercise.case(
    "ties",
    accuracies={"wide": np.array([0.5, 0.75]), "deep": np.array([0.75, 0.5]), "old": np.array([0.5, 0.75])},
    trainable={"wide": 400, "deep": 400, "old": 400},
)
# No spread at all, and no distance.
exercise.case(
    "ties",
    accuracies={"one": np.array([0.5, 0.5]), "other": np.array([0.5, 0.5]), "third": np.array([0.25, 0.25])},
    trainable={"one": 400, "other": 200, "third": 100},
)
exercise.case(
    "refusals",
    accuracies={"frozen": np.array([0.5, 0.5]), "fine-tuned": np.array([0.75, 0.75])},
    trainable=TWO_COUNTS,
)
exercise.case(
    "refusals", accuracies={"fine-tuned": np.array([0.5, 0.25]), "frozen": np.array([0.75, 0.75])}, trainable=TWO_COUNTS
)
exercise.case("refusals", accuracies={"frozen": np.array([0.7]), "fine-tuned": np.array([0.8])}, trainable=TWO_COUNTS)
exercise.case(
    "refusals",
    accuracies={"frozen": np.array([0.7, 0.75, 0.8]), "fine-tuned": np.array([0.8, 0.7])},
    trainable=TWO_COUNTS,
)
# A single run beside three: numpy would take it for each of them.
exercise.case(
    "refusals",
    accuracies={"frozen": np.array([0.7]), "fine-tuned": np.array([0.8, 0.7, 0.75])},
    trainable=TWO_COUNTS,
)


def board(rng, distances, *, seeds=6):
    """Accuracies whose means lie behind the best by these multiples of their standard errors, in a drawn order."""
    names = [f"strategy {number}" for number in rng.permutation(len(distances) + 1)]
    luck = rng.uniform(0.3, 0.9, seeds)
    accuracies, trainable = {names[-1]: luck}, {names[-1]: int(rng.integers(6000, 9000))}
    for name, distance in zip(names, distances):
        noise = rng.normal(size=seeds)
        noise = (noise - noise.mean()) / noise.std(ddof=1) * 0.05
        accuracies[name] = luck - distance * 0.05 / np.sqrt(seeds) - noise
        trainable[name] = int(rng.integers(100, 5000))
    return {"accuracies": {name: accuracies[name] for name in rng.permutation(names).tolist()}, "trainable": trainable}


@exercise.hidden("as good as the best", count=4)
def one_good_enough(rng):
    return board(rng, [float(rng.uniform(0.1, 0.7)), *rng.uniform(1.4, 4, 2)], seeds=int(rng.integers(4, 9)))


@exercise.hidden("the cheapest", count=3)
def several_good_enough(rng):
    return board(rng, [*rng.uniform(0.1, 0.6, 3)])


@exercise.hidden("ties", count=2)
def the_same_twice(rng):
    drawn = rng.integers(2, 8, 4) / 8
    counts = rng.permutation([300, 300, 700])
    return {
        "accuracies": {"two": drawn, "one": drawn.copy(), "three": np.full(4, 0.125)},
        "trainable": {name: int(count) for name, count in zip(("two", "one", "three"), counts)},
    }


@exercise.hidden("refusals", count=1)
def not_in_pairs(rng):
    return {"accuracies": {"frozen": rng.uniform(size=4), "fine-tuned": rng.uniform(size=5)}, "trainable": TWO_COUNTS}


exercise.slip(
    "You always take the best. If another one is as good within chance and trains fewer weights, it is the better "
    "choice.",
    name="always_the_best",
    right="return min(good_enough, key=lambda name: trainable[name])",
    wrong="return ranking[0]",
)
exercise.slip(
    "You always take the cheapest, however far it is behind, or take everything for as good as the best. What a "
    "strategy is behind is the accuracy of the best, which has the highest mean, minus its own.",
    name="always_the_cheapest",
    right="behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind))",
    wrong="True",
)
exercise.slip(
    "You take the one with the most trainable weights. The fewest are wanted.",
    name="the_most_expensive",
    right="return min(good_enough",
    wrong="return max(good_enough",
)
exercise.slip(
    "Your bar is the scatter of the best alone. On some seeds all strategies are better than on others, and this luck "
    "has no part in the question: take the standard error of the differences, seed by seed.",
    name="not_in_pairs",
    right="behind.std(ddof=1)",
    wrong="accuracies[ranking[0]].std(ddof=1)",
)
exercise.slip(
    "Your standard deviation divides by the number of seeds. The mean was estimated from the same numbers; divide by "
    "seeds - 1, `ddof=1`.",
    name="divides_by_all_seeds",
    right="behind.std(ddof=1)",
    wrong="behind.std()",
)
exercise.slip(
    "Your bar is the standard deviation, the scatter of a single run. The mean of several scatters less: divide by the "
    "root of their number.",
    name="scatter_of_a_single_run",
    right=" / np.sqrt(len(behind))",
    wrong="",
)
exercise.slip(
    "You divide by the number of seeds and not by its root, so hardly anything is as good as the best.",
    name="divides_without_a_root",
    right="np.sqrt(len(behind))",
    wrong="len(behind)",
)
exercise.slip(
    "You allow two standard errors. One was asked for.",
    name="two_standard_errors",
    right="behind.mean() <= behind",
    wrong="behind.mean() <= 2 * behind",
)
exercise.slip(
    "You add up the scatter of the two strategies, as if other seeds had been drawn for each. On some seeds both are "
    "better than on others; take the standard error of the differences, seed by seed.",
    name="as_if_other_seeds",
    right="behind.std(ddof=1)",
    wrong="np.sqrt(accuracies[ranking[0]].var(ddof=1) + accuracies[name].var(ddof=1))",
)
exercise.slip(
    "The best is 0 behind itself, with a standard error of 0, and your function takes it for too far behind. The mean "
    "difference may be as large as the standard error.",
    name="as_large_not_allowed",
    right="behind.mean() <= behind",
    wrong="behind.mean() < behind",
)
exercise.slip(
    "You take the strategy with the best single run for the best. A lucky seed says little; compare means.",
    name="best_single_run",
    right="-accuracies[name].mean()",
    wrong="-accuracies[name].max()",
)
exercise.slip(
    "Of two strategies with the same mean you take the first for the best. The one with fewer trainable weights is.",
    name="equal_means_by_order",
    right="(-accuracies[name].mean(), trainable[name])",
    wrong="-accuracies[name].mean()",
)


@exercise.mistake(
    "Of two strategies with as many trainable weights you take the one that comes first. Take the better of the two."
)
def equal_counts_by_order(accuracies, trainable):
    runs = {len(values) for values in accuracies.values()}
    if len(runs) != 1 or min(runs) < 2:
        raise ValueError("no pairs")
    best = min(accuracies, key=lambda name: (-accuracies[name].mean(), trainable[name]))
    good_enough = []
    for name in accuracies:
        behind = accuracies[best] - accuracies[name]
        if behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind)):
            good_enough.append(name)
    return min(good_enough, key=lambda name: trainable[name])


@exercise.mistake(
    "You allow the half width of a 95 % interval, the standard error times a quantile of Student's t. One standard "
    "error was asked for."
)
def half_width_of_an_interval(accuracies, trainable):
    from scipy import stats

    runs = {len(values) for values in accuracies.values()}
    if len(runs) != 1 or min(runs) < 2:
        raise ValueError("no pairs")
    ranking = sorted(accuracies, key=lambda name: (-accuracies[name].mean(), trainable[name]))
    good_enough = []
    for name in ranking:
        behind = accuracies[ranking[0]] - accuracies[name]
        error = behind.std(ddof=1) / np.sqrt(len(behind))
        if behind.mean() <= stats.t.ppf(0.975, len(behind) - 1) * error:
            good_enough.append(name)
    return min(good_enough, key=lambda name: trainable[name])


@exercise.mistake(
    "Where the numbers of seeds differ, you compare the first runs of each and leave out the rest, without a word. "
    "Refuse what cannot be compared in pairs."
)
def cut_to_the_shortest(accuracies, trainable):
    seeds = min(len(values) for values in accuracies.values())
    if seeds < 2:
        raise ValueError("too few seeds")
    accuracies = {name: values[:seeds] for name, values in accuracies.items()}
    ranking = sorted(accuracies, key=lambda name: (-accuracies[name].mean(), trainable[name]))
    good_enough = []
    for name in ranking:
        behind = accuracies[ranking[0]] - accuracies[name]
        if behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind)):
            good_enough.append(name)
    return min(good_enough, key=lambda name: trainable[name])


@exercise.alternative
def all_at_once(accuracies, trainable):
    names = list(accuracies)
    lengths = [len(accuracies[name]) for name in names]
    if min(lengths) < 2 or max(lengths) > min(lengths):
        raise ValueError("run every strategy on the same seeds")
    table = np.array([accuracies[name] for name in names])
    counts = np.array([trainable[name] for name in names])
    means = table.mean(axis=1)
    best = np.lexsort((np.arange(len(names)), counts, -means))[0]
    behind = table[best] - table
    allowed = behind.std(axis=1, ddof=1) / np.sqrt(table.shape[1])
    candidates = np.flatnonzero(behind.mean(axis=1) <= allowed)
    return names[min(candidates, key=lambda i: (counts[i], -means[i], i))]


@exercise.alternative
def by_loops(accuracies, trainable):
    seeds = None
    for values in accuracies.values():
        if len(values) < 2 or (seeds is not None and len(values) != seeds):
            raise ValueError("not the same seeds")
        seeds = len(values)
    means = {name: sum(values.tolist()) / seeds for name, values in accuracies.items()}
    best = None
    for name in accuracies:
        if best is None or (means[name], -trainable[name]) > (means[best], -trainable[best]):
            best = name
    chosen = best
    for name in accuracies:
        differences = [a - b for a, b in zip(accuracies[best].tolist(), accuracies[name].tolist())]
        mean = sum(differences) / seeds
        variance = sum((one - mean) ** 2 for one in differences) / (seeds - 1)
        if mean <= (variance / seeds) ** 0.5 and (trainable[name], -means[name]) < (trainable[chosen], -means[chosen]):
            chosen = name
    same = [n for n in accuracies if (trainable[n], means[n]) == (trainable[chosen], means[chosen])]
    return same[0] if chosen != best else best
