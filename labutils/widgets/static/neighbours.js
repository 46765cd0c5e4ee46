// Images to choose from, and the nearest neighbours of the chosen one, which labutils/widgets/neighbours.py found. Before this
// file stands CIVIDIS, ten colours.

function render({ model, el }) {
  const get = name => model.get(name), labels = get("_labels"), [count, rows, cols, k] = get("_shape");
  const bytes = (name, Kind) => new Kind(get(name).buffer, get(name).byteOffset, get(name).byteLength);
  const shades = bytes("_shades", Uint8Array), indices = bytes("_indices", Uint8Array);
  const similarities = bytes("_similarities", Int8Array);

  const picture = image => {
    const drawn = make("canvas", { width: cols, height: rows, ariaHidden: "true" }), data = new ImageData(cols, rows);
    for (let i = 0; i < rows * cols; i++) {
      const pixel = image * rows * cols + i, place = (((shades[pixel >> 1] >> (4 * (pixel & 1))) & 15) / 15) * 9;
      const from = Math.min(Math.floor(place), 8);
      CIVIDIS[from].forEach((low, c) => (data.data[4 * i + c] = low + (place - from) * (CIVIDIS[from + 1][c] - low)));
      data.data[4 * i + 3] = 255;
    }
    drawn.getContext("2d").putImageData(data, 0, 0);
    return drawn;
  };
  // What one space says of one image.
  const around = (space, image) => Array.from({ length: k }, (_, i) => {
    const place = (space * count + image) * k + i, index = indices[place];
    return { index, similarity: similarities[place] / 100, agrees: labels[index] === labels[image] };
  });
  const agreeing = found => found.filter(one => one.agrees).length;

  const buttons = labels.map((label, image) => make("button", {
    type: "button", ariaLabel: `image ${image}, labelled ${label}`, ...QUIET,
    onclick() {
      model.set("chosen", image);
      model.save_changes();
    },
  }, picture(image), label));
  const shown = make("div", { className: "lab-shown" });
  const found = get("_spaces").map((name, space) => {
    const all = labels.map((_, image) => agreeing(around(space, image))).reduce((sum, one) => sum + one, 0);
    const share = `over all images: ${Math.round((100 * all) / (count * k))} %`;
    const score = make("span"), list = make("div", { className: "lab-found", role: "list" });
    return { name, space, share, score, list, whole: make("div", {}, make("b", {}, name), score, list) };
  });
  const results = make("div", { className: "lab-results" }, shown, ...found.map(each => each.whole));
  const grid = make("div", { className: "lab-images", role: "group", ariaLabel: "images to choose from" }, ...buttons);
  const row = make("div", { className: "lab-row" }, results, grid);

  return mount({ model, el }, [row], () => {
    const chosen = get("chosen"), own = labels[chosen];
    buttons.forEach((button, image) => (button.ariaPressed = String(image === chosen)));
    const title = make("b", {}, `image ${chosen}, labelled ${own}`);
    const below = make("span", {}, "Its neighbours, the nearest first, with their cosine similarity");
    shown.replaceChildren(picture(chosen), make("div", {}, title, below));
    const numbers = found.map(({ name, space, share, score, list }) => {
      const nearest = around(space, chosen), agree = agreeing(nearest);
      score.textContent = `${agree} of ${k} with the same label; ${share}`;
      list.replaceChildren(...nearest.map(({ index, similarity, agrees }) => {
        const label = make("b", {}, (agrees ? "✓ " : "✗ ") + labels[index]);
        const said = `image ${index}, labelled ${labels[index]}, ${agrees ? "same" : "other"} label, similarity ${similarity}`;
        const properties = { role: "listitem", ariaLabel: said, "data-agrees": agrees };
        return make("div", properties, picture(index), label, similarity.toFixed(2));
      }));
      return { name, agree, nearest };
    });
    const told = numbers.map(({ name, agree }) => `${name} ${agree} of ${k}`).join(", ");
    return [`Image ${chosen} is labelled ${own}. Neighbours with the same label: ${told}.`, { chosen, spaces: numbers }];
  });
}

export default { render };
