// Loss curves to be diagnosed; nothing needs a kernel. labutils/widgets/clinic.py puts CURVES, RUNS and DIAGNOSES, each a list
// of rows, before this text.

const CASES = RUNS.map(([diagnosis, settings, seen, done], number) =>
  ({ number, diagnosis, settings, seen, done, curves: CURVES[number].map(unfold) }));

// The losses of a curve. Each letter is a step of the loss, in hundredths, from 0 or from the epoch before; from # on they
// stand for 0, -1, 1, -2, 2, …
function unfold(letters) {
  let sum = 0;
  return [...letters].map(letter => {
    const place = letter.charCodeAt() - 35;
    sum += place % 2 ? -(place + 1) / 2 : place / 2;
    return sum / 100;
  });
}

// A few readings of a curve for those who do not see it: the first, the last and five between, with their epochs.
function readings(losses) {
  const last = losses.length - 1;
  return Array.from({ length: 7 }, (_, i) => losses[Math.round((i * last) / 6)].toFixed(2)).join(", ");
}

function render({ model, el }) {
  const picture = canvas("Training and validation loss against epoch");
  const heading = make("b"), score = make("span", { style: "margin-left: auto" });
  const feedback = make("div", { ariaLive: "polite", className: "lab-feedback" });
  const button = (text, onclick, properties = {}) => make("button", { type: "button", onclick, ...properties, ...QUIET }, text);

  const current = () => CASES[model.get("_order")[model.get("case")]];
  const picked = ({ number }) => model.get("picks")[number] ?? [];
  const solved = run => picked(run).includes(run.diagnosis);
  // What was pressed last; before that, and after a reload, what was picked last.
  let pressed;

  const pick = diagnosis => {
    const run = current();
    pressed = diagnosis;
    if (picked(run).includes(diagnosis)) return model.trigger("change");
    model.set("picks", { ...model.get("picks"), [run.number]: [...picked(run), diagnosis] });
    model.save_changes();
  };
  const go = by => {
    pressed = undefined;
    model.set("case", (model.get("case") + by + CASES.length) % CASES.length);
    model.save_changes();
  };

  const answers = DIAGNOSES.map(([name]) => button(name, () => pick(name)));
  const question = make("fieldset", { className: "lab-answers" }, make("legend", {}, "What happened here?"), ...answers);
  const bar = make("div", { className: "lab-bar" },
    button("‹", () => go(-1), { ariaLabel: "previous case" }), heading, button("›", () => go(1), { ariaLabel: "next case" }), score);
  const legend = make("div", { className: "lab-legend" }, ...["training", "validation"].map((name, i) => make("span", {}, sample(LINES[i]), name)));
  const plot = make("div", { className: "lab-plot", style: "flex-grow: 2.4" }, picture, legend);
  const row = make("div", { className: "lab-row", style: "align-items: start" }, plot, question);

  return mount({ model, el }, [bar, row, feedback], () => {
    const run = current(), { diagnosis, curves } = run, [train, validation] = curves, epochs = train.length;
    const place = `Case ${model.get("case") + 1} of ${CASES.length}`, done = CASES.filter(solved);
    heading.textContent = place;
    score.textContent = `solved: ${done.length}, at first try: ${done.filter(each => picked(each)[0] === each.diagnosis).length}`;

    const roof = 1.05 * Math.max(...train, ...validation);
    const chart = axes(picture, { x: [1, epochs], y: [0, roof], ratio: picture.clientWidth < 360 ? 0.9 : 0.62, title: "Loss", xLabel: "epoch", yLabel: "loss (nats)" });
    curves.forEach((losses, i) => chart.line(losses.map((loss, epoch) => [epoch + 1, loss]), LINES[i]));

    const last = pressed ?? picked(run).at(-1), right = last === diagnosis;
    DIAGNOSES.forEach(([answer], i) => {
      const mark = !picked(run).includes(answer) ? "" : answer === diagnosis ? "✓ " : "✗ ";
      answers[i].textContent = mark + answer;
      answers[i].ariaPressed = String(answer === last);
    });
    say(feedback, last, right, run);

    const summary = `${place}, ${epochs} epochs. From first to last, training loss ${readings(train)}; validation loss ${readings(validation)}.`;
    return [summary, { train, validation, verdict: last && (right ? "right" : "wrong") }];
  });
}

// Tells whether `pick` fits and why. Words that stand there already are left alone, or they would be spoken again.
function say(feedback, pick, right, { diagnosis, seen, done, settings }) {
  const [, sign, cure] = DIAGNOSES.find(([name]) => name === pick) ?? [];
  const parts = !pick ? [["", "Pick a diagnosis. You are told at once whether it fits, and why."]]
    : right ? [[`Right: ${diagnosis}.`, seen], ["What was done:", done], ["What helps:", cure], ["Settings:", settings + "."]]
    : [[`Not ${pick}.`, sign], ["But here:", seen]];
  const lines = parts.map(([title, text]) => make("p", {}, make("b", {}, title), " " + text));
  if (lines.map(line => line.textContent).join("") === feedback.textContent) return;
  feedback.dataset.verdict = pick ? (right ? "right" : "wrong") : "none";
  feedback.replaceChildren(...lines);
}

export default { render };
