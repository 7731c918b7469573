"""The script and the style of the form that asks a model, in the endpoint's page and the console.

It reads a JSON element `setup`: `sent_as` and `examples` (of `form_fields`), the addresses
`predict` and `explain`, `headers`, `target` and, for a command to copy, `credentials` of curl.
Checkboxes say whether it asks while one types (`live`) and for what drove the answer (`explain`).
"""

STYLE = """
#form { display:grid; grid-template-columns:repeat(auto-fill,minmax(min(100%,13rem),1fr));
  gap:.8rem 1rem; align-items:start; }
#form .field { min-width:0; } #form label { font-weight:600; overflow-wrap:anywhere; }
#form .field label { display:block; }
#form input:not([type=checkbox]), #form select, #form textarea { width:100%;
  box-sizing:border-box; font:inherit; padding:.35rem .5rem; border:1px solid var(--edge);
  border-radius:.3rem; background:var(--paper); color:var(--ink); min-height:2.4rem; }
#form small { display:block; color:var(--soft); overflow-wrap:anywhere; }
#form .another { margin-top:.3rem; } #form .asking { align-self:end; }
.check { font-weight:400 !important; }
.examples { display:flex; flex-wrap:wrap; gap:.5rem; align-items:center; margin:.6rem 0; }
#answer .said { font-size:1.35rem; font-weight:600; margin:.2rem 0; overflow-wrap:anywhere; }
#answer .warnings { border-left:4px solid var(--wait); padding-left:1.6rem; }
#answer .failed { color:var(--bad); overflow-wrap:anywhere; }
#answer table { border-collapse:collapse; width:100%; font-size:.9rem; }
#answer th, #answer td { text-align:left; padding:.2rem .8rem .2rem 0; overflow-wrap:anywhere; }
#answer td.bar { width:40%; } #answer td.bar i { display:block; height:.7rem; min-width:1px;
  border-radius:2px; background:var(--c0); } #answer td.bar i.down { background:var(--c1); }
#answer pre { white-space:pre-wrap; overflow-wrap:anywhere; }
"""

