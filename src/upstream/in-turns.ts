/** How long one turn of the loop is given to such work, in ms; the last of it may take longer. */
const sliceMs = 5

const waiting: (() => void)[] = []
let isArmed = false
let isTurn = false

/** Does heavy work a slice a turn of the loop, so that what becomes ready together does not hold up everything else together. */
export function inTurns (work: () => void): void {
  waiting.push(work)
  if (isArmed) return
  isArmed = true
  setImmediate(turn)
}

/** Does in a turn of its own what large work has led to, and at once what small work has. */
export function inOwnTurn (work: () => void): void {
  if (isTurn) inTurns(work)
  else work()
}

function turn (): void {
  const until = performance.now() + sliceMs
  isTurn = true
  try {
    do waiting.shift()?.()
    while (waiting.length > 0 && performance.now() < until)
  } finally {
    isTurn = false
    isArmed = waiting.length > 0
    if (isArmed) setImmediate(turn)
  }
}
