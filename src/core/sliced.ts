/** Time for heavy work in one turn of the event loop, in ms. The last piece of work may exceed it. */
const sliceMs = 5

const waiting: (() => void)[] = []
let isArmed = false
let isTurn = false
/** Time that `runWithinBudget` has used in this turn of the event loop, in ms. */
let spentMs = 0
let isReset = true

/**
 * Runs heavy work in a later turn of the event loop, in slices of 5 ms per turn. Work that becomes ready at the same
 * time then does not block the loop at the same time.
 */
export function runSliced(work: () => void): void {
  waiting.push(work)
  if (isArmed) return
  isArmed = true
  setImmediate(turn)
}

/**
 * Runs heavy work in several steps. All its steps run before later work, so that two pieces of work do not hold their
 * memory at the same time.
 *
 * @param step runs one step, and returns whether there is another one
 */
export function runSlicedSteps(step: () => boolean): void {
  const work = () => {
    if (step()) waiting.unshift(work)
  }
  runSliced(work)
}

/** Runs work now, or in a later slice if it is called from sliced work. */
export function deferIfSliced(work: () => void): void {
  if (isTurn) runSliced(work)
  else work()
}

/** Runs work now, or in a later slice if this turn of the event loop has used its time for heavy work. */
export function runWithinBudget(work: () => void): void {
  if (spentMs > sliceMs) return runSliced(work)
  if (isReset) {
    isReset = false
    setImmediate(reset)
  }
  const start = performance.now()
  work()
  spentMs += performance.now() - start
}

function reset(): void {
  isReset = true
  spentMs = 0
}

function turn(): void {
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
