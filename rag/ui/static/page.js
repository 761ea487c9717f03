// A new question is brought into view, and again when its answer is there; the question box has the
// keyboard; light or dark stays as it was chosen. Everything works without this file, only less comfortably.
(() => {
  // Not on phones: there the keyboard would cover the page.
  let focused = !matchMedia("(min-width: 861px)").matches;
  let themed = false;
  let turns = 0;
  let landed = 0;

  const dress = () => {
    const chosen = localStorage.getItem("citewise-theme");
    if (chosen) document.body.classList.toggle("dark", chosen === "dark");
  };

  const follow = () => {
    const field = document.querySelector("#cw-question textarea");
    if (field && !themed) {
      themed = true;
      dress();
    }
    if (field && !focused) field.focus({ preventScroll: true });
    focused ||= Boolean(field);
    const all = document.querySelectorAll(".cw-turn");
    const done = document.querySelectorAll("#cw-log .cw-turn").length;
    if (all.length > turns || done > landed) all[all.length - 1].scrollIntoView();
    turns = all.length;
    landed = done;
  };
  new MutationObserver(follow).observe(document, { childList: true, subtree: true });
})();
