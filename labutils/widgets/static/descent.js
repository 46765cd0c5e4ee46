// Gradient descent on a surface over two weights, computed here; labutils/surfaces.py is the reference. SURFACES, which says
// what part of each surface to draw and its lowest loss, stands before this file.

const CIVIDIS = [[0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115],
  [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56]];

const pit = (x, y, centre, width) => Math.exp(-((x - centre) * (x - centre) + y * y) / (2 * width * width));

// Each surface: its loss, and its gradient written beside it.
const LANDSCAPES = {
  bowl: { loss: (x, y) => (x * x + y * y) / 2, gradient: (x, y) => [x, y] },
  ravine: { loss: (x, y) => (x * x + 20 * y * y) / 2, gradient: (x, y) => [x, 20 * y] },
  saddle: {
    loss: (x, y) => x ** 4 / 4 - (x * x) / 2 + (y * y) / 2,
    gradient: (x, y) => [x ** 3 - x, y],
  },
  rosenbrock: {
    loss: (x, y) => ((1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x)) / 10,
    gradient: (x, y) => [(-2 * (1 - x) - 400 * x * (y - x * x)) / 10, (200 * (y - x * x)) / 10],
  },
  two_minima: {
    loss: (x, y) => (x * x + y * y) / 10 - 2 * pit(x, y, -1, 0.35) - 1.2 * pit(x, y, 1.2, 0.8),
    gradient: (x, y) => {
      const narrow = (2 * pit(x, y, -1, 0.35)) / (0.35 * 0.35);
      const wide = (1.2 * pit(x, y, 1.2, 0.8)) / (0.8 * 0.8);
      return [x / 5 + narrow * (x + 1) + wide * (x - 1.2), y / 5 + (narrow + wide) * y];
    },
  },
};
const FAR = 1e6;

// The points of `steps` steps, the start first. A path that has gone further than FAR ends there.
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

// The exponents of ten between which the loss axis runs, three decades or more. labutils/widgets/descent.py has the same rule.
function decades(heights) {
  const roof = clamp(Math.ceil(Math.log10(Math.max(...heights))), -9, 300);
  return [Math.min(Math.floor(Math.log10(Math.min(...heights))), roof - 3), roof];
}

// The loss as bands of cividis with a fine line between them, as an image of `width` × `height` pixels.
// The bands are spaced by a power of the loss, such that half of the picture lies below the middle band: so a flat valley
// has contours too.
function relief(loss, [left, right], [bottom, top], width, height) {
  const values = new Float64Array(width * height);
  for (let row = 0, i = 0; row < height; row++) {
    const y = top + ((bottom - top) * (row + 0.5)) / height;
    for (let column = 0; column < width; column++) values[i++] = loss(left + ((right - left) * (column + 0.5)) / width, y);
  }
  const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
  const sample = values.filter((_, i) => i % 97 === 0).sort(), median = sample[sample.length >> 1];
  const power = Math.log(0.5) / Math.log((median - low) / (high - low));
  const bands = 16, band = values.map(value => bands * ((value - low) / (high - low)) ** power);
  const image = new ImageData(width, height);
  for (let i = 0; i < band.length; i++) {
    const across = Math.hypot(band[i] - band[i + 1] || 0, band[i] - band[i + width] || 0);
    const edge = Math.abs(band[i] - Math.round(band[i])) / across;
    const shade = edge < 1 ? 0.7 + 0.3 * edge : 1;
    const place = clamp(Math.floor(band[i]) / (bands - 1), 0, 1) * 9, k = Math.min(Math.floor(place), 8);
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = shade * (CIVIDIS[k][c] + (place - k) * (CIVIDIS[k + 1][c] - CIVIDIS[k][c]));
    }
    image.data[4 * i + 3] = 255;
  }
  const sheet = make("canvas", { width, height });
  sheet.getContext("2d").putImageData(image, 0, 0);
  return sheet;
}

