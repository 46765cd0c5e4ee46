// A kernel that slides over an image, forward and backward, computed here; torch is the reference. Before this file stand
// CIVIDIS, ten colours, and KERNELS, OPERATIONS and INCOMING.

// A grid of numbers, row by row.
const grid = (rows, cols, number) => ({
  rows, cols, values: Array.from({ length: rows * cols }, (_, i) => number(Math.floor(i / cols), i % cols)),
});

// A convolution is a list of links: an output takes a weight times an input. The list gives the output, and in `backward`
// both gradients; followed from one of its three ends it gives the paths that are shown.
function forward(image, kernel, { stride, padding, dilation, operation }) {
  const [height, width] = [image.length, image[0].length].map(side => side + 2 * padding);
  const input = grid(height, width, (row, col) => image[row - padding]?.[col - padding] ?? 0);
  const weight = grid(kernel.length, kernel[0].length, (row, col) => kernel[row][col]), last = weight.values.length - 1;
  const side = (n, k) => Math.floor((n - dilation * (k - 1) - 1) / stride) + 1;
  const rows = side(height, weight.rows), cols = side(width, weight.cols), links = [];
  const output = rows > 0 && cols > 0 ? grid(rows, cols, () => 0) : grid(0, 0);
  output.values.forEach((_, o) => weight.values.forEach((_, k) => {
    const row = Math.floor(o / cols) * stride + Math.floor(k / weight.cols) * dilation;
    const col = (o % cols) * stride + (k % weight.cols) * dilation;
    links.push({ output: o, weight: operation === "convolution" ? last - k : k, input: row * width + col });
  }));
  for (const link of links) output.values[link.output] += input.values[link.input] * weight.values[link.weight];
  return { input, weight, output, links };
}

// The gradients of the loss with respect to the input, its padding included, and to the weights, for that at the output.
function backward({ input, weight, links }, output) {
  const gradients = { output, input: input.values.map(() => 0), weight: weight.values.map(() => 0) };
  for (const link of links) {
    gradients.input[link.input] += output[link.output] * weight.values[link.weight];
    gradients.weight[link.weight] += output[link.output] * input.values[link.input];
  }
  return gradients;
}

const ENDS = { input: "x", weight: "w", output: "y" }, KINDS = Object.keys(ENDS);

const minus = text => String(text).replace("-", "−");
// As long as fits a cell.
const short = value => minus(+value.toFixed(Math.abs(value) < 1 ? 2 : +(Math.abs(value) < 100)) || 0);
const long = value => minus(tidy(value || 0));
const product = numbers => numbers.map(value => (value < 0 ? `(${long(value)})` : long(value))).join("·");
// A list written out; of many entries the first.
const some = (entries, sign, most) =>
  entries.slice(0, most).join(sign) + (entries[most] ? `${sign}… (${entries.length - most} more)` : "");
const many = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

