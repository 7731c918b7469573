"use strict";
// Lights the wheel as its run goes on: asks for the run's progress, slower while nobody looks.
(() => {
  const wheel = document.getElementById("wheel");
  if (!wheel || !wheel.dataset.progress) return;
  const steps = document.getElementById("steps"), status = document.getElementById("status");
  const often = 1500, patient = 10000;
  let shown = "", at = "";

  function light(lit) {
    const now = new Set(lit.now), done = new Set(lit.done), bad = new Set(lit.bad);
    for (const part of wheel.querySelectorAll("[data-part]")) {
      const name = part.dataset.part;
      part.classList.toggle("done", done.has(name));
      part.classList.toggle("now", now.has(name));
      part.classList.toggle("bad", bad.has(name));
    }
    wheel.classList.toggle("waiting", Boolean(lit.waiting));
  }
  function bring(name) {
    const part = [...wheel.querySelectorAll("[data-part]")].find(
      (one) => one.dataset.part === name && !name.includes(">") && one.querySelector("text"));
    if (!part || wheel.scrollWidth <= wheel.clientWidth) return;
    const box = part.getBoundingClientRect(), frame = wheel.getBoundingClientRect();
    wheel.scrollLeft += box.left - frame.left - (frame.width - box.width) / 2;
  }
  function show(found) {
    light(found);
    if (found.status !== status.textContent) status.textContent = found.status;
    if (found.html !== shown) { steps.innerHTML = shown = found.html; }
    document.getElementById("figures").innerHTML = found.figures;
    if (found.now[0] && found.now[0] !== at) bring(at = found.now[0]);
  }
  async function follow(asked) {
    let found = null;
    try {
      const reply = await fetch(wheel.dataset.progress, {headers: {Accept: "application/json"}});
      found = await reply.json();
      if (!reply.ok) throw new Error(found.detail);
      show(found);
    } catch (error) {
      status.textContent = "The run's progress cannot be read now: " + error.message;
    }
    // A question, and the end, bring a form, a report and figures: the page has them.
    if (found && found.running && found.waiting !== asked) return location.reload();
    if (found && found.running === false) return location.reload();
    setTimeout(() => follow(asked), document.hidden || asked ? patient : often);
  }

  const first = JSON.parse(wheel.dataset.lit);
  first.waiting = wheel.dataset.waiting === "yes";
  light(first);
  const last = first.now[0] || first.done.filter((name) => !name.includes(">")).pop();
  if (last) bring(last);
  wheel.addEventListener("click", (event) => {
    const part = event.target.closest("[data-part]");
    if (!part) return;
    const name = part.dataset.part.split(">").pop();
    const found = [...steps.querySelectorAll("[data-state]")].filter(
      (one) => one.dataset.state === name);
    if (!found.length) return;
    const chosen = found[found.length - 1];
    for (const one of steps.querySelectorAll(".chosen")) one.classList.remove("chosen");
    chosen.classList.add("chosen");
    chosen.scrollIntoView({block: "center"});
  });
  if (wheel.dataset.running === "yes")
    setTimeout(() => follow(first.waiting), first.waiting ? patient : often);
})();
