// Charts that follow sliders and choices. The kernel has computed every frame; labutils/widgets/live.py says how they are packed.

// Eight looks, no two with the same colour and dashes, nor colour and marker; labutils/widgets/live.py has the same list.
const LOOKS = ["", "□", "△", "◇", "▽", "×", "+", "☆"].map((marker, i) =>
  ({ line: [LINES[i % 4][0], LINES[(i + (i >> 2) * 2) % 4][1]], marker: marker || "○" }));
const [LEVELS, NOTHING] = [65534, 65535];

// The lengths of all arrays, the frames, and the arrays' levels one after the other.
async function unpacked(view) {
  const stream = new Blob([view]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer()), end = bytes.indexOf(10);
  const [lengths, frames] = JSON.parse(new TextDecoder().decode(bytes.slice(0, end)));
  const count = (bytes.length - end - 1) / 2, levels = [];
  for (let i = 0, level = 0; i < count; i++) {
    level = (level + bytes[end + 1 + i] + 256 * bytes[end + 1 + count + i]) % 65536;
    levels.push(level);
  }
  let from = 0;
  return [frames, lengths.map(length => levels.slice(from, (from += length)))];
}

// Levels as numbers of the axis from `low` to `high`: NaN where there is nothing.
const numbers = (levels, [low, high]) =>
  levels.map(level => (level === NOTHING ? NaN : low + (high - low) * ((3 * level) / LEVELS - 1)));

// One place of the list _places, with the methods of a model whose trait it is: what the controls are tied to.
const placeOf = (model, i) => ({
  get: () => model.get("_places")[i],
  set: (_, place) => model.set("_places", model.get("_places").map((old, k) => (k === i ? +place : old))),
  save_changes: () => model.save_changes(),
  on: (_, callback) => model.on("change:_places", callback),
});

function control(model, i, [name, options, slides]) {
  const place = placeOf(model, i);
  return slides
    ? slider(place, "", name, { low: 0, high: options.length - 1, say: index => options[index] })
    : choice(place, "", name, options);
}

// The pieces of a line between its gaps.
const pieces = points => points.reduce((lines, point) => {
  if (point.some(isNaN)) lines.push([]);
  else lines.at(-1).push(point);
  return lines;
}, [[]]);

function draw(chart, logY, kind, x, y, { line, marker }) {
  const { pen, px, py, left, top, w, h } = chart, height = value => py(logY ? 10 ** value : value);
  const at = (value, i) => [value, logY ? 10 ** y[i] : y[i]];
  if (kind === "line") pieces(x.map(at)).forEach(piece => chart.line(piece, line));
  pen.save();
  pen.beginPath();
  pen.rect(left, top - 2, w, h + 4);
  pen.clip();
  pen.strokeStyle = pen.fillStyle = line[0];
  pen.lineWidth = 1.5;
  pen.setLineDash(kind === "points" ? [] : line[1]);
  if (kind === "points") {
    pen.font = "13px sans-serif";
    x.forEach((value, i) => chart.write(marker, px(value), height(y[i]) + 4.5));
  } else if (kind === "bars") {
    y.forEach((value, i) => {
      const box = [px(x[i]), height(value), px(x[i + 1]) - px(x[i]), top + h - height(value)];
      pen.globalAlpha = 0.3;
      pen.fillRect(...box);
      pen.globalAlpha = 1;
      pen.strokeRect(...box);
    });
  } else if (kind === "rule") {
    pen.beginPath();
    pen.moveTo(px(x[0]), top);
    pen.lineTo(px(x[0]), top + h);
    pen.stroke();
  }
  pen.restore();
}

function key(label, kind, { line, marker }) {
  const shown = kind === "points" ? make("span", { ariaHidden: "true", style: `color: ${line[0]}; margin-right: 6px` }, marker) : sample(line);
  return make("span", {}, shown, label);
}

async function render({ model, el }) {
  const [frames, arrays] = await unpacked(model.get("_frames")), controls = model.get("_controls");
  const charts = model.get("_panels").map(panel => {
    const picture = canvas(panel.title), legend = make("div", { className: "lab-legend" });
    return { panel, picture, legend, whole: make("div", { className: "lab-plot" }, picture, legend) };
  });
  const moved = make("div", { className: "lab-row" }, ...controls.map((one, i) => control(model, i, one)));
  const row = make("div", { className: "lab-row" }, ...charts.map(chart => chart.whole));

  return mount({ model, el }, [moved, row], () => {
    const places = model.get("_places");
    const frame = places.reduce((number, place, i) => number * controls[i][1].length + place, 0);
    const [sentence, drawn] = frames[frame];
    const shown = charts.map(({ panel, picture, legend }, k) => {
      const chart = axes(picture, panel);
      const marks = drawn[k].map(([kind, label, x, y]) =>
        ({ kind, label: panel.legend[label], look: LOOKS[label % 8], x: numbers(arrays[x], panel.x), y: numbers(arrays[y], panel.y) }));
      for (const { kind, x, y, look } of marks) draw(chart, panel.logY, kind, x, y, look);
      legend.replaceChildren(...marks.map(({ label, kind, look }) => key(label, kind, look)));
      return marks.map(({ kind, label, x, y }) => ({ kind, label, x, y }));
    });
    return [sentence, { values: places.map((place, i) => controls[i][1][place]), panels: shown }];
  });
}

export default { render };
