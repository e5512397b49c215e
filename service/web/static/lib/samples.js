/** The samples that come with the page: a picture, texts, and a row of a table. */

import { readPicture } from "./picture.js";

const FOLDER = new URL("../samples/", import.meta.url);

/** The small picture that stands for the sample. */
export const THUMBNAIL = new URL("cat-small.jpg", FOLDER).href;

let document = null;

/** `{texts: {en: string[], es: string[]}, rows: Record<string, number>[]}`. */
export function samples() {
  document ??= fetch(new URL("samples.json", FOLDER)).then((response) => response.json());
  document.catch(() => (document = null));
  return document;
}

/** The sample picture as an input. */
export async function samplePicture() {
  const response = await fetch(new URL("cat.jpg", FOLDER));
  return readPicture(await response.blob(), "cat.jpg");
}

/**
 * A row for a model: the sample's values where its columns are the model's own, else the means.
 * @param {object} card
 * @param {Record<string, number>[]} rows
 */
export function rowFor(card, rows) {
  const columns = card.input.features ?? [];
  const sample = rows.find((row) => columns.every((column) => column.name in row)) ?? {};
  return Object.fromEntries(columns.map((column) => [column.name, sample[column.name] ?? column.mean]));
}
