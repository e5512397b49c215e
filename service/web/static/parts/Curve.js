/** Curves over one axis, drawn by uPlot, which is loaded when the first curve is shown. */

import { html, useEffect, useRef, useState } from "../lib/html.js";
import { number } from "../lib/format.js";
import { useWords } from "../lib/i18n.js";
import { useStore } from "../lib/store.js";
import { look } from "../lib/theme.js";

const VENDOR = new URL("../vendor/", import.meta.url);
let library = null;

/**
 * @param {{x: number[], series: {label: string, values: (number | null)[], color?: string, dash?: number[]}[],
 *   xLabel: string, yLabel: string, alt: string, height?: number, marker?: number | null,
 *   xRange?: [number, number], yRange?: [number, number]}} props
 *   color: a CSS custom property such as `--raises`; alt: what the curves show; marker: a place on the axis
 */
export function Curve({ x, series, xLabel, yLabel, alt, height = 220, marker = null, xRange, yRange }) {
  const { lang } = useWords();
  const place = useRef(null);
  const plot = useRef(null);
  const marked = useRef(marker);
  const [failed, setFailed] = useState(false);
  const [shown] = useStore(look);
  marked.current = marker;
  const drawn = JSON.stringify([x, series, xLabel, yLabel, lang, shown, height, xRange, yRange]);
  useEffect(() => {
    let gone = false;
    loadLibrary().then(
      (UPlot) => {
        if (gone) return;
        const options = optionsOf({ series, xLabel, yLabel, height, lang, marked, xRange, yRange }, place.current);
        plot.current = new UPlot(options, [x, ...series.map((one) => one.values)], place.current);
      },
      () => setFailed(true),
    );
    const follow = new ResizeObserver(() => {
      const width = Math.round(place.current.clientWidth);
      if (plot.current && width !== plot.current.width) plot.current.setSize({ width, height });
    });
    follow.observe(place.current);
    return () => {
      gone = true;
      follow.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [drawn]);
  useEffect(() => plot.current?.redraw(false), [marker]);
  return html`
    <div class="curve">
      <div ref=${place} role="img" aria-label=${alt} style=${{ minHeight: `${height}px` }}></div>
      <ul class="legend" aria-hidden="true">
        ${series.map(
          (one, index) => html`<li key=${one.label}>
            <span class="legend-line" style=${{ background: `var(${colorOf(one, index)})` }}></span>${one.label}
          </li>`,
        )}
      </ul>
      ${failed && html`<p>${alt}</p>`}
    </div>
  `;
}

const COLORS = ["--curve-1", "--curve-2", "--curve-3", "--curve-4"];
const colorOf = (one, index) => one.color ?? COLORS[index % COLORS.length];

function optionsOf({ series, xLabel, yLabel, height, lang, marked, xRange, yRange }, element) {
  const style = getComputedStyle(element);
  const css = (name) => style.getPropertyValue(name).trim();
  const axis = (label, size) => ({
    label,
    size,
    stroke: css("--faint"),
    grid: { stroke: css("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
    labelFont: "12px system-ui, sans-serif",
    labelSize: 18,
    values: (_, ticks) => ticks.map((tick) => number(tick, lang)),
  });
  const lines = series.map((one, index) => ({
    label: one.label,
    stroke: css(colorOf(one, index)),
    width: 2,
    dash: one.dash,
    points: { show: false },
  }));
  const hooks = { draw: [(plot) => drawMarker(plot, marked.current, css("--accent"))] };
  return {
    width: Math.round(element.clientWidth) || 320,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: xRange }, y: { range: yRange } },
    axes: [axis(xLabel, 34), axis(yLabel, 56)],
    series: [{}, ...lines],
    hooks,
  };
}

function drawMarker(plot, at, color) {
  if (at === null || at === undefined) return;
  const { ctx, bbox } = plot;
  const left = Math.round(plot.valToPos(at, "x", true));
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(left, bbox.top);
  ctx.lineTo(left, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    Object.assign(style, { rel: "stylesheet", href: new URL("uPlot.css", VENDOR).href });
    const script = document.createElement("script");
    Object.assign(script, { src: new URL("uPlot.js", VENDOR).href, onload: () => resolve(window.uPlot), onerror: reject });
    document.head.append(style, script);
  });
  library.catch(() => (library = null));
  return library;
}
