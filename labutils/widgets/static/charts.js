// Lines and charts that are sharp and follow the theme.

// The colours of petroff10 that stand out from white and from black. A line takes a dash pattern along with its colour,
// so that it is never told by colour alone.
const LINES = [["#3f90da", []], ["#e76300", [7, 3]], ["#717581", [2, 3]], ["#a96b59", [9, 3, 2, 3]]];
// Of eight lines, no two have the same colour and dashes; labutils/widgets/base.py has the same list.
const style = i => [LINES[i % 4][0], LINES[(i + (i >> 2)) % 4][1]];

// 10 to the power of `exponent`, as people write it: 10⁻³.
const decade = exponent => "10" + [...String(exponent)].map(letter => "⁰¹²³⁴⁵⁶⁷⁸⁹"[letter] ?? "⁻").join("");

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

// Values to write on an axis: multiples of 1, 2 or 5, or of one of these times a power of ten; `least` apart or more.
function ticks(low, high, least) {
  const rough = Math.max((high - low) / 5, least), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find(factor => factor * power >= rough) * power;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

// Clears `canvas` and draws axes for the ranges `x` and `y`. Returns the pen, the box inside the axes, the scales from
// data to pixels (`px`, `py`), and `line`, which draws points [[x, y], …] cut to the box and the width of a line.
// With `logY` the axis is logarithmic, and `y` holds the exponents of ten at its ends.
function axes(canvas, { x, y, logY, ratio = 0.62, title, xLabel, yLabel }) {
  const width = canvas.clientWidth || 300, sharp = devicePixelRatio || 1, { color, fontFamily } = getComputedStyle(canvas);
  const left = 52, top = 24, w = width - left - 10, h = w * ratio, height = top + h + 38;
  canvas.width = width * sharp;
  canvas.height = height * sharp;
  canvas.style.height = height + "px";
  const px = value => left + w * (value - x[0]) / (x[1] - x[0]);
  const level = tick => top + h * (1 - (tick - y[0]) / (y[1] - y[0]));
  const py = value => level(logY ? Math.log10(value) : value);
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
  for (const value of ticks(...x, 0)) {
    stroke(0.15, [px(value), top], [px(value), top + h]);
    write(tidy(value), px(value), top + h + 15);
  }
  for (const tick of ticks(...y, logY ? 1 : 0)) {
    stroke(0.15, [left, level(tick)], [left + w, level(tick)]);
    write((logY ? decade : tidy)(tick), left - 5, level(tick) + 4, "right");
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
