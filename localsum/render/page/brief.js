"use strict";
// Lights up a claim and its evidence together: while the pointer is over one of them, while the keyboard is in it, and
// for as long as the address names it. Beside each other, the other column scrolls to it. The links work without this.

const beside = matchMedia("screen and (min-width: 64rem)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let pinned = null; // the element that the address names
let waiting = 0;

document.documentElement.classList.add("live");

const marksOf = (claim) => [...document.querySelectorAll(`mark[data-claims~="${claim.id}"]`)];
const piecesOf = (mark) => [...document.querySelectorAll(`mark[data-evidence="${mark.dataset.evidence}"]`)];
const partOf = (element) => element?.closest(".claim, mark") ?? null;

// The claims and marks that belong to a claim or a mark. Those that it lies in belong to a mark as well.
function related(part) {
  if (part.matches(".claim")) return [part, ...marksOf(part)];
  const all = [];
  for (let mark = part; mark; mark = mark.parentElement.closest("mark")) {
    all.push(...piecesOf(mark), ...mark.dataset.claims.split(" ").map((id) => document.getElementById(id)));
  }
  return all;
}

function light(part) {
  for (const old of document.querySelectorAll(".lit")) old.classList.remove("lit");
  for (const element of part ? related(part) : []) element.classList.add("lit");
}

// Scrolls the element's column until it can be seen; a column that shows it already stays where it is.
function reveal(element) {
  const column = element.closest(".column");
  const view = column.getBoundingClientRect();
  const box = element.getBoundingClientRect();
  if (box.top >= view.top + 24 && Math.min(box.bottom, box.top + view.height / 2) <= view.bottom - 24) return;
  const top = column.scrollTop + box.top - view.top - view.height / 3;
  column.scrollTo({ top, behavior: calm.matches ? "auto" : "smooth" });
}

function show(part, link) {
  light(part ?? pinned);
  if (!part || !beside.matches) return;
  const linked = link?.hash && document.getElementById(link.hash.slice(1));
  const other = linked || related(part).find((element) => element.closest(".column") !== part.closest(".column"));
  if (other) reveal(other);
}

function follow() {
  const named = location.hash && document.getElementById(location.hash.slice(1));
  pinned = partOf(named || null);
  light(pinned);
  const claim = pinned && related(pinned).find((element) => element.matches(".claim"));
  document.getElementById("return").href = claim ? `#${claim.id}` : "#brief";
}

// A pointer that only passes by changes nothing.
document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return;
  clearTimeout(waiting);
  waiting = setTimeout(() => show(partOf(event.target)), 120);
});
document.documentElement.addEventListener("pointerleave", () => {
  clearTimeout(waiting);
  light(pinned);
});
document.addEventListener("focusin", (event) => show(partOf(event.target), event.target.closest("a")));
// A click or a tap on a claim or a mark follows its first link.
document.addEventListener("click", (event) => {
  const part = partOf(event.target);
  if (!part || event.target.closest("a") || String(getSelection())) return;
  (part.matches("mark") ? piecesOf(part)[0] : part).querySelector("a[href^='#']").click();
});
addEventListener("hashchange", follow);
follow();
