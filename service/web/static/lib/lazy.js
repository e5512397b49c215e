/** Components whose modules are loaded when they are first shown, so that the first view stays small. */

import { lostAnswer } from "./http.js";
import { html, useEffect, useState } from "./html.js";

/**
 * @param {() => Promise<{default: Function}>} load imports a module whose default export is a component
 * @returns {Function & {load: () => Promise<void>}} the component; `load` begins before it is shown
 */
export function lazy(load) {
  let Loaded = null;
  let loading = null;
  const begin = () => {
    loading ??= load().then((module) => (Loaded = module.default));
    loading.catch(() => (loading = null)); // the next one who needs it tries again
    return loading;
  };
  function Lazy(props) {
    const [, draw] = useState(null);
    useEffect(() => {
      const fail = (error) => {
        throw error;
      };
      if (Loaded === null) begin().then(() => draw({}), (error) => draw(() => fail(loadProblem(error))));
    }, []);
    return Loaded && html`<${Loaded} ...${props} />`;
  }
  Lazy.load = begin;
  return Lazy;
}

/** What is shown of a failed load: a browser tells a lost file by a TypeError in English, or by an event without words. */
export const loadProblem = (error) => (error instanceof TypeError || error instanceof Event ? lostAnswer() : error);
