/** A method for three answers. */

/**
 * @param {{detail: "pixels" | "regions", sum: "yes" | "no", budget: "little" | "more"}} answers
 * @returns {{method: string, why: string}} why: the end of a key of the page's words
 */
export function recommend({ detail, sum, budget }) {
  if (detail === "regions") {
    return sum === "no" ? { method: "layer_grad_cam", why: "cam" } : { method: "layer_integrated_gradients", why: "layerig" };
  }
  if (sum === "yes") {
    return budget === "little" ? { method: "deep_lift", why: "deeplift" } : { method: "integrated_gradients", why: "ig" };
  }
  return budget === "little" ? { method: "saliency", why: "saliency" } : { method: "smooth_grad", why: "smooth" };
}
