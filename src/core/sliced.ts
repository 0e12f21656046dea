/** How long one turn of the loop is given to such work, in ms; the last of it may take longer. */
const sliceMs = 5

const waiting: (() => void)[] = []
let isArmed = false
let isTurn = false
/** Time that `inSlice` has worked in this turn of the loop, in ms. */
let spentMs = 0
let isReset = true

/**
 * Does heavy work a slice a turn of the loop, so that what becomes ready together does not hold up everything else
 * together.
 */
export function runSliced(work: () => void): void {
  waiting.push(work)
  if (isArmed) return
  isArmed = true
  setImmediate(turn)
}

/**
 * Does heavy work in slices, before work that came later, so that no two pieces of work hold their memory together.
 *
 * @param slice Does one slice, and returns whether there is another one.
 */
export function runSlicedSteps(slice: () => boolean): void {
  const work = () => {
    if (slice()) waiting.unshift(work)
  }
  runSliced(work)
}

/** Does in a turn of its own what large work has led to, and at once what small work has. */
export function deferIfSliced(work: () => void): void {
  if (isTurn) runSliced(work)
  else work()
}

/**
 * Does work at once that may be heavy, and in a later turn of the loop where this turn has had its slice of such work.
 */
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
