/** Counts turns of the loop until it is stopped. */
export function loopTurns(): { readonly count: number; readonly stop: () => void } {
  let count = 0
  let isOver = false
  const next = () => {
    count++
    if (!isOver) setImmediate(next)
  }
  setImmediate(next)
  return {
    get count() {
      return count
    },
    stop() {
      isOver = true
    },
  }
}

/** Takes longer than heavy work is given of a turn. */
export function holdTurn(): void {
  const until = performance.now() + 12
  while (performance.now() < until);
}
