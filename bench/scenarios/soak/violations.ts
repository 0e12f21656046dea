import type { FaultyCount } from '../faulty-upstream.ts'
import type { SoakSample } from './service.ts'

export interface SoakRun {
  readonly before: SoakSample
  readonly samples: readonly SoakSample[]
  readonly after: SoakSample
  readonly statuses: Readonly<Record<string, number>>
  readonly seen: Readonly<Record<string, FaultyCount>>
}

const concurrency = 32
/**
 * Number of connections above the limit that an upstream may see. It can see a new connection before it sees the end of
 * the connection that the new one replaces. The counts of the service are exact.
 */
const late = 4
/**
 * Maximum growth of the heap over the second half of the run, as a share of its mean. A linear fit gives the growth.
 */
const rise = 0.05
/** Maximum number of listeners on one socket. A leak of one listener per request would add thousands. */
const mostListeners = 50
/** The statuses of success, of an upstream's fault and of a refused request. Any other status is a bug. */
const expected = new Set(['200', '502', '503', '504'])

/** Returns the violated bounds and the figures that were checked. */
export function violationsOf({ before, samples, after, statuses, seen }: SoakRun): {
  readonly violations: string[]
  readonly lines: string[]
} {
  const half = samples.slice(Math.floor(samples.length / 2))
  const heap = half.map(({ heapBytes }) => heapBytes / 2 ** 20)
  const { mean, perStep } = line(heap)
  const risen = perStep * (heap.length - 1)
  const [first = before] = samples
  const listeners = Math.max(...samples.map(({ processListeners }) => processListeners))
  const onSocket = Math.max(...samples.map(({ socketListeners }) => socketListeners))

  const violations: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) violations.push(text)
  }
  check(risen <= rise * mean, `the heap rose by ${risen.toFixed(2)} MiB over the second half, of ${mean.toFixed(1)}`)
  check(
    listeners <= first.processListeners,
    `the process has ${listeners} listeners, and had ${first.processListeners} at the start`,
  )
  check(onSocket <= mostListeners, `a socket has ${onSocket} listeners`)
  for (const [name, most] of Object.entries(after.mostActive))
    check(most <= concurrency, `${name}: ${most} concurrent calls with a concurrency of ${concurrency}`)
  for (const [name, most] of Object.entries(after.mostSockets))
    check(most <= concurrency, `${name}: ${most} sockets of the service with a concurrency of ${concurrency}`)
  for (const [name, { mostConnections }] of Object.entries(seen))
    check(
      mostConnections <= concurrency + late,
      `${name} saw ${mostConnections} connections with a concurrency of ${concurrency}`,
    )
  check(after.held === 0, `${after.held} calls hold or wait for a permit after the end`)
  for (const [kind, count] of Object.entries(after.resources))
    check(
      count <= (before.resources[kind] ?? 0),
      `${count} ${kind} after the end, ${before.resources[kind] ?? 0} before`,
    )
  for (const complaint of new Set(after.complaints)) check(false, complaint)
  for (const [status, count] of Object.entries(statuses))
    check(expected.has(status), `${count} requests ended with ${status === '0' ? 'a broken connection' : status}`)
  check((statuses['200'] ?? 0) > 0, 'no request was answered')

  return {
    violations,
    lines: [
      `heap ${mean.toFixed(1)} MiB in the second half, ${risen >= 0 ? '+' : ''}${risen.toFixed(2)} ` +
        `over it; ${(after.heapBytes / 2 ** 20).toFixed(1)} after the end`,
      `listeners: process ${listeners}, one socket at most ${onSocket}`,
      `at once, at most: calls ${JSON.stringify(after.mostActive)}, sockets ${JSON.stringify(after.mostSockets)}`,
      `left after the end: ${JSON.stringify(after.resources)}`,
    ],
  }
}

/** Fits a line to values at equal distances by least squares. */
function line(values: readonly number[]): { readonly mean: number; readonly perStep: number } {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const covariance = values.reduce((sum, value, step) => sum + (step - middle) * (value - mean), 0)
  const variance = values.reduce((sum, _value, step) => sum + (step - middle) ** 2, 0)
  return { mean, perStep: variance === 0 ? 0 : covariance / variance }
}