function render({ model, el }) {
  const map = canvas("Contours of the loss with the path of the descent"), curve = canvas("Loss against step");
  const handle = make("div", { className: "lab-handle" });
  const plot = make("div", { className: "lab-plot", style: "flex-grow: 1.5" }, map, handle);
  const titles = Object.fromEntries(Object.entries(SURFACES).map(([name, { title }]) => [name, title]));
  const surface = choice(model, "surface", "surface", titles);
  const mark = make("i", { className: "lab-mark", ariaHidden: "true" }, "▲");
  const rate = slider(model, "learning_rate", "learning rate η", { low: 1e-3, high: 3, step: 0.005, log: true });
  rate.append(mark);
  const starts = ["x", "y"].map((axis, i) => slider(model, "start_" + axis, `start, weight ${i + 1}`, { low: -3, high: 3, step: 0.05 }));
  const fit = () => starts.forEach((label, i) => {
    [label.control.min, label.control.max] = SURFACES[model.get("surface")]["xy"[i]];
  });
  fit();

  // Another surface is another place: begin where it is interesting.
  model.on("change:surface", fit);
  surface.onchange = () => {
    const { start } = SURFACES[model.get("surface")];
    model.set("start_x", start[0]);
    model.set("start_y", start[1]);
    model.save_changes();
  };

  let scales, sheet = {};
  const drag = event => {
    const { x, y } = SURFACES[model.get("surface")], { left, top, w, h } = scales, box = map.getBoundingClientRect();
    const across = clamp((event.clientX - box.left - left) / w, 0, 1);
    const down = clamp((event.clientY - box.top - top) / h, 0, 1);
    model.set("start_x", +(x[0] + across * (x[1] - x[0])).toFixed(2));
    model.set("start_y", +(y[1] - down * (y[1] - y[0])).toFixed(2));
    model.save_changes();
  };
  plot.onpointerdown = event => {
    // A finger beside the handle scrolls the page.
    if (event.pointerType === "touch" && event.target !== handle) return;
    plot.setPointerCapture(event.pointerId);
    plot.onpointermove = drag;
    drag(event);
    event.preventDefault();
  };
  plot.onpointerup = plot.onpointercancel = () => (plot.onpointermove = null);

  const controls = make("div", { className: "lab-row" },
    surface, rate, slider(model, "steps", "steps", { low: 1, high: 200 }), ...starts);
  const plots = make("div", { className: "lab-row" }, plot, make("div", { className: "lab-plot" }, curve));

  return mount({ model, el }, [controls, plots], () => {
    const name = model.get("surface"), { title, x, y, limit, lowest } = SURFACES[name], { loss, gradient } = LANDSCAPES[name];
    const start = [model.get("start_x"), model.get("start_y")], rate = model.get("learning_rate"), steps = model.get("steps");
    const path = descend(gradient, start, rate, steps), losses = path.map(([x, y]) => loss(x, y));
    const verdict = judge(path, losses, descend(gradient, start, rate, 2 * steps));

    scales = axes(map, { x, y, ratio: 2 / 3, title, xLabel: "weight 1", yLabel: "weight 2" });
    const { pen, px, py, left, top, w, h } = scales;
    const pixels = [w, h].map(side => Math.round(side * (devicePixelRatio || 1))), key = name + pixels;
    if (sheet.key !== key) sheet = { key, image: relief(loss, x, y, ...pixels) };
    pen.drawImage(sheet.image, left, top, w, h);
    scales.line(path, ["#fff", []], 4);
    scales.line(path, ["#bd1f01", []], 1.5);
    const inside = path.filter(([u, v]) => u >= x[0] && u <= x[1] && v >= y[0] && v <= y[1]);
    for (const [color, rim] of [["#fff", 1], ["#bd1f01", 0]]) {
      pen.fillStyle = color;
      for (const point of inside) {
        pen.beginPath();
        pen.arc(px(point[0]), py(point[1]), (point === path.at(-1) ? 5 : 2.5) + rim, 0, 7);
        pen.fill();
      }
    }
    handle.style.left = px(start[0]) + "px";
    handle.style.top = py(start[1]) + "px";

    // A logarithmic axis has no place for 0: what is less than 10⁻¹², and mostly rounding, is drawn there.
    const heights = losses.map(value => Math.max(value - lowest, 1e-12));
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
