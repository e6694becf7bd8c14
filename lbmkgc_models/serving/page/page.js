// The page: a question, the entity it is about, its answers and why; all of it stands in the address.

import { NameField, ask, element, picture, post } from "/page/parts.js";

const at = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
const state = { entity: null, relation: null, asks: "tail" };
const fields = {
  head: new NameField(at("head-slot"), "head", "/api/entities", (one) => go({ entity: one.id })),
  relation: new NameField(at("relation-slot"), "relation", "/api/relations", (one) => go({ relation: one.id })),
  tail: new NameField(at("tail-slot"), "tail", "/api/entities", (one) => go({ entity: one.id })),
};
let shown = 0; // counts what is being shown: an answer that comes too late is dropped

function go(changes) {
  const next = { ...state, ...changes };
  const kept = Object.entries(next).filter(([, value]) => value !== null);
  location.hash = new URLSearchParams(kept).toString();
}

function read() {
  const said = new URLSearchParams(location.hash.slice(1));
  const id = (name) => (/^\d+$/.test(said.get(name) ?? "") ? Number(said.get(name)) : null);
  state.entity = id("entity");
  state.relation = id("relation");
  state.asks = said.get("asks") === "head" ? "head" : "tail";
}

async function show() {
  const number = ++shown;
  read();
  const given = state.asks === "tail" ? "head" : "tail";
  for (const name of ["head", "tail"]) fields[name].isAskedFor(name === state.asks);
  try {
    const entity = state.entity === null ? null : await ask(`/api/entities/${state.entity}`);
    if (number !== shown) return;
    fields[given].set(entity);
    fields[state.asks].set(null);
    showEntity(entity);
    at("columns").classList.toggle("asked", entity !== null && state.relation !== null);
    if (entity === null || state.relation === null) {
      const missing = entity === null ? "an entity" : "a relation";
      fields.relation.set(state.relation === null ? null : fields.relation.value);
      at("answers").replaceChildren();
      return say(`Choose ${missing}; the end left open is what is asked for.`);
    }
    const query = { [given]: state.entity, relation: state.relation };
    const asked = { queries: [query], k: Number(at("count").value), new: at("new").checked, type_constrain: at("types").checked };
    const [found] = await post("/api/answers", asked);
    if (number !== shown) return;
    fields.relation.set(found.relation);
    say(found.answers.length ? "" : "There is no such answer.");
    at("answers").classList.toggle("bare", !found.answers.some((one) => one.picture));
    at("answers").replaceChildren(...found.answers.map(answer));
  } catch (error) {
    if (number === shown) {
      at("answers").replaceChildren();
      say(error.message, true);
    }
  }
}

function say(text, wrong = false) {
  at("message").textContent = text;
  at("message").className = wrong ? "error" : "quiet";
}

function showEntity(entity) {
  at("entity").hidden = entity === null;
  if (entity === null) return;
  const gallery = element("div", { className: "gallery" }, ...entity.pictures.map((address) => picture(address, entity.title)));
  at("entity").replaceChildren(...[
    element("h2", {}, entity.title),
    entity.title === entity.name ? null : element("p", { className: "quiet" }, entity.name),
    entity.added ? element("p", {}, element("span", { className: "known" }, "added")) : null,
    entity.pictures.length ? gallery : null,
    entity.text ? element("div", { className: "text", tabIndex: 0 }, entity.text) : null,
    ...chips("What it is the head of", entity.head_of, "tail"),
    ...chips("What it is the tail of", entity.tail_of, "head"),
  ].filter(Boolean));
}

function chips(title, relations, asks) {
  if (!relations.length) return [];
  const buttons = relations.map((one) =>
    element("button", { type: "button", onclick: () => go({ relation: one.id, asks }) }, one.title));
  return [element("h3", {}, title), element("div", { className: "chips" }, ...buttons)];
}

function answer(one, place) {
  const { asks, entity, relation } = state;
  const link = element("a", { href: `#${new URLSearchParams({ entity: one.id, asks })}`, title: one.name }, one.title);
  const button = element("button", { type: "button", className: "why-button", "aria-expanded": "false" }, "Why?");
  const item = element("li", { className: "answer" },
    element("span", { className: "rank" }, String(place + 1)),
    element("div", { className: "frame" }, ...(one.picture ? [picture(one.picture, one.title)] : [])),
    element("div", {}, link, element("p", {}, one.text)),
    element("div", { className: "said" }, ...sure(one), element("span", { className: "score" }, `score ${one.score.toFixed(2)}`), button));
  const triple = { head: asks === "head" ? one.id : entity, relation, tail: asks === "tail" ? one.id : entity };
  button.addEventListener("click", () => toggle(item, button, triple));
  return item;
}

