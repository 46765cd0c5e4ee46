// Learning-rate schedules and the expected loss of a noisy descent under them; labutils/widgets/schedules.py compares
// with torch. Its constants EPOCHS, STEPS_PER_EPOCH, CURVATURES, NOISE, IMPROVEMENT and TITLES stand before this file.

const cosine = (high, low, share) => low + ((high - low) * (1 + Math.cos(Math.PI * share))) / 2;

function restarted(rate, epoch, { first_cycle, multiplier, minimum }) {
  let cycle = first_cycle;
  while (epoch >= cycle) {
    epoch -= cycle;
    cycle *= multiplier;
  }
  return cosine(rate, minimum, epoch / cycle);
}

// Each gives the rate in an epoch, counted from 0, for the settings `s`. The one on plateau also sees the losses so far.
const SCHEDULES = {
  constant: s => s.learning_rate,
  step: (s, epoch) => s.learning_rate * s.factor ** Math.floor(epoch / s.every),
  exponential: (s, epoch) => s.learning_rate * s.factor ** (epoch / s.every),
  cosine: (s, epoch) => cosine(s.learning_rate, s.minimum, epoch / EPOCHS),
  restarts: (s, epoch) => restarted(s.learning_rate, epoch, s),
  warmup: (s, epoch) => epoch < s.warmup
    ? (s.learning_rate * (epoch + 1)) / s.warmup
    : cosine(s.learning_rate, 0, (epoch - s.warmup) / (EPOCHS - s.warmup)),
  plateau(s, epoch, losses) {
    let rate = s.learning_rate, best = Infinity, bad = 0;
    for (const loss of losses) {
      bad = loss < best * (1 - IMPROVEMENT) ? 0 : bad + 1;
      if (bad === 0) best = loss;
      if (bad > s.patience) [rate, bad] = [rate * s.factor, 0];
    }
    return rate;
  },
};

// The sliders of each schedule, besides that of the rate.
const CONTROLS = {
  constant: [],
  step: ["factor", "every"],
  exponential: ["factor", "every"],
  cosine: ["minimum"],
  restarts: ["first_cycle", "multiplier", "minimum"],
  warmup: ["warmup"],
  plateau: ["factor", "patience"],
};

// Rates and expected losses, epoch by epoch: the noisy quadratic model of Zhang et al. (2019).
function run(settings) {
  let squares = CURVATURES.map(curvature => 2 / (CURVATURES.length * curvature));
  const rates = [], losses = [];
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const rate = SCHEDULES[settings.schedule](settings, epoch, losses);
    for (let step = 0; step < STEPS_PER_EPOCH; step++) {
      squares = squares.map((square, i) => (1 - rate * CURVATURES[i]) ** 2 * square + rate * rate * NOISE * CURVATURES[i]);
    }
    rates.push(rate);
    losses.push(squares.reduce((sum, square, i) => sum + (square * CURVATURES[i]) / 2, 0));
  }
  return { rates, losses };
}

// The name of a schedule with its settings, for the legend and the summary.
function label(s) {
  const words = CONTROLS[s.schedule].map(name => `${name.replace("_", " ")} ${tidy(s[name])}`);
  return [TITLES[s.schedule], `rate ${tidy(s.learning_rate)}`, ...words].join(", ");
}

function render({ model, el }) {
  const left = canvas("Learning rate against epoch"), right = canvas("Expected loss against epoch");
  const sliders = {
    factor: slider(model, "factor", "factor γ", { low: 0.05, high: 0.95, step: 0.05 }),
    every: slider(model, "every", "every k epochs", { low: 1, high: 50 }),
    minimum: slider(model, "minimum", "last rate", { low: 0, high: 0.5, step: 0.01 }),
    first_cycle: slider(model, "first_cycle", "first cycle, epochs", { low: 1, high: 30 }),
    multiplier: slider(model, "multiplier", "each cycle longer by", { low: 1, high: 4 }),
    warmup: slider(model, "warmup", "warm-up, epochs", { low: 2, high: 30 }),
    patience: slider(model, "patience", "patience, epochs", { low: 0, high: 10 }),
  };
  const controls = make("div", { className: "lab-row" },
    choice(model, "schedule", "schedule", TITLES),
    slider(model, "learning_rate", "learning rate η₀", { low: 0.01, high: 1.5, step: 0.005, log: true }),
    ...Object.values(sliders));
  const plots = [left, right].map(plot => make("div", { className: "lab-plot" }, plot));
  const keep = make("button", { textContent: "Keep for comparison" }), clear = make("button", { textContent: "Clear" });
  const legend = make("div");

  const settings = () => Object.fromEntries(["schedule", "learning_rate", ...Object.keys(sliders)].map(name => [name, model.get(name)]));
  const set = kept => {
    model.set("kept", kept);
    model.save_changes();
  };
  keep.onclick = () => set([settings(), ...model.get("kept")].slice(0, 2));
  clear.onclick = () => set([]);

  const children = [controls, make("div", { className: "lab-row" }, ...plots), legend, make("div", {}, keep, " ", clear)];
  return mount({ model, el }, children, () => {
    const all = [settings(), ...model.get("kept")], runs = all.map(run);
    for (const [name, control] of Object.entries(sliders)) control.hidden = !CONTROLS[all[0].schedule].includes(name);
    clear.hidden = all.length === 1;
    legend.replaceChildren(...(all.length > 1 ? all.map((s, i) => make("div", {}, sample(LINES[i]), label(s))) : []));

    const roof = Math.max(...runs.flatMap(({ rates }) => rates)) * 1.08, x = [0, EPOCHS];
    const schedule = axes(left, { x, y: [0, roof], title: "The schedule", xLabel: "epoch", yLabel: "learning rate" });
    const descent = axes(right, { x, y: [-3, Math.log10(2)], logY: true, title: "What it does to a noisy descent", xLabel: "epoch", yLabel: "expected loss" });
    // The one being shaped comes last, on top.
    for (const i of [...runs.keys()].reverse()) {
      schedule.line(runs[i].rates.flatMap((rate, epoch) => [[epoch, rate], [epoch + 1, rate]]), LINES[i]);
      descent.line([[0, 1], ...runs[i].losses.map((loss, epoch) => [epoch + 1, loss])], LINES[i]);
    }
    const { rates, losses } = runs[0];
    const summary = `${label(all[0])}: the rate ends at ${tidy(rates.at(-1))}, the expected loss at ${tidy(losses.at(-1))}`;
    return [summary, { rates, losses, kept: runs.slice(1) }];
  });
}

export default { render };
