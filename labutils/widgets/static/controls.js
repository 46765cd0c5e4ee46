// Labelled controls, each tied to a trait.

// A labelled native range tied to a trait. With `log` it moves by decades, and three digits are both shown and used;
// `say` turns its value into what is shown.
// Every move is sent at once: the kernel's answer to an earlier one would set back what has not been sent.
function slider(model, trait, label, { low, high, step = 1, log, say = tidy }) {
  const scale = log ? Math.log10 : Number;
  const shown = make("b", { ariaHidden: "true" });
  const input = make("input", { type: "range", min: scale(low), max: scale(high), step, ariaLabel: label, ...QUIET });
  const show = () => {
    input.value = scale(model.get(trait));
    input.ariaValueText = shown.textContent = say(model.get(trait));
  };
  input.oninput = () => {
    model.set(trait, log ? +(10 ** input.value).toPrecision(3) : +input.value);
    model.save_changes();
  };
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