function sure(one) {
  if (one.known) return [element("span", { className: "known", title: `The ${one.known} split has this fact` }, `known (${one.known})`)];
  if (one.probability === null) return [];
  const filled = element("i");
  filled.style.width = `${100 * one.probability}%`;
  const bar = element("span", { className: "bar", "aria-hidden": "true" }, filled);
  const meaning = "Probability that this is right, if the graph lacks an answer";
  return [element("span", { className: "sure", title: meaning }, bar, percent(one.probability))];
}

async function toggle(item, button, triple) {
  const there = item.querySelector(".why");
  button.setAttribute("aria-expanded", String(!there));
  if (there) return there.remove();
  const box = element("div", { className: "why" }, "…");
  item.append(box);
  try {
    box.replaceChildren(...reasons(await ask(`/api/why?${new URLSearchParams(triple)}`)));
  } catch (error) {
    box.replaceChildren(element("p", { className: "error" }, error.message));
  }
}

function reasons(said) {
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  const found = [];
  if (Object.keys(said.parts).length) {
    found.push(element("h3", {}, "What the score would lose without"), table(Object.entries(said.parts), signed));
  }
  for (const [slot, weights] of Object.entries(said.weights)) {
    if (Object.keys(weights).length) found.push(element("h3", {}, `Modalities of the ${slot}`), table(Object.entries(weights), percent));
  }
  if (said.gate !== null) found.push(element("p", {}, `The relation looks at structure by ${percent(said.gate)}.`));
  if (said.facts.length) {
    const items = said.facts.map(({ head, relation, tail, likeness }) =>
      element("li", {}, `${head.title} · ${relation.title} · ${tail.title} (${likeness.toFixed(2)})`));
    found.push(element("h3", {}, "Known facts like it"), element("ul", {}, ...items));
  }
  return found.length ? found : [element("p", {}, "The model says no more than the score.")];
}

function table(rows, shape) {
  const lines = rows.map(([name, value]) =>
    element("tr", {}, element("td", {}, name), element("td", { className: "number" }, shape(value))));
  return element("table", {}, element("tbody", {}, ...lines));
}

async function add(event) {
  event.preventDefault();
  const form = event.target, message = at("add-message"), button = form.querySelector("button");
  const content = new FormData(form);
  if (!content.get("picture")?.size) content.delete("picture");
  button.disabled = true;
  message.className = "quiet";
  message.textContent = "Reading text and picture …";
  try {
    const made = await ask("/api/entities", { method: "POST", body: content });
    message.textContent = `${made.title} was added.`;
    form.reset();
    introduce();
    go({ entity: made.id });
  } catch (error) {
    message.className = "error";
    message.textContent = error.message;
  }
  button.disabled = false;
}

async function introduce() {
  const about = await ask("/api/run");
  const number = (value) => value.toLocaleString("en");
  document.title = at("title").textContent = `${about.model} on ${about.dataset}`;
  const parts = [`${number(about.entities)} entities, ${number(about.relations)} relations`];
  if (about.added) parts.push(`${about.added} added here`);
  if (about.metrics) parts.push(`the right answer is among the first ten for ${percent(about.metrics["hits@10"])} of the test questions`);
  if (!about.facts) parts.push("the run was saved without its facts, so known answers are not marked");
  for (const id of ["new", "types"]) at(id).parentElement.hidden = !about.facts;
  if (!about.probability && about.facts) parts.push(`no probabilities: ${about.no_probability}`);
  at("about").textContent = `${parts.join("; ")}.`;
  at("adding").hidden = !about.takes.length;
  at("add-about").textContent = `It is what its ${about.takes.join(" and ").replace("image", "picture")} say. Nothing is trained, and it is gone when the server ends, unless it was told to keep it.`;
}

at("turn").addEventListener("click", () => go({ asks: state.asks === "tail" ? "head" : "tail" }));
for (const id of ["new", "types", "count"]) at(id).addEventListener("change", show);
at("question").addEventListener("submit", (event) => event.preventDefault());
at("add").addEventListener("submit", add);
addEventListener("hashchange", show);
introduce().catch((error) => say(error.message, true));
show();
