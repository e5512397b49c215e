/** The same request as a line of curl and as a piece of Python, to be copied and built on. */

import { currentKey } from "./key.js";
import { urlOf } from "./http.js";

const WAIT_S = 60;

/**
 * A request of the page without its input: `{model, method, target, quality}`.
 * @typedef {object} Request
 */

/**
 * `POST /explain` as a line for a shell.
 * @param {Request} request
 * @param {object} input as the chooser yields it
 * @param {{result?: string}} [options] result: the file of the picture to save; null: print the job
 */
export function curlOf(request, input, { result = null } = {}) {
  const params = result === null ? { wait: WAIT_S } : { wait: WAIT_S, answer: "result" };
  const lines = [`curl ${quoted(urlOf("explain", params).href)}`];
  if (currentKey() !== null) lines.push(KEY_OPTION);
  if (result !== null) lines.push("-H 'Accept: image/png'");
  lines.push(...formFields(request, input));
  if (result !== null) lines.push(`-o ${quoted(result)}`);
  return lines.join(" \\\n  ");
}

/**
 * `POST /explain`, and its result, as Python with httpx.
 * @param {Request} request
 * @param {object} input
 */
export function pythonOf(request, input) {
  const picture = input.kind === "image";
  const body = { ...request, input: picture ? { image: Raw("image") } : inputOf(input) };
  const keyed = currentKey() !== null;
  const standard = [...(picture ? ["import base64"] : []), ...(keyed ? ["import os"] : [])];
  return [
    ...(standard.length ? [...standard, "", "import httpx"] : ["import httpx"]),
    "",
    ...(picture ? [`image = base64.b64encode(open(${python(input.name)}, "rb").read()).decode()`] : []),
    `request = ${python(body)}`,
    `service = httpx.Client(base_url=${python(urlOf("").href)}, timeout=${WAIT_S + 10}${pythonKey()})`,
    `job = service.post("explain", params={"wait": ${WAIT_S}}, json=request).raise_for_status().json()`,
    `result = service.get(f"jobs/{job['id']}/result").raise_for_status().json()`,
    `print(result["predictions"], result["target"])`,
    "",
  ].join("\n");
}

/**
 * `POST /compare` as a line for a shell.
 * @param {object} request `{models, methods, targets}`
 * @param {object} input
 */
export function compareCurlOf(request, input) {
  const lines = [`curl ${quoted(urlOf("compare", { wait: WAIT_S }).href)}`];
  if (currentKey() !== null) lines.push(KEY_OPTION);
  lines.push(...inputFields(input), `--form-string ${quoted(`models=${request.models.join(",")}`)}`);
  lines.push(...request.methods.map((method) => `--form-string ${quoted(`methods=${formValue(method)}`)}`));
  lines.push(...(request.targets ?? []).map((target) => `--form-string ${quoted(`targets=${formValue(target)}`)}`));
  return lines.join(" \\\n  ");
}

/**
 * `POST /compare` as Python with httpx.
 * @param {object} request `{models, methods, targets}`
 * @param {object} input
 */
export function comparePythonOf(request, input) {
  return pythonOf(request, input)
    .replace('post("explain"', 'post("compare"')
    .replace("job = ", "comparison = ")
    .replace(/^result = .*\nprint.*\n/m, 'print(comparison["agreement"])\n');
}

/** The input as the API takes it. @param {object} input */
export function inputOf(input) {
  return { [input.kind]: input[input.kind] };
}

function formFields(request, input) {
  const { name, ...parameters } = request.method;
  const plain = Object.keys(parameters).length === 0;
  const fields = [
    `model=${request.model}`,
    `method=${plain ? name : JSON.stringify(request.method)}`,
    request.target === undefined || request.target === null ? null : `target=${request.target}`,
    request.quality?.length ? `quality=${JSON.stringify(request.quality)}` : null,
  ];
  return [...inputFields(input), ...fields.filter(Boolean).map((field) => `--form-string ${quoted(field)}`)];
}

/** The field of the input; `--form-string`, as `-F` reads files by @ and <. */
function inputFields(input) {
  if (input.kind === "image") return [`-F ${quoted(`image=@"${input.name.replace(/["\\]/g, "\\$&")}"`)}`];
  return [`--form-string ${quoted(`${input.kind}=${formValue(input[input.kind])}`)}`];
}

const formValue = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const KEY_OPTION = `-H "Authorization: Bearer $ATTRIBUTION_KEY"`;
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const KEY_HEADER = `, headers={"Authorization": "Bearer " + os.environ["ATTRIBUTION_KEY"]}`;
const pythonKey = () => (currentKey() === null ? "" : KEY_HEADER);
const Raw = (code) => ({ toJSON: () => `\u0000${code}\u0000` });

/** A value as Python writes it: JSON with its own words, and names of variables that are not quoted. */
function python(value) {
  const strings = [];
  const text = JSON.stringify(value, null, 4).replace(/"(?:[^"\\]|\\.)*"/g, (string) => `\u0001${strings.push(string) - 1}\u0001`);
  const words = text.replace(/\btrue\b/g, "True").replace(/\bfalse\b/g, "False").replace(/\bnull\b/g, "None");
  const whole = words.replace(/\u0001(\d+)\u0001/g, (_, index) => strings[index]);
  return whole.replace(/"\\u0000(.*?)\\u0000"/g, "$1");
}
