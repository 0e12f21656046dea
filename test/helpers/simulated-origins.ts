import { createBalancer } from '../../src/upstream/origins/balancer.ts'
import type { Endpoint } from '../../src/upstream/origins/types.ts'
import { balanceSpec } from '../../src/upstream/spec/balance-spec.ts'
import { randomOf } from './random-of.ts'
import { SimulatedClock } from './simulated-upstream.ts'

/** An origin that works at some calls at once, and queues the others. */
interface SimulatedOrigin {
  readonly workMs: number
  readonly queue: (() => void)[]
  busy: number
  /** Calls in flight, those in the queue included. */
  active: number
  calls: number
}

/** Chooses an origin, and records the latency of the call when it has ended. */
type Picker = () => { readonly origin: SimulatedOrigin; readonly ended?: (ms: number) => void }

type PickerOf = (origins: readonly SimulatedOrigin[], random: () => number, clock: SimulatedClock) => Picker

const drawn = (origins: readonly SimulatedOrigin[], random: () => number) =>
  origins[Math.floor(random() * origins.length)] as SimulatedOrigin

/** The ways to choose an origin. Only the last one is that of Headwaters. It ejects none, so that only the choice counts. */
const pickers = {
  random: (origins, random) => () => ({ origin: drawn(origins, random) }),
  'round-robin': origins => {
    let next = 0
    return () => ({ origin: origins[next++ % origins.length] as SimulatedOrigin })
  },
  P2C: (origins, random) => () => {
    const one = drawn(origins, random)
    const other = drawn(
      origins.filter(origin => origin !== one),
      random,
    )
    return { origin: other.active < one.active ? other : one }
  },
  'P2C with peak EWMA': (origins, random, clock) => {
    const balancer = createBalancer<SimulatedOrigin>({
      balance: balanceSpec('the simulation', { ejection: false }),
      random,
      now: () => clock.now,
    })
    const endpoints = origins.map((_, index): Endpoint => {
      const url = new URL(`http://origin-${index}`)
      return { key: String(index), url, target: undefined, weight: 1, label: url.host, isInitial: true }
    })
    balancer.set(endpoints, ({ key }) => origins[Number(key)] as SimulatedOrigin)
    return () => {
      const member = balancer.pick(undefined)
      if (member === undefined) throw new Error('the balancer has no members')
      balancer.started(member)
      return {
        origin: member.value,
        ended(ms) {
          balancer.ended(member, ms, 'ok')
          balancer.released(member)
        },
      }
    }
  },
} as const satisfies Readonly<Record<string, PickerOf>>

export type PickerName = keyof typeof pickers

export const pickerNames = Object.keys(pickers) as readonly PickerName[]

export interface OriginsScene {
  /** The factor by which the first of the ten origins is slower than the others. */
  readonly slow: number
  readonly perSecond: number
  readonly calls: number
}

/** The latencies of all calls, and the part of the calls that the first origin got. */
export interface SimulatedRun {
  readonly p50: number
  readonly p99: number
  readonly share: number
}

/** The mean time that an origin works at a call, in ms. It is log-normal, as latencies are. */
const meanMs = 10
/** The number of calls that an origin works at. */
const capacity = 8

/** Plays Poisson arrivals on ten origins. Equal seeds have equal arrivals, and equal numbers for each work. */
export function simulateOrigins(
  picker: PickerName,
  { slow, perSecond, calls }: OriginsScene,
  seed: number,
): SimulatedRun {
  const random = randomOf(seed)
  const clock = new SimulatedClock()
  const origins = Array.from({ length: 10 }, (_, index): SimulatedOrigin => {
    return { workMs: index === 0 ? meanMs * slow : meanMs, queue: [], busy: 0, active: 0, calls: 0 }
  })
  const pick: Picker = pickers[picker](origins, randomOf(seed + 1_000_000), clock)
  const latencies: number[] = []

  function work(origin: SimulatedOrigin, done: () => void): void {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    origin.busy++
    clock.after(origin.workMs * Math.exp(0.5 * normal - 0.125), () => {
      origin.busy--
      origin.queue.shift()?.()
      done()
    })
  }

  function arrive(left: number): void {
    const from = clock.now
    const { origin, ended } = pick()
    origin.calls++
    origin.active++
    const start = () =>
      work(origin, () => {
        origin.active--
        latencies.push(clock.now - from)
        ended?.(clock.now - from)
      })
    if (origin.busy < capacity) start()
    else origin.queue.push(start)
    if (left > 1) clock.after((-Math.log(1 - random()) * 1000) / perSecond, () => arrive(left - 1))
  }

  arrive(calls)
  clock.run()
  latencies.sort((one, other) => one - other)
  const at = (share: number) => latencies[Math.floor(share * calls)] as number
  return { p50: at(0.5), p99: at(0.99), share: (origins[0]?.calls ?? 0) / calls }
}

/** Plays a scene with each picker and each seed from 1. */
export function simulateSeeds(
  scene: OriginsScene,
  seeds: number,
): Readonly<Record<PickerName, readonly SimulatedRun[]>> {
  const runs = pickerNames.map(name => [
    name,
    Array.from({ length: seeds }, (_, index) => simulateOrigins(name, scene, index + 1)),
  ])
  return Object.fromEntries(runs) as Record<PickerName, readonly SimulatedRun[]>
}

/** Returns the rows of the table of a scene: the median of the seeds, and the worst seed. */
export function simulationRows(results: Readonly<Record<PickerName, readonly SimulatedRun[]>>): string[][] {
  const cell = (runs: readonly SimulatedRun[], figure: (run: SimulatedRun) => number, digits: number) => {
    const sorted = runs.map(figure).sort((one, other) => one - other)
    return [sorted[sorted.length >> 1] as number, sorted.at(-1) as number].map(value => value.toFixed(digits))
  }
  return [
    ['picker', 'p50 ms', 'worst', 'p99 ms', 'worst', 'first origin %', 'worst'],
    ...pickerNames.map(name => [
      name,
      ...cell(results[name], ({ p50 }) => p50, 1),
      ...cell(results[name], ({ p99 }) => p99, 1),
      ...cell(results[name], ({ share }) => share * 100, 2),
    ]),
  ]
}

/** One of ten origins is ten times slower. The others work at a tenth of their capacity. */
export const oneSlow: OriginsScene = { slow: 10, perSecond: 700, calls: 20_000 }

/** Ten equal origins work at 70 % of their capacity. */
export const allEqual: OriginsScene = { slow: 1, perSecond: 5600, calls: 20_000 }
