import { monitorEventLoopDelay } from 'node:perf_hooks'

/** The message that asks a process of Node for its usage. */
export interface UsageRequest {
  readonly cpu: true
  /** Resolution of the event loop delay monitor, in ms. The first message with this field starts the monitor. */
  readonly resolutionMs?: number
}

/** The usage that a process reports. */
export interface ProcessUsage {
  /** User and system time of the whole process. */
  readonly cpuMicros: number
  /** Peak of the resident memory. */
  readonly peakBytes: number
  /** Maximum event loop delay since the last request, in ms. No turn of the event loop took longer. */
  readonly stallMs: number
}

/** Sends the port to the parent once, and the usage of this process whenever the parent asks for it. */
export function announce(port: number) {
  let loopDelay: ReturnType<typeof monitorEventLoopDelay> | undefined

  process.on('message', message => {
    if (!isUsageRequest(message)) return
    const { user, system } = process.cpuUsage()
    const stallMs = loopDelay === undefined ? 0 : loopDelay.max / 1e6
    process.send?.({
      cpuMicros: user + system,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      stallMs,
    } satisfies ProcessUsage)
    loopDelay?.reset()
    if (loopDelay === undefined && message.resolutionMs !== undefined)
      (loopDelay = monitorEventLoopDelay({ resolution: message.resolutionMs })).enable()
  })
  // A parent that SIGKILL ended cannot stop its children. So the child exits when the channel to the parent closes.
  process.on('disconnect', () => process.exit())
  process.send?.({ port })
}

/** Returns the origin of the upstream: the first argument of this process. */
export function upstreamOrigin(): string {
  const origin = process.argv[2]
  if (origin === undefined)
    throw new Error(
      'a target needs the origin of the upstream as its argument; start it with `node bench/compare/run.ts`',
    )
  return origin
}

function isUsageRequest(message: unknown): message is UsageRequest {
  return typeof message === 'object' && message !== null && 'cpu' in message
}
