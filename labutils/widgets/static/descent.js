// Gradient descent on a surface over two weights, computed here.

// The points of `steps` steps, the start first.
function descend(gradient, start, rate, steps) {
  const path = [start];
  for (let step = 0, [x, y] = start; step < steps && Math.hypot(x, y) < FAR; step++) {
    const [gx, gy] = gradient(x, y);
    path.push([(x -= rate * gx), (y -= rate * gy)]);
  }
  return path;
}

// What a descent does, by its numbers. `further` is the same descent, twice as long: converged means that its second half
// stays within a hundredth of the way from the end of the first. (Its last point alone would miss a swing from side to side.)
function judge(path, losses, further) {
  const end = path.at(-1), last = further.at(-1), steps = path.length - 1;
  const recent = Array.from({ length: Math.min(10, steps) }, (_, i) => steps - i);
  if (Math.hypot(...end) >= FAR || recent.every(i => losses[i] > losses[i - 1])) return "diverges";
  const far = ([x, y], [u, v]) => Math.hypot(x - u, y - v);
  if (further.slice(path.length).every(point => far(end, point) <= 0.01 * far(path[0], last))) return "converges";
  const move = (i, axis) => path[i][axis] - path[i - 1][axis];
  const turns = recent.filter(i => i > 1 && move(i, 0) * move(i - 1, 0) + move(i, 1) * move(i - 1, 1) < 0);
  return 2 * turns.length > recent.length ? "oscillates" : "converges slowly";
}

function render({ model, el }) {
  const field = ground(model, "Contours of the loss with the path of the descent"), curve = canvas("Loss against step");
  const mark = make("i", { className: "lab-mark", ariaHidden: "true" }, "▲");
  const rate = slider(model, "learning_rate", "learning rate η", { low: 1e-3, high: 3, step: 0.005, log: true });
  rate.append(mark);
  const controls = make("div", { className: "lab-row" },
    field.surface, rate, slider(model, "steps", "steps", { low: 1, high: 200 }), ...field.starts);
  const plots = make("div", { className: "lab-row" }, field.plot, make("div", { className: "lab-plot" }, curve));

  return mount({ model, el }, [controls, plots], () => {
    const { limit, lowest, loss, gradient, start, line, dots } = field.draw();
    const rate = model.get("learning_rate"), steps = model.get("steps");
    const path = descend(gradient, start, rate, steps), losses = path.map(([x, y]) => loss(x, y));
    const verdict = judge(path, losses, descend(gradient, start, rate, 2 * steps));
    line(path, ["#fff", []], 4);
    line(path, ["#bd1f01", []], 1.5);
    for (const [color, rim] of [["#fff", 1], ["#bd1f01", 0]]) {
      dots(path, color, 2.5 + rim);
      dots(path.slice(-1), color, 5 + rim);
    }

    const heights = above(losses, lowest);
    const chart = axes(curve, {
      x: [0, Math.max(path.length - 1, 4)], y: decades(heights), logY: true, ratio: 0.79,
      title: "Loss: " + verdict, xLabel: "step", yLabel: lowest ? "loss above the minimum" : "loss",
    });
    chart.line(heights.map((height, step) => [step, height]), LINES[0]);

    const limited = model.get("show_limit") && limit;
    mark.hidden = !limited;
    mark.style.left = `calc(8px + (100% - 16px) * ${(Math.log10(limit) + 3) / Math.log10(3000)})`;
    const told = limited ? `. ▲ largest stable rate, 2/λmax = ${limit}` : "";
    return [`${path.length - 1} steps, loss ${tidy(losses.at(-1))}: ${verdict}${told}`, { path, losses, verdict }];
  });
}

export default { render };
