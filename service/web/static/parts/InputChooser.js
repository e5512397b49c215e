/** Chooses what is explained: a picture, a text or a row of a table, or one of the samples. */

import { inputKind } from "../lib/catalogue.js";
import { html } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { PictureChooser } from "./PictureChooser.js";
import { RowEditor } from "./RowEditor.js";
import { Segments } from "./Segments.js";
import { TextEditor } from "./TextEditor.js";

const KINDS = ["image", "text", "features"];
const CHOOSERS = { image: PictureChooser, text: TextEditor, features: RowEditor };

/**
 * @param {{cards: object[], kind: string, onKind: (kind: string) => void, value: object | null,
 *   onChange: (input: object | null) => void, card?: object, small?: boolean}} props
 *   cards: all models, which say what kinds there are; none while they are not known; card: the model of a table, whose columns are edited; small: something is shown already
 */
export function InputChooser({ cards, kind, onKind, value, onChange, card, small }) {
  const { t } = useWords();
  const kinds = KINDS.filter((one) => !cards.length || cards.some((model) => inputKind(model) === one));
  const options = kinds.map((one) => ({ value: one, label: t(`kind.${one}`) }));
  const Chooser = CHOOSERS[kind];
  const own = value?.kind === kind ? value : null;
  return html`
    <div class="input-chooser">
      ${kinds.length > 1 &&
      html`<${Segments} label=${t("kind")} hideLabel value=${kind} options=${options} onChange=${onKind} />`}
      <${Chooser} value=${own} onChange=${onChange} card=${card} small=${small} />
    </div>
  `;
}
