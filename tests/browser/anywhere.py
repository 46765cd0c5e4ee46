"""A widget in an empty page, as an exported notebook shows it: without JupyterLab and without a kernel."""

from base64 import b64encode

from playwright.sync_api import Locator, Page, expect

from labutils.widgets.base import LabWidget

# The module of a widget, and a model with the few methods that anywidget promises. Bytes come as base 64.
ANYWHERE = """async ([code, state, bytes]) => {
  for (const [name, text] of Object.entries(bytes)) {
    state[name] = new DataView(Uint8Array.from(atob(text), letter => letter.charCodeAt()).buffer);
  }
  const callbacks = [], changed = name => callbacks.filter(([event]) => ["change", "change:" + name].includes(event));
  const model = {
    get: name => state[name],
    set: (name, value) => {
      if (state[name] === value) return;
      state[name] = value;
      changed(name).forEach(([, callback]) => callback());
    },
    on: (event, callback) => callbacks.push([event, callback]),
    save_changes: () => {},
  };
  const module = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  document.body.replaceChildren();
  module.default.render({ model, el: document.body });
}"""


def shown_anywhere(page: Page, widget: LabWidget) -> Locator:
    state = {name: value for name, value in widget.get_state().items() if name != "layout"}
    packed = {name: b64encode(value).decode() for name, value in state.items() if isinstance(value, bytes | memoryview)}
    page.goto("about:blank")
    page.evaluate(ANYWHERE, [state["_esm"], {name: state[name] for name in state if name not in packed}, packed])
    expect(page.locator("[role=status]")).not_to_be_empty()
    return page.locator(".lab")
