"""The exercise `suggest_rate`."""

import numpy as np

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "suggest_rate",
    points=3,
    aspects={"steepest fall": 1, "logarithmic axis": 1, "before the explosion": 1},
    hints=(
        "Draw the test on paper, with log(rate) to the right. Which stretch between two points goes down most steeply, "
        "and which points do not count any more?",
        "`np.diff(losses) / np.diff(np.log(rates))` gives the slope of each pair. Before that, find the first loss "
        "that is not finite or larger than 2 * losses[0], and shorten both arrays to what stands before it.",
        "`np.argmin` of the slopes gives the pair, say i; return `np.sqrt(rates[i] * rates[i + 1])`. "
        "`~np.isfinite(losses) | (losses > 2 * losses[0])` is True for exploded losses, and `np.argmax` finds its "
        "first True, if there is one.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def suggest_rate(rates, losses):
    exploded = ~np.isfinite(losses) | (losses > 2 * losses[0])
    end = np.argmax(exploded) if exploded.any() else len(losses)
    slopes = np.diff(losses[:end]) / np.diff(np.log(rates[:end]))
    steepest = np.argmin(slopes)
    return float(np.sqrt(rates[steepest] * rates[steepest + 1]))


exercise.case("steepest fall", rates=np.array([0.01, 0.04, 0.16, 0.64]), losses=np.array([2.3, 2.1, 1.2, 1.5]))
exercise.case("steepest fall", rates=np.array([0.1, 0.2, 0.4, 0.8, 1.6]), losses=np.array([2.3, 2.2, 0.9, 0.6, 0.8]))
# Two pairs are equally steep; with powers of 2 they are so in any logarithm, to the last digit.
exercise.case("steepest fall", rates=np.array([0.25, 0.5, 1.0, 2.0, 4.0]), losses=np.array([2.0, 1.5, 1.25, 0.75, 1.0]))
# The steepest fall comes after the lowest loss.
exercise.case("steepest fall", rates=np.array([0.01, 0.16, 0.32, 0.64]), losses=np.array([2.0, 1.0, 1.9, 1.1]))
exercise.case("logarithmic axis", rates=np.array([0.01, 0.04, 0.16, 0.64]), losses=np.array([2.3, 2.0, 1.2, 1.5]))
exercise.case("logarithmic axis", rates=np.array([0.01, 0.02, 0.32, 0.64]), losses=np.array([2.0, 1.8, 1.2, 1.1]))
# The steepest slope of all goes up.
exercise.case(
    "logarithmic axis", rates=np.array([0.01, 0.02, 0.16, 0.32, 0.64]), losses=np.array([2.0, 1.8, 1.0, 0.9, 1.7])
)
exercise.case(
    "before the explosion",
    rates=np.array([0.1, 0.2, 0.4, 0.8, 1.6, 3.2]),
    losses=np.array([2.0, 1.9, 1.5, 3.8, 5.0, 1.6]),
)
# The steepest fall comes last before the explosion.
exercise.case("before the explosion", rates=np.array([0.1, 0.2, 0.4, 0.8]), losses=np.array([2.0, 1.9, 0.5, 9.0]))
# Nothing explodes, though the loss rises more steeply than it falls.
exercise.case(
    "before the explosion",
    rates=np.array([0.1, 0.2, 0.4, 0.8, 1.6, 3.2]),
    losses=np.array([2.0, 1.6, 1.5, 3.9, 3.0, 1.7]),
)
# Twice the first loss is not yet more than twice. Minus infinity is infinite too.
exercise.case(
    "before the explosion", rates=np.array([0.1, 0.2, 0.4, 0.8, 1.6]), losses=np.array([1.0, 0.9, 2.0, 0.5, -np.inf])
)
exercise.case(
    "before the explosion",
    rates=np.array([0.1, 0.2, 0.4, 0.8, 1.6, 3.2]),
    losses=np.array([2.0, 1.6, 1.5, np.nan, 2.0, 1.0]),
)


def range_test(rng, rates):
    """A plausible range test: level, falling, level again, with some noise."""
    log_rates = np.log(rates)
    middle, width = np.quantile(log_rates, rng.uniform(0.4, 0.7)), rng.uniform(0.05, 0.15) * np.ptp(log_rates)
    losses = 2.3 - rng.uniform(0.5, 2) / (1 + np.exp(-(log_rates - middle) / width))
    return {"rates": rates, "losses": losses + rng.normal(0, 0.02, len(rates))}


@exercise.hidden("steepest fall", count=4)
def rates_by_one_factor(rng):
    return range_test(rng, np.geomspace(10 ** rng.uniform(-5, -3), 10 ** rng.uniform(-1, 1), rng.integers(8, 40)))


@exercise.hidden("logarithmic axis", count=5)
def rates_by_any_factor(rng):
    return range_test(rng, 1e-4 * np.cumprod(rng.uniform(1.1, 2.5, rng.integers(8, 20))))


@exercise.hidden("before the explosion", count=5)
def exploding_test(rng):
    test = range_test(rng, np.geomspace(1e-4, 10 ** rng.uniform(0, 2), 30))
    test["losses"][-5:] = rng.choice([np.nan, np.inf, 60.0]), 40.0, 3.0, 1.0, rng.choice([np.nan, 0.1])
    return test


@exercise.hidden("before the explosion", count=6)
def steepest_beside_the_explosion(rng):
    """Down to the lowest loss in small steps, up, down in one large step; then the end, or a short explosion."""
    rates = 1e-3 * rng.uniform(1.5, 3) ** np.arange(8)
    first = rng.uniform(1, 3)
    lowest, top, bottom = first * rng.uniform([0.4, 0.9, 0.5], [0.45, 1.9, 0.55])
    losses = np.append(np.linspace(first, lowest, 4), [top, bottom])
    if rng.random() < 0.3:
        return {"rates": rates[:6], "losses": losses}
    exploded = rng.choice([2.05 * first, 2.8 * first, np.nan, np.inf, -np.inf])
    return {"rates": rates, "losses": np.append(losses, [exploded, 0.1 * first])}


exercise.slip(
    "You drop one loss too many: `np.argmax` gives the place of the first exploded loss, and a slice up to that place "
    "leaves it out already. The last good pair counts.",
    name="last_good_loss_dropped",
    right="np.argmax(exploded) if",
    wrong="np.argmax(exploded) - 1 if",
)
exercise.slip(
    "You keep one loss too many: a slice ends before its second number, so the place of the first exploded loss is the "
    "right one, without + 1.",
    name="exploded_loss_kept",
    right="np.argmax(exploded) if",
    wrong="np.argmax(exploded) + 1 if",
)
exercise.slip(
    "Where nothing explodes you cut off everything: `np.argmax` of an array without a True is 0. Ask `.any()` first; "
    "without an explosion the whole test counts.",
    name="explosion_taken_for_granted",
    right="np.argmax(exploded) if exploded.any() else len(losses)",
    wrong="np.argmax(exploded)",
)
exercise.slip(
    "You stop at the lowest loss. A loss that rises has not exploded yet, and a steeper fall may follow; only more "
    "than twice the first loss ends the test.",
    name="cut_at_the_lowest_loss",
    right="    slopes =",
    wrong="    end = np.argmin(losses[:end]) + 1\n    slopes =",
)
exercise.slip(
    "`np.gradient` gives slopes at the rates, each the mean of two pairs, so its smallest entry is no pair of "
    "neighbours. `np.diff` gives the slopes between them.",
    name="slopes_at_the_points_taken_for_pairs",
    right="np.diff(losses[:end]) / np.diff(np.log(rates[:end]))",
    wrong="np.gradient(losses[:end], np.log(rates[:end]))",
)


@exercise.mistake(
    "You return the rate with the lowest loss. There the loss is about to rise again, one step from the edge; where "
    "did it fall fastest?"
)
def lowest_loss(rates, losses):
    return rates[np.nanargmin(losses)]


exercise.slip(
    "Your slopes are per rate, not per log(rate), and small rates win because they lie close together. On a "
    "logarithmic axis each doubling counts the same.",
    name="slope_per_rate",
    right="np.diff(np.log(rates[:end]))",
    wrong="np.diff(rates[:end])",
)
exercise.slip(
    "You look for the largest drop from one entry to the next. Where two rates lie far apart, a large drop may be a "
    "gentle slope: divide by the distance in log(rate).",
    name="largest_drop",
    right=" / np.diff(np.log(rates[:end]))",
    wrong="",
)
exercise.slip(
    "You look at the whole curve. After an explosion a loss may come down as steeply as it went up, and `np.argmin` "
    "takes a NaN for the smallest value of all; neither says anything about learning.",
    name="explosion_included",
    right="np.argmax(exploded) if exploded.any() else len(losses)",
    wrong="len(losses)",
)


@exercise.mistake(
    "You take slopes at the points: `np.gradient` averages the two pairs around each. Asked for is the steepest single "
    "pair, and the rate half-way between its two; `np.diff` goes from pair to pair."
)
def slopes_at_the_points(rates, losses):
    exploded = ~np.isfinite(losses) | (losses > 2 * losses[0])
    end = np.argmax(exploded) if exploded.any() else len(losses)
    return rates[np.argmin(np.gradient(losses[:end], np.log(rates[:end])))]


@exercise.mistake(
    "You drop the exploded losses and join what stands before them to what comes after. Once training has exploded, "
    "nothing after it counts."
)
def gaps_joined(rates, losses):
    kept = np.isfinite(losses) & (losses <= 2 * losses[0])
    rates, losses = rates[kept], losses[kept]
    steepest = np.argmin(np.diff(losses) / np.diff(np.log(rates)))
    return np.sqrt(rates[steepest] * rates[steepest + 1])


exercise.slip(
    "You have the right pair and return its lower rate. The slope belongs to neither end; go half-way on the "
    "logarithmic axis.",
    name="lower_rate_of_the_pair",
    right="np.sqrt(rates[steepest] * rates[steepest + 1])",
    wrong="rates[steepest]",
)
exercise.slip(
    "You have the right pair and return its upper rate. `np.diff` has one entry less: its entry i lies between the "
    "rates i and i + 1.",
    name="upper_rate_of_the_pair",
    right="np.sqrt(rates[steepest] * rates[steepest + 1])",
    wrong="rates[steepest + 1]",
)
exercise.slip(
    "You have the right pair and return its ordinary mean. On a logarithmic axis that lies too far right; half-way in "
    "log(rate) is the root of the product.",
    name="ordinary_mean_of_the_pair",
    right="np.sqrt(rates[steepest] * rates[steepest + 1])",
    wrong="(rates[steepest] + rates[steepest + 1]) / 2",
)
exercise.slip(
    "You take the steepest pair without asking whether it goes up or down, and find the explosion. A falling loss has "
    "a negative slope; look for the smallest one.",
    name="steepest_either_way",
    right="np.argmin(slopes)",
    wrong="np.argmax(np.abs(slopes))",
)


@exercise.alternative
def pair_by_pair(rates, losses):
    best_slope, best_rate = 0.0, None
    for i in range(len(losses) - 1):
        if not -np.inf < losses[i + 1] <= 2 * losses[0]:
            break
        slope = (losses[i + 1] - losses[i]) / np.log10(rates[i + 1] / rates[i])
        if slope < best_slope:
            best_slope, best_rate = slope, (rates[i] * rates[i + 1]) ** 0.5
    return best_rate


@exercise.alternative
def half_way_in_logarithms(rates, losses):
    points = []
    for rate, loss in zip(np.log2(rates), losses):
        if not np.isfinite(loss) or loss > 2 * losses[0]:
            break
        points.append((rate, loss))
    pairs = list(zip(points, points[1:]))
    (left, _), (right, _) = min(pairs, key=lambda pair: (pair[1][1] - pair[0][1]) / (pair[1][0] - pair[0][0]))
    return np.float32(2 ** ((left + right) / 2))
