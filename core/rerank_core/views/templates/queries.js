// Search and sort of the table of queries. Without it the table stands as it is.
for (const box of document.querySelectorAll(".queries")) {
  const body = box.querySelector("tbody"), rows = [...body.rows];
  const find = box.querySelector(".find"), told = box.querySelector(".told");
  find.hidden = false;
  find.querySelector("input").addEventListener("input", event => {
    const words = event.target.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of rows) {
      const text = row.cells[0].textContent.toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
      shown += !row.hidden;
    }
    told.textContent = `${shown} of ${rows.length} queries`;
  });
  box.querySelectorAll("thead th").forEach((th, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...th.childNodes);
    th.append(button);
    button.addEventListener("click", () => {
      const up = th.ariaSort !== "ascending";
      box.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"));
      th.ariaSort = up ? "ascending" : "descending";
      const key = row => at ? Number(row.cells[at].dataset.value) : row.cells[0].textContent;
      const order = (a, b) => at ? key(a) - key(b) : key(a).localeCompare(key(b));
      body.append(...rows.sort((a, b) => (up ? 1 : -1) * order(a, b)));
    });
  });
}