// The colour of a share of cividis, and black or white, whichever can be read on it.
function colors(share) {
  const place = share * 9, k = Math.min(Math.floor(place), 8);
  const rgb = CIVIDIS[k].map((from, c) => from + (place - k) * (CIVIDIS[k + 1][c] - from));
  const [r, g, b] = rgb.map(value => ((value / 255 + 0.055) / 1.055) ** 2.4);
  return [`rgb(${rgb.map(Math.round)})`, 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff"];
}

// A grid of cells to be chosen by pointer or arrow keys; `pick` is told the number of the cell.
function board(pick) {
  const title = make("b"), size = make("span"), cells = make("div", { role: "grid" });
  const whole = make("div", { className: "lab-board" }, title, size, cells);
  let all = [], cols;
  cells.onclick = event => {
    const place = all.indexOf(event.target);
    if (place >= 0) pick(place);
  };
  cells.onkeydown = event => {
    const place = all.indexOf(event.target), col = place % cols;
    const next = {
      ArrowLeft: col ? place - 1 : place, ArrowRight: col < cols - 1 ? place + 1 : place,
      ArrowUp: place - cols, ArrowDown: place + cols, Home: place - col, End: place - col + cols - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    if (!all[next]) return;
    all[next].focus();
    pick(next);
  };
  const show = drawn => {
    if (all.length !== drawn.cells.length || cols !== drawn.cols) {
      cols = drawn.cols;
      all = drawn.cells.map(() => make("div", { role: "gridcell", ...QUIET }));
      cells.replaceChildren(...Array.from({ length: drawn.rows }, (_, row) =>
        make("div", { role: "row" }, ...all.slice(row * cols, (row + 1) * cols))));
    }
    whole.style.setProperty("--cols", cols || 3);
    whole.style.setProperty("--digits", Math.max(2, ...drawn.cells.map(cell => cell.text.length)));
    title.textContent = drawn.title;
    size.textContent = drawn.size;
    cells.ariaLabel = `${drawn.title}, ${drawn.size}`;
    cells.hidden = !cols;
    drawn.cells.forEach(({ text, share, outside, label, by, mark }, i) => {
      const [background, color] = outside ? ["", ""] : colors(share);
      const properties = { textContent: text, ariaLabel: label, tabIndex: i === drawn.at ? 0 : -1 };
      Object.assign(all[i], properties, { ariaSelected: String(mark === "chosen") });
      Object.assign(all[i].style, { background, color });
      Object.assign(all[i].dataset, { mark, by, outside });
    });
  };
  return { whole, show };
}

function render({ model, el }) {
  const get = name => model.get(name), image = get("_image");
  const kernels = Object.keys(get("_kernels")).length ? get("_kernels") : KERNELS;
  const settings = () => Object.fromEntries(["stride", "padding", "dilation", "operation"].map(name => [name, get(name)]));
  let state;
  const compute = () => (state = forward(image, kernels[get("kernel")], settings()));
  compute();

  // Row and column of a cell as people count them: the first of the image, not of its padding, is 0.
  const edge = kind => (kind === "input" ? get("padding") : 0);
  const coordinates = (kind, place) =>
    [Math.floor(place / state[kind].cols), place % state[kind].cols].map(value => value - edge(kind));
  const isPadding = (kind, place) => {
    const [row, col] = coordinates(kind, place);
    return kind === "input" && image[row]?.[col] === undefined;
  };
  const name = (kind, place) => `${ENDS[kind]}[${coordinates(kind, place).map(minus).join(", ")}]`;
  const value = (kind, place) => state[kind].values[place];
  // The cell that is chosen of a kind; where the grid has become smaller, the nearest.
  const chosen = kind => {
    const { rows, cols } = state[kind], [row, col] = get("_" + kind).map(value => value + edge(kind));
    return clamp(row, 0, Math.max(rows - 1, 0)) * cols + clamp(col, 0, Math.max(cols - 1, 0));
  };
  const pick = (kind, place) => {
    model.set("_" + kind, coordinates(kind, place));
    model.set("_picked", kind);
  };
  // For convolution the kernel is shown as it lies on the image, the first weight last.
  const turned = kind => kind === "weight" && get("operation") === "convolution";
  const turn = (kind, place) => (turned(kind) ? state.weight.values.length - 1 - place : place);

  // Goes through the outputs row by row.
  const save_changes = () => model.save_changes();
  const output = { get: () => chosen("output"), set: (_, place) => pick("output", place), save_changes, on() {} };
  const position = slider(output, "", "position", { low: 0, high: 1 });

  let clock;
  const play = make("button", { hidden: matchMedia("(prefers-reduced-motion: reduce)").matches, ...QUIET }, "Play");
  const last = () => state.output.values.length - 1;
  const stop = () => {
    clearInterval(clock);
    clock = 0;
    play.textContent = "Play";
    save_changes();
  };
  play.onclick = () => {
    if (clock) return stop();
    play.textContent = "Pause";
    pick("output", chosen("output") < last() ? chosen("output") : 0);
    clock = setInterval(() => {
      pick("output", Math.min(chosen("output") + 1, last()));
      if (chosen("output") === last()) stop();
    }, 250);
  };

  const back = make("input", { type: "checkbox", ...QUIET });
  back.onchange = () => {
    model.set("backward", back.checked);
    save_changes();
  };
  const incoming = choice(model, "incoming", "incoming gradient ∂L/∂y", INCOMING);
  const same = values => Object.fromEntries(values.map(value => [value, value]));
  const controls = make("div", { className: "lab-row" },
    choice(model, "kernel", "kernel", same(Object.keys(kernels))), choice(model, "operation", "operation", same(OPERATIONS)),
    ...["stride", "padding", "dilation"].map(name => slider(model, name, name, { low: +(name !== "padding"), high: 3 })));
  const walk = make("div", { className: "lab-row lab-walk" },
    position, play, make("label", {}, back, "backward: gradients of the loss L"), incoming);
  const boards = KINDS.map(kind => board(place => {
    if (clock) stop();
    pick(kind, turn(kind, place));
    save_changes();
  }));
  const row = make("div", { className: "lab-boards" }, ...boards.map(each => each.whole));
  const keys = [["mark", "chosen", "chosen"], ["mark", "linked", "connected with it"], ["outside", "true", "padding"]];
  const legend = make("div", { className: "lab-legend", ariaHidden: "true" },
    ...keys.map(([key, value, text]) => make("span", {}, make("i", { ["data-" + key]: value }), text)));

  // What the paths of the chosen cell carry, in numbers; `gradients` are those at the output, if it is about them.
  const tell = (kind, at, paths, gradients) => {
    const own = name(kind, at), is = `${own} = ${long(value(kind, at))}`, outputs = many(paths.length, "output");
    if (!gradients) {
      if (kind === "weight") return `${is} is shared: it is part of ${outputs}, in each with another input.`;
      if (kind === "input") {
        const ends = paths.map(({ output, weight }) =>
          name("output", output) + " by " + name("weight", weight) + " = " + long(value("weight", weight)));
        return `${is} is part of ${outputs}${ends.length ? ": " : ""}${some(ends, ", ", 9)}.`;
      }
      const terms = paths.map(link => product([value("input", link.input), value("weight", link.weight)]));
      return `${own} = ${some(terms, " + ", 25)} = ${long(value(kind, at))}.`;
    }
    if (kind === "output") {
      const inputs = paths.filter(link => !isPadding("input", link.input)).length;
      return `∂L/∂${own} = ${gradients[at]} goes back to ${many(inputs, "input")}, times the weight, and to ` +
        many(paths.length, "weight") + ", times the input." + (inputs < paths.length ? " What falls on padding is dropped." : "");
    }
    if (isPadding(kind, at)) return `${own} is padding, a constant: it has no gradient.`;
    const other = kind === "input" ? "weight" : "input", live = paths.filter(link => gradients[link.output]);
    const terms = live.map(link => product([gradients[link.output], value(other, link[other])]));
    const total = live.reduce((sum, link) => sum + gradients[link.output] * value(other, link[other]), 0);
    if (!terms[0]) return `∂L/∂${own} = 0, as no output with a gradient is made of it.`;
    return `∂L/∂${own} = ${some(terms, " + ", 25)} = ${long(total)}.`;
  };

  // The shape of the output and how it comes about.
  const shape = () => {
    const { input, weight, output } = state, { stride, padding, dilation } = settings();
    if (!output.rows) {
      const covers = [weight.rows, weight.cols].map(k => dilation * (k - 1) + 1).join(" × ");
      return `The kernel does not fit: it covers ${covers} pixels, the image with its padding has ${input.rows} × ${input.cols}. ` +
        "So there is no output. Take more padding, less dilation or a smaller kernel.";
    }
    const sides = ["rows", "cols"].map(side =>
      `⌊(${input[side] - 2 * padding} + 2·${padding} − ${dilation}·(${weight[side]} − 1) − 1) / ${stride}⌋ + 1 = ${output[side]}`);
    const how = sides[0] === sides[1] ? sides[0] : sides[0] + " rows and " + sides[1] + " columns";
    return `Shape of the output: ${output.rows} × ${output.cols}, as ${how}.`;
  };

  const leave = mount({ model, el }, [controls, walk, row, legend], () => {
    const { links, output } = compute(), fits = output.rows > 0, from = chosen("output");
    const kind = get("_picked"), at = chosen(kind), isBack = get("backward"), d = isBack ? "∂L/∂" : "";
    const gradients = backward(state, output.values.map((_, place) => +(get("incoming") === "ones" || place === from)));
    const paths = links.filter(link => link[kind] === at), numbers = {};

    const { control } = position, shown = fits ? name("output", from) : "none";
    Object.assign(control, { max: Math.max(last(), 0), disabled: !fits, ariaValueText: shown });
    control.value = from;
    position.querySelector("b").textContent = shown;
    play.disabled = !fits;
    back.checked = isBack;
    incoming.hidden = !isBack;

    KINDS.forEach((end, i) => {
      const { rows, cols } = state[end], values = isBack ? gradients[end] : state[end].values, around = 2 * edge(end);
      const top = Math.max(...values.map(Math.abs)) || 1, low = values.some(value => value < 0) ? -top : 0;
      const linked = new Map(end === kind ? [] : paths.map(link => [link[end], link]));
      // Beside a cell that is connected with the chosen one stands what is multiplied on the way.
      const third = KINDS.find(each => each !== end && each !== kind);
      const says = third === "weight" || (isBack && third === "input");
      const cells = values.map((_, i) => {
        const place = turn(end, i), outside = isPadding(end, place), link = linked.get(place);
        const text = isBack && outside ? "" : short(values[place]);
        return {
          text, outside, share: (values[place] - low) / (top - low),
          by: link && says ? "×" + short(value(third, link[third])) : "",
          label: d + name(end, place) + (text && " = " + text) + (outside ? ", padding" : ""),
          mark: link ? "linked" : end === kind && place === at ? "chosen" : "",
        };
      });
      const notes = (around ? `, padded to ${rows} × ${cols}` : "") + (turned(end) ? ", turned" : "");
      const title = (d || ["input ", "kernel ", "output "][i]) + ENDS[end], size = `${rows - around} × ${cols - around}${notes}`;
      boards[i].show({ rows, cols, cells, at: turn(end, chosen(end)), title, size });
      numbers[end] = [...linked.keys()].map(place => coordinates(end, place));
    });
    return [(fits ? tell(kind, at, paths, isBack && gradients.output) + " " : "") + shape(), {
      settings: [get("kernel"), ...Object.values(settings()), isBack, get("incoming")],
      shape: [output.rows, output.cols], output: output.values, incoming: gradients.output,
      dx: gradients.input.filter((_, place) => !isPadding("input", place)), dw: gradients.weight,
      chosen: [kind, ...coordinates(kind, at)], linked: numbers,
    }];
  });
  return () => {
    clearInterval(clock);
    leave();
  };
}

export default { render };
