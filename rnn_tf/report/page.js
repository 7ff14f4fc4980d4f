"use strict";
// A click on a column's head sorts by it, a second one the other way round.
// Numbers go by their value, empty cells to the end.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const key = (row) => {
      const text = row.cells[column].textContent.trim();
      const { number } = row.cells[column].dataset;
      return number === "" ? text.replaceAll(",", "") : number ?? text;
    };
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      return sign * (isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y);
    };
    body.append(...[...body.rows].sort(compare));
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
  }));
}
// Two choices show the answers of one verdict, of one family, or both; so does a link to
// a verdict. A link to an answer that they hide shows all again.
const filter = document.querySelector(".filter");
if (filter) {
  const choices = [...filter.querySelectorAll("select")];
  const rows = [...document.querySelectorAll(".answers tr[data-verdict]")];
  const show = () => {
    const [family, verdict] = choices.map((choice) => choice.value);
    for (const row of rows) {
      const fits = (chosen, own) => chosen === "" || chosen === own;
      row.hidden = !(fits(family, row.dataset.family) && fits(verdict, row.dataset.verdict));
    }
    for (const body of document.querySelectorAll(".answers tbody")) {
      body.hidden = [...body.querySelectorAll("tr[data-verdict]")].every((row) => row.hidden);
    }
    const count = rows.filter((row) => !row.hidden).length;
    filter.querySelector("output").textContent = `${count} of ${rows.length} claims`;
  };
  const choose = (family, verdict) => {
    [choices[0].value, choices[1].value] = [family, verdict];
    show();
  };
  const reveal = () => {
    const row = rows.find((row) => "#" + row.id === location.hash);
    if (!row?.hidden) return;
    choose("", "");
    row.scrollIntoView();
  };
  choices.forEach((choice) => choice.addEventListener("change", show));
  for (const link of document.querySelectorAll("a[data-verdict]")) {
    link.addEventListener("click", () => choose("", link.dataset.verdict));
  }
  window.addEventListener("hashchange", reveal);
  filter.hidden = false;
  show();
}
// On paper the folded runs are open.
let folded = [];
window.addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details.runs:not([open])")];
  folded.forEach((one) => { one.open = true; });
});
window.addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));
