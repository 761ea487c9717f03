// Clicking [n] opens the abstract it points to; the browser's own link does the scrolling.
// A new question is brought into view, and again when its answer is there. Everything works without this file, only less comfortably.
(() => {
  const cardOf = (mark) => document.getElementById(mark.getAttribute("href").slice(1));

  document.addEventListener("click", (event) => {
    const mark = event.target.closest?.("a.cw-cite");
    const card = mark && cardOf(mark);
    if (!card) return;
    event.preventDefault();
    card.querySelector("details.cw-abstract")?.setAttribute("open", "");
    document.querySelectorAll(".cw-lit").forEach((lit) => lit.classList.remove("cw-lit"));
    card.classList.add("cw-lit");
    const target = card.querySelector(".cw-abstract mark") ?? card;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    target.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  });

  for (const [kind, lit] of [["mouseover", true], ["mouseout", false]]) {
    document.addEventListener(kind, (event) => {
      const mark = event.target.closest?.("a.cw-cite");
      if (mark) cardOf(mark)?.classList.toggle("cw-hover", lit);
    });
  }

  // Not on phones: there the keyboard would cover the page.
  let focused = !matchMedia("(min-width: 861px)").matches;
  let turns = 0;
  let landed = 0;
  const follow = () => {
    const box = document.querySelector("#cw-question textarea");
    if (box && !focused) box.focus({ preventScroll: true });
    focused ||= Boolean(box);
    const all = document.querySelectorAll(".cw-turn");
    const done = document.querySelectorAll("#cw-log .cw-turn").length;
    if (all.length > turns || done > landed) all[all.length - 1].scrollIntoView();
    turns = all.length;
    landed = done;
  };
  new MutationObserver(follow).observe(document, { childList: true, subtree: true });
})();
