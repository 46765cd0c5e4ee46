// What every widget shares: elements, labelled controls, charts that are sharp and follow the theme, a spoken summary.
// A widget's own file follows this one and ends with `export default { render }`; the text of its style sheets stands
// before it as STYLES.

// The colours of petroff10 that stand out from white and from black. A line takes a dash pattern along with its colour,
// so that it is never told by colour alone.
const LINES = [["#3f90da", []], ["#e76300", [7, 3]], ["#717581", [2, 3]], ["#a96b59", [9, 3, 2, 3]]];
const CIVIDIS = [[0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115],
  [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56]];

const tidy = value => {
  const rounded = +value.toPrecision(3);
  return Math.abs(rounded) < 1e6 ? String(rounded) : rounded.toExponential();
};
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// Without the attribute JupyterLab takes the arrow keys for itself.
const QUIET = { "data-lm-suppress-shortcuts": "true" };

// A labelled native range tied to a trait. With `log` it moves by decades, and three digits are both shown and used.
function slider(model, trait, label, { low, high, step = 1, log, text = tidy }) {
  const scale = log ? Math.log10 : Number;
  const shown = make("b", { ariaHidden: "true" });
  const input = make("input", { type: "range", min: scale(low), max: scale(high), step, ariaLabel: label, ...QUIET });
  const show = () => {
    input.value = scale(model.get(trait));
    input.ariaValueText = shown.textContent = text(model.get(trait));
  };
  input.oninput = () => model.set(trait, log ? +(10 ** input.value).toPrecision(3) : +input.value);
  input.onchange = () => model.save_changes();
  model.on("change:" + trait, show);
  show();
  return make("label", {}, make("span", {}, label, shown), input);
}

// A labelled native select tied to a trait; `options` maps each value to what people read.
function choice(model, trait, label, options) {
  const input = make("select", { ariaLabel: label, ...QUIET });
  for (const [value, text] of Object.entries(options)) input.append(make("option", { value }, text));
  const show = () => (input.value = model.get(trait));
  input.onchange = () => {
    model.set(trait, input.value);
    model.save_changes();
  };
  model.on("change:" + trait, show);
  show();
  return make("label", {}, make("span", {}, label), input);
}

const canvas = label => make("canvas", { role: "img", ariaLabel: label });

// A short sample of a line, for a legend.
function sample([color, dash]) {
  const picture = make("canvas", { width: 60, height: 16, ariaHidden: "true", style: "display: inline; width: 30px; height: 8px; margin-right: 6px" });
  const pen = picture.getContext("2d");
  pen.scale(2, 2);
  pen.strokeStyle = color;
  pen.lineWidth = 2;
  pen.setLineDash(dash);
  pen.lineTo(0, 4);
  pen.lineTo(30, 4);
  pen.stroke();
  return picture;
}

// Values to write on an axis: decades on a logarithmic one, otherwise multiples of 1, 2 or 5.
function ticks(low, high, log) {
  if (log) {
    const first = Math.ceil(Math.log10(low)), count = Math.floor(Math.log10(high)) - first + 1;
    const stride = Math.ceil(count / 6);
    return Array.from({ length: Math.ceil(count / stride) }, (_, i) => +`1e${first + i * stride}`);
  }
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find(factor => factor * power >= rough) * power;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

// Clears `canvas` and draws axes for the ranges `x` and `y`. Returns the pen, the box inside the axes, the scales from
// data to pixels (`px`, `py`), and `line`, which draws points [[x, y], …] cut to the box and the width of a line.
function axes(canvas, { x, y, logY, ratio = 0.62, title, xLabel, yLabel }) {
  const width = canvas.clientWidth || 300, sharp = devicePixelRatio || 1, { color, fontFamily } = getComputedStyle(canvas);
  const left = 52, top = 24, w = width - left - 10, h = w * ratio, height = top + h + 38;
  canvas.width = width * sharp;
  canvas.height = height * sharp;
  canvas.style.height = height + "px";
  const scale = logY ? Math.log10 : Number;
  const px = value => left + w * (value - x[0]) / (x[1] - x[0]);
  const py = value => top + h * (1 - (scale(value) - scale(y[0])) / (scale(y[1]) - scale(y[0])));
  const pen = canvas.getContext("2d");
  pen.scale(sharp, sharp);
  pen.fillStyle = pen.strokeStyle = color;
  const write = (text, x, y, align = "center") => {
    pen.textAlign = align;
    pen.fillText(text, x, y);
  };
  const stroke = (alpha, ...ends) => {
    pen.globalAlpha = alpha;
    pen.beginPath();
    for (const [x, y] of ends) pen.lineTo(x, y);
    pen.stroke();
    pen.globalAlpha = 1;
  };
  pen.font = "600 13px " + fontFamily;
  write(title, left, 14, "left");
  pen.font = "12px " + fontFamily;
  for (const value of ticks(...x)) {
    stroke(0.15, [px(value), top], [px(value), top + h]);
    write(tidy(value), px(value), top + h + 15);
  }
  for (const value of ticks(...y, logY)) {
    stroke(0.15, [left, py(value)], [left + w, py(value)]);
    write(tidy(value), left - 5, py(value) + 4, "right");
  }
  write(xLabel, left + w / 2, height - 6);
  pen.save();
  pen.translate(12, top + h / 2);
  pen.rotate(-Math.PI / 2);
  write(yLabel, 0, 0);
  pen.restore();
  stroke(0.6, [left, top], [left, top + h], [left + w, top + h]);
  const line = (points, [color, dash], width = 2) => {
    pen.save();
    pen.beginPath();
    pen.rect(left, top - 2, w, h + 4);
    pen.clip();
    pen.setLineDash(dash);
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(clamp(px(x), -1e4, 1e4), clamp(py(y), -1e4, 1e4));
    pen.stroke();
    pen.restore();
  };
  return { pen, px, py, line, write, left, top, w, h, color };
}

// Puts `children` into the cell and calls `paint` when a trait, the width or the theme changes, once per frame at most.
// `paint` returns [summary, numbers]: the summary is shown, and spoken when the hand rests; the numbers are what is drawn.
function mount({ model, el }, children, paint) {
  const summary = make("p", { ariaHidden: "true" }), spoken = make("p", { role: "status" });
  const root = make("div", { className: "lab" }, ...children, summary, spoken);
  let frame, rest;
  const request = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      [summary.textContent, root.numbers] = paint();
      clearTimeout(rest);
      rest = setTimeout(() => (spoken.textContent = summary.textContent), 500);
    });
  };
  const size = new ResizeObserver(request), theme = new MutationObserver(request);
  el.append(make("style", { textContent: STYLES }), root);
  model.on("change", request);
  size.observe(root);
  theme.observe(document.body, { attributes: true });
  return () => {
    size.disconnect();
    theme.disconnect();
    clearTimeout(rest);
  };
}
