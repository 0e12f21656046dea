import { catfactNinja } from './catfact-ninja.ts'
import type { FaultKind } from './faults.ts'
import { hash } from './random.ts'
import { createLatency } from './latency.ts'
import { meowfacts } from './meowfacts.ts'
import { startDemoUpstream } from './server.ts'
import { theCatApi } from './the-cat-api.ts'
import { wikipedia } from './wikipedia.ts'

const routesOf = {
  'catfact-ninja': catfactNinja,
  meowfacts,
  'the-cat-api': theCatApi,
  wikipedia,
}

/** The name of a demo upstream. It is also the name of the real upstream. */
export type DemoUpstreamName = keyof typeof routesOf

/** Options of the demo upstreams. */
export interface DemoUpstreamsOptions {
  /**
   * The median delay, in milliseconds. With 0 there is no delay.
   * @default 15
   */
  medianMs?: number
  /**
   * The maximum delay, in milliseconds.
   * @default 300
   */
  maxMs?: number
  /**
   * The seed. Equal seeds give equal answers, delays and faults for each request.
   * @default 1
   */
  seed?: number
  /**
   * The ratio of requests with a fault, 0 to 1.
   * @default 0
   */
  faultRate?: number
  /**
   * The kinds of faults.
   * @default all
   */
  faultKinds?: readonly FaultKind[]
}

/** The running demo upstreams. */
export interface DemoUpstreams {
  readonly origins: Readonly<Record<DemoUpstreamName, string>>
  /** Sets the ratio of later requests with a fault, 0 to 1. */
  setFaultRate: (rate: number) => void
  /** Closes all demo upstreams at once. */
  close: () => Promise<void>
}

/** Starts all demo upstreams on the loopback interface, each on a free port. */
export async function startDemoUpstreams(options: DemoUpstreamsOptions = {}): Promise<DemoUpstreams> {
  const { medianMs = 15, maxMs = 300, seed = 1, faultRate = 0, faultKinds } = options

  async function start(name: DemoUpstreamName, index: number) {
    const own = hash(seed, index)
    const latency = createLatency({ seed: own, medianMs, maxMs })
    return startDemoUpstream({ name, routes: routesOf[name](own), latency, faultRate, faultKinds, seed: own })
  }

  const [ninja, meow, catApi, wiki] = await Promise.all([
    start('catfact-ninja', 0),
    start('meowfacts', 1),
    start('the-cat-api', 2),
    start('wikipedia', 3),
  ])
  const all = [ninja, meow, catApi, wiki]

  return {
    origins: {
      'catfact-ninja': ninja.origin,
      meowfacts: meow.origin,
      'the-cat-api': catApi.origin,
      wikipedia: wiki.origin,
    },
    setFaultRate(rate) {
      for (const demoUpstream of all) demoUpstream.setFaultRate(rate)
    },
    async close() {
      await Promise.all(all.map(demoUpstream => demoUpstream.close()))
    },
  }
}
