import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance } from 'fastify'
import { InboundBodies } from './inbound-bodies.ts'
import type { Load } from './load.ts'

/** From where on work is refused; 0 looks at something not at all. */
export interface PressureLimits {
  /** Runs in flight. @default 1000 */
  readonly runs: number
  /** How late the event loop is on average, in ms. @default 500 */
  readonly loopDelay: number
  /** Share of the heap's limit that is in use, in percent. @default 90 */
  readonly heapPercent: number
  /** Bytes of the request bodies that are being received. It refuses bodies, and no request without one. @default 64 MiB */
  readonly bodiesBytes: number
}

/** What holds where nothing is said. */
export const defaultPressureLimits: PressureLimits = Object.freeze({ runs: 1000, loopDelay: 500, heapPercent: 90, bodiesBytes: 64 * 1024 * 1024 })

/** `pressed`: what is optional is left out. `overloaded`: nothing new is begun. */
export type Pressure = 'calm' | 'pressed' | 'overloaded'

/** From this share of a limit on it is `pressed`. */
const pressedShare = 0.8

/** How often the process is looked at, in ms. */
const sampleEvery = 250

/** What is seen of the process over one interval. */
export interface Sample {
  /** How late the event loop was on average, in ms. */
  readonly loopDelay: number
  readonly heapPercent: number
}

/** How hard the app is pressed; each run is counted in it. */
export interface PressureGauge extends Load {
  readonly level: Pressure
  readonly bodies: InboundBodies
  /** Takes what was seen of the process. */
  take (sample: Sample): void
}

/** Makes a gauge; only a loop that is late twice in a row counts as late, so that one hiccup refuses nobody. */
export function createGauge ({ runs, loopDelay, heapPercent, bodiesBytes }: PressureLimits): PressureGauge {
  let before = 0
  let sampled = 0
  return {
    runs: 0,
    bodies: new InboundBodies(bodiesBytes),
    get level () {
      const share = Math.max(sampled, shareOf(this.runs, runs))
      if (share >= 1) return 'overloaded'
      return share >= pressedShare ? 'pressed' : 'calm'
    },
    get shedOptional () {
      return this.level !== 'calm'
    },
    take (sample) {
      sampled = Math.max(shareOf(Math.min(before, sample.loopDelay), loopDelay), shareOf(sample.heapPercent, heapPercent))
      before = sample.loopDelay
    },
  }
}

function shareOf (value: number, limit: number): number {
  return limit === 0 ? 0 : value / limit
}

/** Lets the gauge look at this process for as long as the app is there, and logs when its level changes. */
export function watchProcess (app: FastifyInstance, gauge: PressureGauge): void {
  const resolution = 20
  const delays = monitorEventLoopDelay({ resolution })
  let timer: NodeJS.Timeout | undefined
  let logged: Pressure = 'calm'
  app.addHook('onReady', done => {
    delays.enable()
    timer = setInterval(() => {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
      const sample = { loopDelay: delays.count === 0 ? 0 : Math.max(0, delays.mean / 1e6 - resolution), heapPercent: 100 * used / limit }
      delays.reset()
      gauge.take(sample)
      const { level, runs } = gauge
      if (level !== logged) app.log.warn({ pressure: level, runs, ...sample }, 'the pressure has changed')
      logged = level
    }, sampleEvery).unref()
    done()
  })
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    delays.disable()
    done()
  })
}
