// Parts of the page that know nothing of each other: requests, elements, a field that finds names.

export async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The server does not answer.");
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.detail || `The server says ${answer.status}.`);
  return content;
}

export function post(address, content) {
  const headers = { "Content-Type": "application/json" };
  return ask(address, { method: "POST", headers, body: JSON.stringify(content) });
}

// Text is always set as text: names and descriptions are nobody's markup.
export function element(kind, values = {}, ...children) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(values)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function picture(address, title) {
  return element("img", { src: address, alt: `Picture of ${title}`, loading: "lazy" });
}

// A field under which the names that fit what is typed are listed.
export class NameField {
  constructor(slot, id, address, chosen) {
    this.address = address;
    this.chosen = chosen;
    this.value = null;
    this.found = [];
    this.at = -1;
    this.asked = 0;
    this.list = element("ul", { className: "choices", id: `${id}-choices`, role: "listbox", hidden: true });
    this.input = element("input", {
      id, placeholder: "type a name", role: "combobox", spellcheck: false,
      "aria-controls": this.list.id, "aria-expanded": "false", "aria-autocomplete": "list",
    });
    this.open = element("span", { className: "open", hidden: true }, "?");
    slot.append(this.input, this.open, this.list);
    this.input.addEventListener("input", () => this.find());
    this.input.addEventListener("focus", () => { this.input.select(); this.find(""); });
    this.input.addEventListener("blur", () => this.leave());
    this.input.addEventListener("keydown", (event) => this.key(event));
  }

  isAskedFor(yes) {
    this.input.hidden = yes;
    this.open.hidden = !yes;
  }

  set(value) {
    this.value = value;
    this.input.value = value ? value.title : "";
    this.close();
  }

  async find(typed = this.input.value) {
    const number = ++this.asked;
    try {
      const found = await ask(`${this.address}?k=20&q=${encodeURIComponent(typed)}`);
      if (number === this.asked && document.activeElement === this.input) this.show(found);
    } catch {
      this.close();
    }
  }

  show(found) {
    this.found = found;
    this.at = found.length ? 0 : -1;
    this.list.replaceChildren(...found.map((one, place) => {
      const more = one.title === one.name ? null : element("span", { className: "quiet" }, one.name);
      const small = one.picture ? picture(one.picture, one.title) : null;
      const item = element("li", { role: "option", id: `${this.list.id}-${place}` }, ...[small, one.title, more].filter(Boolean));
      // Before the field loses the focus.
      item.addEventListener("mousedown", (event) => { event.preventDefault(); this.choose(one); });
      return item;
    }));
    this.list.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((item, place) => {
      item.setAttribute("aria-selected", String(place === this.at));
      if (place === this.at) item.scrollIntoView({ block: "nearest" });
    });
    if (this.at >= 0) this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.at}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found.length) {
      event.preventDefault();
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!this.list.hidden && this.at >= 0) this.choose(this.found[this.at]);
    } else if (event.key === "Escape") {
      this.leave();
    }
  }

  choose(one) {
    this.set(one);
    this.input.blur();
    this.chosen(one);
  }

  leave() {
    this.set(this.value);
  }

  close() {
    this.asked++;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
  }
}
