// Eight optimizers on one surface from one start, computed here; labutils/optimizers.py is the reference. Before this file
// stand OPTIMIZERS, each with its title and its rates, and GOAL, the loss above the minimum that is raced for.

const { sqrt } = Math, NAMES = Object.keys(OPTIMIZERS);

// The step of each rule for one weight, before the learning rate: from the gradient g, what is remembered in m, the momentum
// β, the number t of the step, counted from 1, and the weight w.
const RULES = {
  sgd: g => g,
  momentum: (g, m, β) => (m.u = β * m.u + g),
  nesterov: (g, m, β) => g + β * (m.u = β * m.u + g),
  adagrad: (g, m) => g / (sqrt((m.v += g * g)) + 1e-10),
  adadelta(g, m) {
    m.v = 0.9 * m.v + (1 - 0.9) * g * g;
    const step = g * sqrt((m.u + 1e-6) / (m.v + 1e-6));
    m.u = 0.9 * m.u + (1 - 0.9) * step * step;
    return step;
  },
  rmsprop: (g, m) => g / (sqrt((m.v = 0.99 * m.v + (1 - 0.99) * g * g)) + 1e-8),
  adam(g, m, β, t) {
    m.u = β * m.u + (1 - β) * g;
    m.v = 0.999 * m.v + (1 - 0.999) * g * g;
    return m.u / (1 - β ** t) / (sqrt(m.v / (1 - 0.999 ** t)) + 1e-8);
  },
  adamw: (g, m, β, t, w) => RULES.adam(g, m, β, t) + 0.01 * w,
};

// The points of `steps` steps, the start first.
function run(rule, gradient, start, rate, beta, steps) {
  const memories = start.map(() => ({ u: 0, v: 0 })), path = [start];
  for (let t = 1, w = start; t <= steps && Math.hypot(...w) < FAR; t++) {
    const g = gradient(...w);
    path.push((w = w.map((value, i) => value - rate * rule(g[i], memories[i], beta, t, value))));
  }
  return path;
}

function render({ model, el }) {
  const field = ground(model, "Contours of the loss with the path of every optimizer");
  const curve = canvas("Loss of every optimizer against step");
  const runs = name => model.get("optimizers").includes(name);
  const heads = ["optimizer, learning rate η", "steps to the goal", "loss at the end"];
  const table = make("table", {}, make("tr", {}, ...heads.map(head => make("th", { scope: "col" }, head))));
  const rows = NAMES.map((name, i) => {
    const { title, rates: [low, high] } = OPTIMIZERS[name], stroke = style(i);
    const box = make("input", { type: "checkbox", ...QUIET }), goal = make("td"), end = make("td");
    box.onchange = () => {
      model.set("optimizers", NAMES.filter(other => (other === name ? box.checked : runs(other))));
      model.save_changes();
    };
    const rate = slider(model, name, "learning rate of " + title, { low, high, step: 0.005, log: true });
    // To the eye, the row says whose it is.
    rate.firstChild.firstChild.remove();
    const label = make("label", {}, box, sample(stroke), title);
    table.append(make("tr", {}, make("th", { scope: "row" }, label, rate), goal, end));
    return { name, title, stroke, box, goal, end };
  });

  // While it plays, `finish` is the number of steps to play. Another press ends it at once.
  let finish = 0, step, clock;
  const play = make("button", { textContent: "Play", hidden: matchMedia("(prefers-reduced-motion: reduce)").matches });
  const go = () => {
    model.set("steps", ++step);
    if (step < finish) return;
    clearInterval(clock);
    finish = 0;
    model.save_changes();
  };
  play.onclick = () => {
    if (!finish) {
      finish = model.get("steps");
      step = 0;
      clock = setInterval(go, 50);
    } else step = finish - 1;
    go();
  };

  const controls = make("div", { className: "lab-row" }, field.surface,
    slider(model, "steps", "steps", { low: 1, high: 200 }),
    slider(model, "beta", "momentum β", { low: 0, high: 0.99, step: 0.01 }), ...field.starts);
  const plots = make("div", { className: "lab-row" }, field.plot, make("div", { className: "lab-plot" }, curve));
  const leave = mount({ model, el }, [controls, plots, play, table], () => {
    const { gradient, loss, lowest, start, inside, line, dots } = field.draw();
    const steps = model.get("steps"), last = Math.max(finish, steps), beta = model.get("beta");
    const racing = rows.flatMap(({ name, title, stroke, box, goal, end }) => {
      box.checked = runs(name);
      goal.textContent = end.textContent = "";
      if (!box.checked) return [];
      const whole = run(RULES[name], gradient, start, model.get(name), beta, last), path = whole.slice(0, steps + 1);
      const heights = above(whole.map(point => loss(...point)), lowest), now = heights.slice(0, steps + 1);
      const first = now.findIndex(height => height < GOAL), left = path.findLastIndex(inside) + 1;
      goal.textContent = first < 0 ? "not yet" : first;
      end.textContent = left === path.length ? tidy(now.at(-1))
        : `left the picture after step ${left}` + (path.length <= steps ? ", diverges" : "");
      return { name, title, stroke, path, heights, now, first, end: end.textContent };
    });

    // The first of the table comes last, on top.
    const drawn = racing.toReversed();
    for (const { path } of drawn) line(path, ["#fff", []], 4);
    for (const { path, stroke } of drawn) {
      line(path, stroke);
      dots(path.slice(-1), "#fff", 5.5);
      dots(path.slice(-1), stroke[0], 4);
    }

    // The axis holds the whole race, except what rises to more than a thousand times the first loss.
    const top = 1e3 * above([loss(...start)], lowest)[0];
    const heights = racing.flatMap(({ heights }) => heights.map(height => Math.min(height, top)));
    const chart = axes(curve, {
      x: [0, Math.max(last, 4)], y: decades([GOAL, ...heights]), logY: true, ratio: 0.79,
      title: "Loss", xLabel: "step", yLabel: "loss above the minimum",
    });
    chart.line([[0, GOAL], [200, GOAL]], [chart.color, [1, 4]], 1);
    chart.write("goal", chart.left + 4, chart.py(GOAL) + 14, "left");
    for (const { now, stroke } of drawn) chart.line(now.map((height, step) => [step, height]), stroke);

    const said = racing.map(({ title, first, end }) => `${title} ${first < 0 ? "not yet: " + end : first}`);
    return [`After ${steps} steps, with losses above the minimum. Steps to the goal, ${GOAL}: ${said.join("; ")}`, racing];
  });
  return () => {
    clearInterval(clock);
    leave();
  };
}

export default { render };
