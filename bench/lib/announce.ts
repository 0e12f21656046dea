import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What a process of Node is asked. */
export interface UsageRequest {
  readonly cpu: true
  /** How often a timer beats in its loop, in ms, from the first question on; none without. */
  readonly resolutionMs?: number
}

/** What it says of itself. */
export interface ProcessUsage {
  /** User and system time of the whole process. */
  readonly cpuMicros: number
  /** The most memory it ever had resident. */
  readonly peakBytes: number
  /** The longest time between two beats since it was asked last: no turn of its loop took longer. */
  readonly stallMs: number
}

/** What every child of the bench tells its parent: its port once, and what it used when asked. */
export function announce(port: number) {
  let beats: ReturnType<typeof monitorEventLoopDelay> | undefined

  process.on('message', message => {
    if (!isCpuQuestion(message)) return
    const { user, system } = process.cpuUsage()
    const stallMs = beats === undefined ? 0 : beats.max / 1e6
    process.send?.({
      cpuMicros: user + system,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      stallMs,
    } satisfies ProcessUsage)
    beats?.reset()
    if (beats === undefined && message.resolutionMs !== undefined)
      (beats = monitorEventLoopDelay({ resolution: message.resolutionMs })).enable()
  })
  // A parent that was killed hard cannot stop its children.
  process.on('disconnect', () => process.exit())
  process.send?.({ port })
}

/** The address of the upstream that a target is started with. */
export function upstreamOrigin(): string {
  const origin = process.argv[2]
  if (origin === undefined)
    throw new Error(
      'a target needs the origin of the upstream as its argument; start it with `node bench/compare/run.ts`',
    )
  return origin
}

function isCpuQuestion(message: unknown): message is UsageRequest {
  return typeof message === 'object' && message !== null && 'cpu' in message
}
