"use strict";
// Shows the briefs whose title and categories hold all the words, whatever their case and accents.

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const words = document.getElementById("words");
const found = document.getElementById("found");
const rows = [...document.querySelectorAll("#list > li")].map((element) => {
  const parts = element.querySelectorAll(".name, .category");
  return { element, text: plain([...parts].map((part) => part.textContent).join(" ")) };
});

function search() {
  const wanted = plain(words.value).split(/\s+/).filter(Boolean);
  for (const row of rows) row.element.hidden = !wanted.every((word) => row.text.includes(word));
  const count = rows.filter((row) => !row.element.hidden).length;
  found.textContent = wanted.length ? `${count} of ${rows.length}` : "";
}

document.querySelector("search").hidden = false;
words.addEventListener("input", search);
search(); // what was typed before is there again when the reader comes back
