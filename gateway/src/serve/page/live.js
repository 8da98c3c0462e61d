// Puts events in front of the last hour's as they arrive. Without this script the page shows what was there when it was made.
"use strict";
const table = document.querySelector("[data-live]");
if (table) {
  const body = table.querySelector("tbody");
  const said = document.getElementById("live");
  const events = new EventSource(table.dataset.live);
  events.onopen = () => { said.textContent = "Events appear here as they arrive."; };
  events.onerror = () => { said.textContent = "The server can't be reached: what arrives is not shown."; };
  events.onmessage = (message) => {
    const event = JSON.parse(message.data);
    const words = Object.entries(event.attributes).map(([key, word]) => `${key}=${word}`).join(" ");
    const row = document.createElement("tr");
    const arrived = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    for (const text of [arrived, event.time, event.event, words, event.version, event.system]) {
      row.appendChild(document.createElement("td")).textContent = text;
    }
    body.prepend(row);
    while (body.rows.length > 200) body.rows[200].remove();
  };
}
