/** Takes a comparison away: as one picture, as arrays, as a request for a terminal or a program. */

import { fetchPicture } from "../../lib/api.js";
import { compareCurlOf, comparePythonOf } from "../../lib/curl.js";
import { sendFor } from "../../lib/http.js";
import { html, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { zip } from "../../lib/zip.js";
import { CopyAs } from "../../parts/CopyAs.js";
import { ProblemNote } from "../../parts/ProblemNote.js";

const KEPT_MS = 60_000; // an object URL, so that the browser has begun to save it

export function Export({ comparison, names, scale, made }) {
  const { t } = useWords();
  const [state, setState] = useState({ busy: false, problem: null });
  const run = (make) => async () => {
    setState({ busy: true, problem: null });
    try {
      await make();
      setState({ busy: false, problem: null });
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  const sheet = run(async () => {
    const { url } = await fetchPicture(`comparisons/${comparison.id}/sheet.png`, { scale });
    save(url, "comparison.png");
  });
  const arrays = run(async () => save(URL.createObjectURL(await archive(comparison, names)), "comparison.zip"));
  const input = made?.input ?? null;
  if (!comparison.cells.some((cell) => cell.status === "succeeded")) return null;
  return html`
    <h2>${t("export.title")}</h2>
    <p class="actions">
      <button type="button" disabled=${state.busy} onClick=${sheet}>${t("export.sheet")}</button>
      <button type="button" disabled=${state.busy} onClick=${arrays}>${t("export.arrays")}</button>
    </p>
    <p class="hint">${t("export.address")}</p>
    ${state.problem && html`<${ProblemNote} problem=${state.problem} />`}
    ${input &&
    made.request &&
    html`<${CopyAs} curl=${() => compareCurlOf(made.request, input)} python=${() => comparePythonOf(made.request, input)} />`}
  `;
}

/** The array of each cell that has one, and what they are. */
async function archive(comparison, names) {
  const files = [];
  const cells = comparison.cells.map((cell, index) => ({ ...cell, name: names[index], file: null }));
  for (const [index, cell] of cells.entries()) {
    if (cell.status !== "succeeded") continue;
    const headers = { Accept: "application/x-npy" };
    const numbers = await sendFor("arrayBuffer", `jobs/${cell.job}/result`, { headers });
    cell.file = `${String(index + 1).padStart(2, "0")}-${cell.method.name}.npy`;
    files.push({ name: cell.file, data: new Uint8Array(numbers) });
  }
  const manifest = { ...comparison, cells };
  files.push({ name: "manifest.json", data: new TextEncoder().encode(JSON.stringify(manifest, null, 2)) });
  return zip(files);
}

function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
