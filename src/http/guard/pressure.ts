import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { FastifyInstance } from 'fastify'
import { MemoryMeter, urgentShare, type MemoryReading } from '../../memory/meter.ts'
import { ownMemory } from '../../memory/own-memory.ts'
import { guardRoom } from '../../memory/room.ts'
import { InboundBodies } from '../bodies/inbound-bodies.ts'
import type { LoadGauge } from '../reply/route-services.ts'

/** From where on work is refused; 0 looks at something not at all. */
export interface PressureLimits {
  /** Runs in flight. @default 1000 */
  readonly runs: number
  /** How late the event loop is on average, in ms. @default 500 */
  readonly loopDelay: number
  /** Share of the old generation's limit that is alive, in percent. @default 70 */
  readonly heapPercent: number
  /** Share of the memory of the container, or of the machine, that is in use, in percent. @default 90 */
  readonly memoryPercent: number
  /**
   * Bytes of the request bodies that are being received. It refuses bodies, and no request without one.
   * @default 64 MiB
   */
  readonly bodiesBytes: number
}

/** What holds where nothing is said. */
export const defaultPressureLimits: PressureLimits = Object.freeze({
  runs: 1000,
  loopDelay: 500,
  heapPercent: 70,
  memoryPercent: 90,
  bodiesBytes: 64 * 1024 * 1024,
})

/** `pressed`: what is optional is left out. `overloaded`: nothing new is begun. */
export type Pressure = 'calm' | 'pressed' | 'overloaded'

/** From this share of a limit on it is `pressed`. */
const pressedShare = 0.8

/** Time between two looks at the loop and the memory of the process, in ms. */
const sampleEvery = 250

/**
 * Time between two looks at the heap, in ms: a look takes 5 µs, and large answers fill a small heap within a few of
 * them.
 */
const heapEvery = 50

/** The share of CPU time that the collections of the meter may take; they separate live objects from garbage. */
const collectShares = { pressed: 0.02, overloaded: urgentShare } as const

/** What is seen of the process over one interval. */
export interface PressureSample extends MemoryReading {
  /** How late the event loop was on average, in ms. */
  readonly loopDelay: number
}

/** How hard the app is pressed; each run is counted in it. */
export interface PressureGauge extends LoadGauge {
  readonly level: Pressure
  readonly bodies: InboundBodies
  /** Takes what was seen of the process. */
  update(sample: PressureSample): void
  /** Takes what was seen of the memory alone. */
  updateMemory(reading: MemoryReading): void
  /** Returns how hard a reading of the memory presses. */
  memoryLevel(reading: MemoryReading): Pressure
}

/** Makes a gauge; only a loop that is late twice in a row counts as late, so that one hiccup refuses nobody. */
export function createPressureGauge({
  runs,
  loopDelay,
  heapPercent,
  memoryPercent,
  bodiesBytes,
}: PressureLimits): PressureGauge {
  let before = 0
  let late = 0
  let full = 0
  const fullness = (reading: MemoryReading) =>
    Math.max(shareOf(reading.heapPercent, heapPercent), shareOf(reading.memoryPercent, memoryPercent))
  return {
    runs: 0,
    bodies: new InboundBodies(bodiesBytes),
    get level() {
      return levelOf(Math.max(late, full, shareOf(this.runs, runs)))
    },
    get shedOptional() {
      return this.level !== 'calm'
    },
    update(sample) {
      late = shareOf(Math.min(before, sample.loopDelay), loopDelay)
      before = sample.loopDelay
      this.updateMemory(sample)
    },
    updateMemory(reading) {
      full = fullness(reading)
    },
    memoryLevel: reading => levelOf(fullness(reading)),
  }
}

function levelOf(share: number): Pressure {
  if (share >= 1) return 'overloaded'
  return share >= pressedShare ? 'pressed' : 'calm'
}

function shareOf(value: number, limit: number): number {
  return limit === 0 ? 0 : value / limit
}

/** Lets the gauge look at this process for as long as the app is there, and logs when its level changes. */
export function watchPressure(app: FastifyInstance, gauge: PressureGauge, limits: PressureLimits): void {
  const resolution = 20
  const delays = monitorEventLoopDelay({ resolution })
  const meter = new MemoryMeter(ownMemory(), limits)
  const ends: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let logged: Pressure = 'calm'
  let looks = 0
  let memoryPercent = 0
  app.addHook('onReady', done => {
    delays.enable()
    ends.push(meter.watch(), guardRoom(meter))
    timer = setInterval(() => {
      const isWhole = ++looks % (sampleEvery / heapEvery) === 0
      if (isWhole && limits.memoryPercent > 0) memoryPercent = meter.memoryPercent()
      const { alive, used } = meter.heap()
      const reading = { heapPercent: alive, memoryPercent }
      gauge.updateMemory(reading)
      // Dead objects are not to refuse requests, and the level is to follow what is alive: V8 collects when it likes.
      const doubt = gauge.memoryLevel({ heapPercent: Math.max(alive, used), memoryPercent })
      if (doubt !== 'calm') meter.collect(collectShares[doubt])
      if (!isWhole) return
      const sample = { ...reading, loopDelay: delays.count === 0 ? 0 : Math.max(0, delays.mean / 1e6 - resolution) }
      delays.reset()
      gauge.update(sample)
      const { level, runs } = gauge
      if (level !== logged) app.log.warn({ pressure: level, runs, ...sample }, 'the pressure has changed')
      logged = level
    }, heapEvery).unref()
    done()
  })
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    for (const end of ends) end()
    delays.disable()
    done()
  })
}
