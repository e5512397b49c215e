/** The choices of an overlay, as `overlay.png` takes them. A test compares them with the service's own. */

export const STYLES = ["blend", "heatmap", "masked", "side_by_side"];
export const SIGNS = ["absolute", "positive", "negative", "all"];
export const SEQUENTIAL = ["inferno", "magma", "plasma", "viridis", "cividis", "turbo", "jet", "hot", "ice", "gray"];
export const DIVERGING = ["coolwarm", "RdBu_r", "bwr", "seismic", "vik", "PuOr_r"];
export const ALPHA = { min: 0, max: 1, step: 0.05, initial: 0.75 };
export const PERCENTILE = { min: 50, max: 100, step: 0.5, initial: 99 };
export const SMOOTH = { min: 0, max: 0.1, step: 0.0025 };
