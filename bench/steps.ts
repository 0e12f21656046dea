// The price of single mechanisms beside what the platform offers for the same: `npm run bench:steps`.
import { Abort, Abortable } from '../src/upstream/abort.ts'
import { timeouts } from '../src/upstream/timeouts.ts'

const rounds = 15
const times = 100_000
/** So many are under way at once, as in a busy service. */
const underWay = 512

/** The best of many rounds, in ns a time. */
function price (once: () => void): number {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    for (let time = 0; time < times; time++) once()
    best = Math.min(best, Number(process.hrtime.bigint() - start) / times)
  }
  return best
}

class Listener extends Abortable {
  cut () {}
}

function listening (): Record<string, () => void> {
  const abort = new Abort()
  const { signal } = new AbortController()
  const listener = new Listener()
  const onAbort = () => {}
  for (let other = 0; other < underWay; other++) abort.add(new Listener())
  return {
    'listen to an Abort and leave': () => {
      abort.add(listener)
      abort.delete(listener)
    },
    'listen to an AbortSignal and leave': () => {
      signal.addEventListener('abort', onAbort, { once: true })
      signal.removeEventListener('abort', onAbort)
    },
    'one Abort for one attempt': () => {
      const own = new Abort()
      own.add(listener)
      own.delete(listener)
    },
    'one AbortController for one attempt': () => {
      const own = new AbortController()
      own.signal.addEventListener('abort', onAbort, { once: true })
      own.signal.removeEventListener('abort', onAbort)
    },
  }
}

function timing (): Record<string, () => void> {
  const running = timeouts(60_000, () => new Error('too slow'))
  const others = Array.from({ length: underWay }, () => running.start(new Abort()))
  const abort = new Abort()
  const result = {
    'start and stop a shared timeout': () => running.stop(running.start(abort)),
    'setTimeout and clearTimeout': () => clearTimeout(setTimeout(() => {}, 60_000)),
  }
  process.once('exit', () => {
    for (const other of others) running.stop(other)
  })
  return result
}

for (const [name, once] of Object.entries({ ...listening(), ...timing() })) {
  console.log(`${price(once).toFixed(0).padStart(6)} ns  ${name}`)
}
process.exit()