SCRIPT = r"""
"use strict";
(() => {
  const setup = JSON.parse(document.getElementById("setup").textContent);
  const form = document.getElementById("form"), answer = document.getElementById("answer");
  const live = document.getElementById("live"), explain = document.getElementById("explain");
  const pause = 500;
  let waiting = null, sending = null;

  function make(tag, text, kind) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }
  function another(control) {
    const other = control.nextElementSibling;
    return other && other.classList.contains("another") ? other : null;
  }
  function isAnother(control) {
    return control.selectedOptions && control.selectedOptions.length === 1 &&
      "another" in control.selectedOptions[0].dataset;
  }
  function textOf(control) {
    return (isAnother(control) ? another(control) : control).value.trim();
  }
  function row() {
    const values = Object.create(null);
    for (const control of form.querySelectorAll("[name]")) {
      const text = textOf(control), kind = setup.sent_as[control.name];
      if (text === "") continue;
      if (kind === "number" && Number.isFinite(Number(text))) values[control.name] = Number(text);
      else if (kind === "boolean" && (text === "true" || text === "false"))
        values[control.name] = text === "true";
      else values[control.name] = text;
    }
    return values;
  }
  const body = () => JSON.stringify({rows: [row()]});

  function fill(example) {
    for (const control of form.querySelectorAll("[name]")) {
      const text = example[control.name] || "", other = another(control);
      control.value = text;
      if (!other) continue;
      const known = [...control.options].some((one) => one.value === text &&
        !("another" in one.dataset));
      other.value = known ? "" : text;
      if (!known) control.selectedIndex = control.options.length - 1;
      other.hidden = known;
    }
    changed();
  }

  const percent = (share) => share > 0.999 && share < 1 ? ">99.9%" : share > 0 && share < 0.001 ?
    "<0.1%" : (100 * share).toFixed(share > 0.1 && share < 0.9 ? 0 : 1) + "%";
  const plain = (value) => typeof value === "object" && value !== null ?
    JSON.stringify(value) : String(value);
  function said(one) {
    const words = [setup.target + ": " + plain(one.prediction)];
    if (typeof one.probability === "number") words.push("probability " + percent(one.probability));
    const range = one.interval;
    if (range && typeof range === "object") {
      const ends = Array.isArray(range) ? range : [range.low, range.high];
      words.push(ends.map(plain).join(" to "));
    }
    return words.join(", ");
  }
  function sentence(warning) {
    if (typeof warning === "string") return warning;
    const told = warning.message || warning.warning || warning.detail || plain(warning);
    return warning.field && !told.includes(warning.field) ? warning.field + ": " + told : told;
  }
  function bars(title, pairs, shown) {
    const most = Math.max(...pairs.map((pair) => Math.abs(pair[1])), 1e-12);
    const table = make("table"), caption = make("caption", title, "soft");
    table.append(caption);
    for (const [name, value] of pairs) {
      const line = make("tr"), bar = make("td", undefined, "bar");
      const name_cell = make("th", name), mark = make("i", undefined, value < 0 ? "down" : "");
      name_cell.scope = "row";
      mark.style.width = 100 * Math.abs(value) / most + "%";
      bar.append(mark);
      line.append(name_cell, bar, make("td", shown(value)));
      table.append(line);
    }
    return table;
  }
  const signed = (value) => (value > 0 ? "+" : "") + Number(value.toPrecision(3));
  function contributions(found) {
    const listed = found.contributions || found.features || found.fields || found;
    const pairs = Array.isArray(listed) ?
      listed.map((one) => [one.field || one.feature || one.name,
        one.contribution ?? one.effect ?? one.value]) : Object.entries(listed);
    const told = pairs.filter((pair) => typeof pair[1] === "number");
    return told.sort((one, other) => Math.abs(other[1]) - Math.abs(one[1])).slice(0, 10);
  }
  function show(given) {
    const one = (given.predictions || [{}])[0], status = make("p", said(one), "said");
    const parts = [status];
    const warnings = [...(given.warnings || []), ...(one.warnings || [])];
    if (given.ignored) warnings.push("not used by the model: " + given.ignored.join(", "));
    if (warnings.length) {
      const list = make("ul", undefined, "warnings");
      for (const warning of warnings) list.append(make("li", sentence(warning)));
      parts.push(list);
    }
    if (one.probabilities && typeof one.probabilities === "object")
      parts.push(bars("Probabilities", Object.entries(one.probabilities), percent));
    const why = one.explanation || (given.explanations || [])[0];
    const told = why ? contributions(why) : [];
    if (told.length) parts.push(bars("What drove the answer", told, signed));
    const all = make("details");
    all.append(make("summary", "The whole answer"),
      make("pre", JSON.stringify(given, null, 2)));
    answer.replaceChildren(...parts, all);
  }
  function fail(text) { answer.replaceChildren(make("p", text, "failed")); }
  function detail(text) {
    try {
      const found = JSON.parse(text);
      return found.detail || found.message || found.error || text;
    } catch { return text; }
  }

  async function ask() {
    clearTimeout(waiting);
    if (sending) sending.abort();
    const mine = sending = new AbortController();
    answer.setAttribute("aria-busy", "true");
    try {
      const send = (address) => fetch(address, {method: "POST", body: body(), signal: mine.signal,
        headers: {"Content-Type": "application/json", ...setup.headers}});
      const explained = explain && explain.checked;
      let reply = await send(explained ? setup.explain : setup.predict), text = await reply.text();
      if (explained && reply.status === 422 && text.includes("explain")) {  // not of this model
        explain.checked = false;
        reply = await send(setup.predict);
        text = await reply.text();
      }
      if (reply.ok) show(JSON.parse(text)); else fail(detail(text) + " (" + reply.status + ")");
    } catch (error) {
      if (mine.signal.aborted) return;
      fail("no answer: " + error);
    }
    answer.setAttribute("aria-busy", "false");
  }
  function changed() {
    const command = document.getElementById("curl");
    if (command) {
      const url = new URL(setup.predict, location.href).href;
      command.textContent = "curl " + setup.credentials +
        " -H 'Content-Type: application/json' -d '" +
        body().replaceAll("'", "'\\''") + "' " + url;
    }
    clearTimeout(waiting);
    if (live && live.checked) waiting = setTimeout(ask, pause);
  }
  form.addEventListener("input", (event) => {
    const other = another(event.target);
    if (other) other.hidden = !isAnother(event.target);
    changed();
  });
  if (explain) explain.addEventListener("change", changed);
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  for (const button of document.querySelectorAll("[data-example]"))
    button.addEventListener("click", () => fill(setup.examples[Number(button.dataset.example)]));
  changed();
})();
"""
