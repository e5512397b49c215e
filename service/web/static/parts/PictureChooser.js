/** Takes a picture by drop, paste, choice or as the sample, and says why a file cannot be used. */

import { html, useCallback, useEffect, useRef, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { fileOf, readPicture, TYPES, WrongFile } from "../lib/picture.js";
import { samplePicture, THUMBNAIL } from "../lib/samples.js";

/** @param {{value: object | null, onChange: (input: object) => void, small?: boolean}} props */
export function PictureChooser({ value, onChange, small = false }) {
  const { t } = useWords();
  const { take, wrong } = useTaking(onChange);
  const dragging = useDropAnywhere((transfer) => take(() => readPicture(fileOf(transfer))));
  const choose = (event) => {
    const [file] = event.target.files;
    event.target.value = ""; // so that the same file may be chosen again
    if (file) take(() => readPicture(file));
  };
  return html`
    <div class=${`drop-zone${dragging ? " is-target" : ""}${value || small ? " is-small" : ""}`}>
      <label class="drop-choose">
        <input type="file" class="visually-hidden" accept=${TYPES.join(",")} onChange=${choose} />
        <span class="button">${t(value || small ? "picture.other" : "picture.choose")}</span>
      </label>
      <p class="hint">${t("picture.hint")}</p>
      <button type="button" class="sample" onClick=${() => take(samplePicture)}>
        <img src=${THUMBNAIL} alt="" width="72" height="48" />
        <span>${t("picture.sample")}</span>
      </button>
    </div>
    ${wrong && html`<p class="problem" role="alert">${t(wrong.key, wrong.params)}</p>`}
  `;
}

/** Reads one picture after the other; only the last one that was asked for counts. */
function useTaking(onChange) {
  const [wrong, setWrong] = useState(null);
  const turn = useRef(0);
  const take = useCallback(async (read) => {
    const mine = (turn.current += 1);
    try {
      const input = await read();
      if (mine !== turn.current) return;
      setWrong(null);
      onChange(input);
    } catch (error) {
      if (mine === turn.current) setWrong(error instanceof WrongFile ? error : new WrongFile("file.lost"));
    }
  }, [onChange]);
  return { take, wrong };
}

/** Takes what is dropped anywhere on the page, or pasted; returns whether a file hangs over the page. */
function useDropAnywhere(onTransfer) {
  const [dragging, setDragging] = useState(false);
  const latest = useRef(onTransfer);
  latest.current = onTransfer;
  useEffect(() => {
    const holdsFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const over = (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      setDragging(true);
    };
    const leave = (event) => {
      if (event.relatedTarget === null) setDragging(false);
    };
    const drop = (event) => {
      setDragging(false);
      if (!holdsFile(event)) return;
      event.preventDefault();
      latest.current(event.dataTransfer);
    };
    const paste = (event) => {
      if (fileOf(event.clipboardData)) latest.current(event.clipboardData);
    };
    const listeners = { dragover: over, dragleave: leave, drop, paste };
    for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener);
    };
  }, []);
  return dragging;
}
