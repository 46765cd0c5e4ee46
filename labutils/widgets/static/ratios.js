// Update-to-weight ratios against step: the kernel measures, the browser smooths and draws.

const BAND = [-3.5, -2.5];

// Bytes of float32, one row per point: the step, then log10 of each layer's ratio.
function decode(bytes, layers) {
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const column = k => Array.from(numbers).filter((_, i) => i % (layers + 1) === k);
  return { steps: column(0), ratios: Array.from({ length: layers }, (_, k) => column(k + 1)) };
}

// Exponential moving average with bias correction; a NaN is passed over.
function smooth(values, beta) {
  let average = 0, weight = 0;
  return values.map(value => {
    if (isNaN(value)) return NaN;
    average = beta * average + (1 - beta) * value;
    weight = beta * weight + (1 - beta);
    return average / weight;
  });
}

const place = value => (value > BAND[1] ? "above the band" : value < BAND[0] ? "below the band" : "in the band");

function render({ model, el }) {
  const picture = canvas("Update-to-weight ratio of each layer against step");
  const legend = make("div", { className: "lab-legend" });
  const control = make("div", { className: "lab-row" },
    slider(model, "smoothing", "smoothing β", { low: 0, high: 0.95, step: 0.05 }));
  control.style.maxWidth = "300px";

  return mount({ model, el }, [picture, legend, control], () => {
    const layers = model.get("_layers"), { steps, ratios } = decode(model.get("_points"), layers.length);
    const smoothed = ratios.map(values => smooth(values, model.get("smoothing")));
    const drawn = ratios.flat().filter(value => !isNaN(value)), last = steps.at(-1) ?? 0;
    const chart = axes(picture, {
      x: [0, last || 100], y: [Math.min(-5, ...drawn), Math.max(-1, ...drawn)], ratio: picture.clientWidth < 360 ? 0.9 : 0.45,
      title: "Size of the updates", xLabel: "step", yLabel: "log₁₀(‖update‖ / ‖weights‖)",
    });
    const { pen, py, left, w, write } = chart;
    pen.globalAlpha = 0.16;
    pen.fillRect(left, py(BAND[1]), w, py(BAND[0]) - py(BAND[1]));
    pen.globalAlpha = 1;
    write("about 1e-3", left + w - 6, py(BAND[0]) - 6, "right");
    const points = values => values.map((value, i) => [steps[i], value]).filter(([, value]) => !isNaN(value));
    layers.forEach((_, k) => {
      pen.globalAlpha = 0.25;
      chart.line(points(ratios[k]), [style(k)[0], []], 1);
      pen.globalAlpha = 1;
      chart.line(points(smoothed[k]), style(k), 2);
    });
    legend.replaceChildren(...layers.map((name, k) => make("span", {}, sample(style(k)), name)));

    const now = layers.map((name, k) => [name, smoothed[k].at(-1)]).map(([name, value]) =>
      isNaN(value) ? `${name} does not move` : `${name} ${value.toFixed(2)}, ${place(value)}`);
    const summary = last ? `Step ${last}, log₁₀ of the ratio: ${now.join("; ")}` : "No step measured yet";
    return [summary, { layers, steps, ratios, smoothed }];
  });
}

export default { render };
