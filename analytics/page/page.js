// SPDX-License-Identifier: Apache-2.0
// Tables sort by their columns: a click, or Enter or Space, on a heading; once more turns it round. What was not
// seen stays last. Without this script all of the page reads the same. Whoever puts new tables into the document
// dispatches "mailtap:updated" on the element that holds them; an order that was asked for is kept by table.
"use strict";
(() => {
  const orders = new Map(); // id of a table: column, and whether the greatest comes first

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell || cell.querySelector(".unseen")) return null;
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };

  const compare = (one, other) =>
    typeof one === "number" && typeof other === "number"
      ? one - other
      : String(one).localeCompare(String(other), "en", { numeric: true });

  const sort = (table, column, descending) => {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [valueOf(row, column), row]);
    rows.sort(([one], [other]) => {
      if (one === null || other === null) return (one === null) - (other === null);
      return descending ? compare(other, one) : compare(one, other);
    });
    body.append(...rows.map(([, row]) => row));
    Array.from(table.tHead.rows[0].cells).forEach((cell, index) => {
      if (index === column) cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    orders.set(table.id, [column, descending]);
  };

  const prepare = (table) => {
    Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const sorted = cell.getAttribute("aria-sort");
        const numbers = !cell.classList.contains("text");
        sort(table, column, sorted ? sorted === "ascending" : numbers);
      });
    });
    const order = orders.get(table.id);
    if (order) sort(table, ...order);
  };

  const prepareAll = (root) =>
    root.querySelectorAll("table.sortable:not([data-ready])").forEach((table) => {
      table.dataset.ready = "";
      prepare(table);
    });

  prepareAll(document);
  document.addEventListener("mailtap:updated", (event) => prepareAll(event.target));
})();
