import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { FastifyInstance } from 'fastify'
import { MemoryMeter, urgentShare, type MemoryReading } from '../../memory/meter.ts'
import { ownMemory } from '../../memory/own-memory.ts'
import { guardRoom } from '../../memory/room.ts'
import { InboundBodies } from '../bodies/inbound-bodies.ts'
import type { LoadGauge } from '../reply/route-services.ts'

/** Limits at which requests are refused; 0 disables a limit. */
export interface PressureLimits {
  /** Runs in flight. @default 1000 */
  readonly runs: number
  /** Mean delay of the event loop, in ms. @default 500 */
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
  loopDelay: 500,
  heapPercent: 70,
  memoryPercent: 90,
  bodiesBytes: 64 * 1024 * 1024,
})

/** `pressed`: runs shed their optional steps. `overloaded`: new requests are refused. */
export type Pressure = 'calm' | 'pressed' | 'overloaded'

/** The fraction of a limit at which the level is `pressed`. */
const pressedRatio = 0.8

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
  /** Mean delay of the event loop, in ms. */
  readonly loopDelay: number
}

/** The load of the app as a level. Each run increases and decreases its number of runs. */
export interface PressureGauge extends LoadGauge {
  readonly level: Pressure
  readonly bodies: InboundBodies
  /** Sets the level from measurements of the process. */
  update(sample: PressureSample): void
  /** Sets the level from measurements of the memory only. */
  updateMemory(reading: MemoryReading): void
  /** Returns the level of one reading of the memory. */
  memoryLevel(reading: MemoryReading): Pressure
}

/**
 * Creates a gauge. The event loop must be late in two samples in a row, so that a single pause does not cause refusals.
 */
export function createPressureGauge({
  runs,
  loopDelay,
  heapPercent,
  memoryPercent,
  bodiesBytes,
}: PressureLimits): PressureGauge {
  let delayBefore = 0
  let loopRatio = 0
  let memoryRatio = 0
  const memoryRatioOf = (reading: MemoryReading) =>
    Math.max(ratioOf(reading.heapPercent, heapPercent), ratioOf(reading.memoryPercent, memoryPercent))
  return {
    runs: 0,
    bodies: new InboundBodies(bodiesBytes),
    get level() {
      return levelOf(Math.max(loopRatio, memoryRatio, ratioOf(this.runs, runs)))
    },
    get shedOptional() {
      return this.level !== 'calm'
    },
    update(sample) {
      loopRatio = ratioOf(Math.min(delayBefore, sample.loopDelay), loopDelay)
      delayBefore = sample.loopDelay
      this.updateMemory(sample)
    },
    updateMemory(reading) {
      memoryRatio = memoryRatioOf(reading)
    },
    memoryLevel: reading => levelOf(memoryRatioOf(reading)),
  }
}

function levelOf(ratio: number): Pressure {
  if (ratio >= 1) return 'overloaded'
  return ratio >= pressedRatio ? 'pressed' : 'calm'
}

function ratioOf(value: number, limit: number): number {
  return limit === 0 ? 0 : value / limit
}

/** Updates the gauge from this process until the app closes, and logs each change of its level. */
export function watchPressure(app: FastifyInstance, gauge: PressureGauge, limits: PressureLimits): void {
  const resolution = 20
  const delays = monitorEventLoopDelay({ resolution })
  const meter = new MemoryMeter(ownMemory(), limits)
  const stops: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let logged: Pressure = 'calm'
  let samples = 0
  let memoryPercent = 0
  app.addHook('onReady', done => {
    delays.enable()
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
      const sample = { ...reading, loopDelay: delays.count === 0 ? 0 : Math.max(0, delays.mean / 1e6 - resolution) }
      delays.reset()
      gauge.update(sample)
      const { level, runs } = gauge
      if (level !== logged) app.log.warn({ pressure: level, runs, ...sample }, 'load level changed')
      logged = level
    }, heapEvery).unref()
    done()
  })
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    for (const stop of stops) stop()
    delays.disable()
    done()
  })
}
