"use strict";
// Shows the questions that fit type, verdict and words; nothing else happens on this page.
// A report of public sets alone has no questions.
const type = document.getElementById("type");
const verdict = document.getElementById("verdict");
const words = document.getElementById("words");
const questions = [...document.querySelectorAll("#questions > details")];

function filter() {
  const wanted = words.value.trim().toLowerCase();
  let count = 0;
  for (const question of questions) {
    const fits =
      (!type.value || question.dataset.type === type.value) &&
      (!verdict.value || question.dataset.verdict.split("|").includes(verdict.value)) &&
      (!wanted || question.textContent.toLowerCase().includes(wanted));
    question.hidden = !fits;
    count += fits;
  }
  document.getElementById("count").textContent = `${count} of ${questions.length}`;
}

if (type) {
  for (const control of [type, verdict, words]) control.addEventListener("input", filter);
  filter();
}
