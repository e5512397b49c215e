/** Edits one row of a table: a number for each column of the model. */

import { html, useEffect, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { number } from "../lib/format.js";
import { rowFor, samples } from "../lib/samples.js";

const PAUSE_MS = 500; // of typing, before the row counts
const SHOWN = 9; // columns, before the others are asked for

/** @param {{value: object | null, onChange: (input: object) => void, card: object}} props */
export function RowEditor({ value, onChange, card }) {
  const { t, lang } = useWords();
  const [rows, setRows] = useState([]);
  const [edits, setEdits] = useState({});
  const [all, setAll] = useState(false);
  useEffect(() => {
    samples().then((found) => setRows(found.rows), () => setRows([]));
  }, []);
  const commit = () => {
    if (!Object.keys(edits).length) return;
    onChange({ kind: "features", features: { ...shown(value, card), ...edits } });
    setEdits({});
  };
  useEffect(() => {
    if (!Object.keys(edits).length) return undefined;
    const timer = setTimeout(commit, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [edits]);
  if (!card) return null;
  const use = (features) => {
    setEdits({});
    onChange({ kind: "features", features });
  };
  const columns = card.input.features ?? [];
  const row = { ...shown(value, card), ...edits };
  return html`
    <p class="actions">
      <button type="button" onClick=${() => use(rowFor(card, rows))}>${t("row.sample")}</button>
      <button type="button" onClick=${() => use(rowFor(card, []))}>${t("row.mean")}</button>
    </p>
    <div class="row-editor">
      ${columns.slice(0, all ? undefined : SHOWN).map(
        (column) => html`
          <label class="field" key=${column.name}>
            <span>${column.name}${column.unit ? ` (${column.unit})` : ""}</span>
            <input
              type="number"
              step="any"
              value=${row[column.name]}
              title=${t("row.typical", { mean: number(column.mean, lang), std: number(column.std, lang) })}
              onInput=${(event) => {
                const typed = event.target.valueAsNumber;
                if (Number.isFinite(typed)) setEdits({ ...edits, [column.name]: typed });
              }}
              onChange=${commit}
            />
          </label>
        `,
      )}
    </div>
    ${columns.length > SHOWN &&
    html`<button type="button" class="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>
      ${t(all ? "row.fewer" : "row.all", { count: columns.length })}
    </button>`}
  `;
}

function shown(value, card) {
  const means = rowFor(card, []);
  const given = value?.features ?? {};
  return Object.fromEntries(Object.keys(means).map((name) => [name, given[name] ?? means[name]]));
}
