// What every widget shares: elements and a spoken summary. Before this file stands the text of the style sheets as STYLES,
// after it charts.js and controls.js, where they are needed, and the widget's own file, which ends with
// `export default { render }`.

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

const canvas = label => make("canvas", { role: "img", ariaLabel: label });

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
