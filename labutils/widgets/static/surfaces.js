// Surfaces over two weights and a start on them that can be dragged, for descent.js and race.js; labutils/surfaces.py is the
// reference. SURFACES, which says what part of each surface to draw and its lowest loss, stands before this file.

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
// A path that has gone further than this ends there.
const FAR = 1e6;

// The exponents of ten between which the loss axis runs, three decades or more. labutils/widgets/descent.py has the same rule.
function decades(heights) {
  const roof = clamp(Math.ceil(Math.log10(Math.max(...heights))), -9, 300);
  return [Math.min(Math.floor(Math.log10(Math.min(...heights))), roof - 3), roof];
}

// How far losses lie above the lowest of the surface. A logarithmic axis has no place for 0: what is less than 10⁻¹², and
// mostly rounding, is drawn there.
const above = (losses, lowest) => losses.map(loss => Math.max(loss - lowest, 1e-12));

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

// A surface to be chosen, drawn as a map that is called `label`, with a start to be dragged.
function ground(model, label) {
  const map = canvas(label), handle = make("div", { className: "lab-handle" });
  const plot = make("div", { className: "lab-plot", style: "flex-grow: 1.5" }, map, handle);
  const titles = Object.fromEntries(Object.entries(SURFACES).map(([name, { title }]) => [name, title]));
  const surface = choice(model, "surface", "surface", titles);
  const starts = ["x", "y"].map((axis, i) => slider(model, "start_" + axis, `start, weight ${i + 1}`, { low: -3, high: 3, step: 0.05 }));
  const chosen = () => SURFACES[model.get("surface")];
  const begin = (x, y) => {
    model.set("start_x", x);
    model.set("start_y", y);
    model.save_changes();
  };
  const fit = () => starts.forEach((label, i) => ([label.control.min, label.control.max] = chosen()["xy"[i]]));
  fit();

  // Another surface is another place: begin where it is interesting.
  model.on("change:surface", fit);
  surface.onchange = () => begin(...chosen().start);

  let scales, sheet = {};
  const drag = event => {
    const { x, y } = chosen(), { left, top, w, h } = scales, box = map.getBoundingClientRect();
    const across = clamp((event.clientX - box.left - left) / w, 0, 1);
    const down = clamp((event.clientY - box.top - top) / h, 0, 1);
    begin(+(x[0] + across * (x[1] - x[0])).toFixed(2), +(y[1] - down * (y[1] - y[0])).toFixed(2));
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

  // Draws the map; returns what is known of its surface, the start, and the scales, with `dots` for points in the picture.
  const draw = () => {
    const name = model.get("surface"), { x, y, title } = SURFACES[name];
    const start = [model.get("start_x"), model.get("start_y")];
    scales = axes(map, { x, y, ratio: 2 / 3, title, xLabel: "weight 1", yLabel: "weight 2" });
    const { pen, px, py, left, top, w, h } = scales;
    const pixels = [w, h].map(side => Math.round(side * (devicePixelRatio || 1))), key = name + pixels;
    if (sheet.key !== key) sheet = { key, image: relief(LANDSCAPES[name].loss, x, y, ...pixels) };
    pen.drawImage(sheet.image, left, top, w, h);
    handle.style.left = px(start[0]) + "px";
    handle.style.top = py(start[1]) + "px";
    const inside = ([u, v]) => u >= x[0] && u <= x[1] && v >= y[0] && v <= y[1];
    const dots = (points, color, radius) => {
      pen.fillStyle = color;
      for (const point of points.filter(inside)) {
        pen.beginPath();
        pen.arc(px(point[0]), py(point[1]), radius, 0, 7);
        pen.fill();
      }
    };
    return { ...SURFACES[name], ...LANDSCAPES[name], start, inside, dots, line: scales.line };
  };
  return { plot, surface, starts, draw };
}
