/** How long one turn of the loop is given to such work, in ms. */
const sliceMs = 10

const waiting: (() => void)[] = []
let isArmed = false

/** Does heavy work a slice a turn of the loop, so that what becomes ready together does not hold up everything else together. */
export function inTurns (work: () => void): void {
  waiting.push(work)
  if (isArmed) return
  isArmed = true
  setImmediate(turn)
}

function turn (): void {
  const until = performance.now() + sliceMs
  try {
    do waiting.shift()?.()
    while (waiting.length > 0 && performance.now() < until)
  } finally {
    isArmed = waiting.length > 0
    if (isArmed) setImmediate(turn)
  }
}
