/** Asks for the API key of a service that wants one. The key stays in this tab. */

import { html, useEffect, useRef } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { keyQuestion } from "../lib/key.js";
import { useStore } from "../lib/store.js";

export function KeyDialog() {
  const { t } = useWords();
  const [question] = useStore(keyQuestion);
  const dialog = useRef(null);
  const field = useRef(null);
  useEffect(() => {
    if (question) {
      field.current.value = "";
      dialog.current.showModal();
    } else {
      dialog.current.close();
    }
  }, [question]);
  const use = (event) => {
    event.preventDefault();
    if (field.current.value.trim()) question.done(field.current.value.trim());
  };
  const close = () => question?.done(null);
  return html`
    <dialog ref=${dialog} aria-labelledby="key-title" onCancel=${close}>
      <form onSubmit=${use}>
        <h2 id="key-title">${t("key.title")}</h2>
        <p>${question?.refused ? t("key.refused") : t("key.why")}</p>
        <label class="field">
          <span>${t("key.label")}</span>
          <input ref=${field} type="password" autocomplete="off" spellcheck=${false} />
        </label>
        <p class="actions">
          <button type="submit" class="primary">${t("key.use")}</button>
          <button type="button" onClick=${close}>${t("cancel")}</button>
        </p>
      </form>
    </dialog>
  `;
}
