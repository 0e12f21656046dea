/**
 * Returns a function that calls the action in the next animation frame, once for all calls before it. A hidden page has
 * no frames: it is rendered when it is seen again.
 */
export function onFrame(action: () => void): () => void {
  let isAsked = false
  const run = () => {
    isAsked = false
    action()
  }
  return () => {
    if (isAsked) return
    isAsked = true
    requestAnimationFrame(run)
  }
}
