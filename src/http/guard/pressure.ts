import type { FastifyInstance } from 'fastify'
import type { Criticality } from '../../fanout/route.ts'
import { MemoryMeter, urgentShare, type MemoryReading } from '../../memory/meter.ts'
import { ownMemory } from '../../memory/own-memory.ts'
import { guardRoom } from '../../memory/room.ts'
import { InboundBodies } from '../bodies/inbound-bodies.ts'
import type { LoadGauge } from '../reply/route-services.ts'
import { LoopAdmission } from './loop-admission.ts'
import type { LoopClock } from './loop-turns.ts'

/** Limits at which requests are refused; 0 disables a limit. */
export interface PressureLimits {
  /** Runs in flight. @default 1000 */
  readonly runs: number
  /**
   * The scale of the limits on overload by CPU, in ms. Requests are refused in two cases. They bring more work than the
   * CPU can do, by this value and by 64 runs. Or no turn is shorter than three times this value for five times this
   * value.
   * @default 100
   */
  readonly loopDelay: number
  /** Live objects in percent of the old generation's limit. @default 70 */
  readonly heapPercent: number
  /** Memory in use in percent of the container's, or of the machine's. @default 90 */
  readonly memoryPercent: number
  /**
   * Bytes of the request bodies that are being received. It refuses bodies, not requests without one.
   * @default 64 MiB
   */
  readonly bodiesBytes: number
}

export const defaultPressureLimits: PressureLimits = Object.freeze({
  runs: 1000,
  loopDelay: 100,
  heapPercent: 70,
  memoryPercent: 90,
  bodiesBytes: 64 * 1024 * 1024,
})

/**
 * `pressed`: runs shed their optional steps, and requests of low criticality are refused. `overloaded`: requests of
 * normal criticality are refused too, and at last those of high criticality.
 */
export type Pressure = 'calm' | 'pressed' | 'overloaded'

/** The fraction of a limit at which the level is `pressed`. */
const pressedRatio = 0.8

/** The fractions of a limit at which requests are refused. */
type RefusedFrom = Readonly<Record<Criticality, number>>
const refusedWithoutHigh: RefusedFrom = { low: 0.9, normal: 1, high: 1 }
const refusedWithHigh: RefusedFrom = { low: 0.9, normal: 0.95, high: 1 }

/** Time between two samples of the event loop and of the process memory, in ms. */
const sampleEvery = 250

/**
 * Time between two samples of the heap, in ms. A sample takes 5 µs, and large responses fill a small heap within a few
 * samples.
 */
const heapEvery = 50

/**
 * The largest fraction of CPU time that the meter spends on collections. A collection shows how many objects are live.
 */
const collectRatios = { pressed: 0.02, overloaded: urgentShare } as const

/** Measurements of the process over one interval. */
export interface PressureSample extends MemoryReading {
  /** The longest turn of the event loop that requests waited for, in ms. */
  readonly loopDelay: number
}

/** The load of the app as a level. Each run increases and decreases its number of runs. */
export interface PressureGauge extends LoadGauge {
  readonly level: Pressure
  readonly bodies: InboundBodies
  /** Returns whether a request that is handled now is admitted. Call it once per request. */
  admits(criticality: Criticality): boolean
  /** Measures the CPU time of a run, and returns the longest observed turn since the last call, in ms. */
  sampleLoop(): number
  /** Sets the level from measurements of the memory. */
  updateMemory(reading: MemoryReading): void
  /** Returns the level of one reading of the memory. */
  memoryLevel(reading: MemoryReading): Pressure
}

/** Returns the event loop of this process, with the permits of a runtime and the connections of a server. */
export function loopOf(permitBacklog: LoopClock['permitBacklog'], connections = () => Infinity): LoopClock {
  return {
    now: () => performance.now(),
    atTurnEnd: setImmediate,
    busyMs: () => performance.eventLoopUtilization().active,
    permitBacklog,
    connections,
  }
}

/**
 * Creates a gauge.
 *
 * @param hasHigh - True if the app has aggregates of high criticality. The last 5 % of each limit are then for them.
 * @param clock - The event loop. @default that of this process, without permits
 */
export function createPressureGauge(
  { runs, loopDelay, heapPercent, memoryPercent, bodiesBytes }: PressureLimits,
  hasHigh = false,
  clock = loopOf(() => 0),
): PressureGauge {
  const refusedFrom = hasHigh ? refusedWithHigh : refusedWithoutHigh
  const loop = new LoopAdmission(loopDelay, clock)
  let memoryRatio = 0
  const memoryRatioOf = (reading: MemoryReading) =>
    Math.max(ratioOf(reading.heapPercent, heapPercent), ratioOf(reading.memoryPercent, memoryPercent))
  return {
    runs: 0,
    served: 0,
    refused: 0,
    bodies: new InboundBodies(bodiesBytes),
    get level() {
      const ofLimits = levelOf(Math.max(memoryRatio, ratioOf(this.runs, runs)), refusedFrom)
      if (!loop.isShedding || ofLimits === 'overloaded') return ofLimits
      return loop.refusesNormal ? 'overloaded' : 'pressed'
    },
    get shedOptional() {
      return loop.isShedding || Math.max(memoryRatio, ratioOf(this.runs, runs)) >= pressedRatio
    },
    admits(criticality) {
      const ratio = Math.max(memoryRatio, ratioOf(this.runs, runs))
      return ratio < refusedFrom[criticality] && loop.admits(criticality, this)
    },
    sampleLoop() {
      return loop.sample(this)
    },
    updateMemory(reading) {
      memoryRatio = memoryRatioOf(reading)
    },
    memoryLevel: reading => levelOf(memoryRatioOf(reading), refusedFrom),
  }
}

function levelOf(ratio: number, { normal }: RefusedFrom): Pressure {
  if (ratio >= normal) return 'overloaded'
  return ratio >= pressedRatio ? 'pressed' : 'calm'
}

function ratioOf(value: number, limit: number): number {
  return limit === 0 ? 0 : value / limit
}

/** Updates the gauge from this process until the app closes, and logs each change of its level. */
export function watchPressure(app: FastifyInstance, gauge: PressureGauge, limits: PressureLimits): void {
  const meter = new MemoryMeter(ownMemory(), limits)
  const stops: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let logged: Pressure = 'calm'
  let samples = 0
  let memoryPercent = 0
  app.addHook('onReady', done => {
    stops.push(meter.watch(), guardRoom(meter))
    timer = setInterval(() => {
      const isFull = ++samples % (sampleEvery / heapEvery) === 0
      if (isFull && limits.memoryPercent > 0) memoryPercent = meter.memoryPercent()
      const { alive, used } = meter.heap()
      const reading = { heapPercent: alive, memoryPercent }
      gauge.updateMemory(reading)
      // Between collections the heap also holds garbage, which must not cause refusals. If the level would rise with
      // all objects counted as live, the meter collects the garbage and measures the live objects.
      const possibleLevel = gauge.memoryLevel({ heapPercent: Math.max(alive, used), memoryPercent })
      if (possibleLevel !== 'calm') meter.collect(collectRatios[possibleLevel])
      if (!isFull) return
      const sample: PressureSample = { ...reading, loopDelay: gauge.sampleLoop() }
      const { level, runs } = gauge
      if (level !== logged) app.log.warn({ pressure: level, runs, ...sample }, 'load level changed')
      logged = level
    }, heapEvery).unref()
    done()
  })
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    for (const stop of stops) stop()
    done()
  })
}
