import { faultyProxy } from '../../../test/helpers/faulty-proxy.ts'
import { swappingProxy, type SwappingProxy } from '../../../test/helpers/swapping-proxy.ts'

/** Changes the fault of the proxies. They answer with an empty message. */
export interface ProxyRequest {
  readonly delayMs?: number
  readonly mode?: SwappingProxy['mode']
}

// A process of the bench: proxies in front of the Redis at the port of the first argument. It ends with the bench.
const untilExit = { teardown() {} }
const slow = await faultyProxy(untilExit, Number(process.argv[2]))
const swapping = await swappingProxy(untilExit, slow.port)
process.on('disconnect', () => process.exit())
process.on('message', ({ delayMs, mode }: ProxyRequest) => {
  if (delayMs !== undefined) slow.delayMs = delayMs
  if (mode !== undefined) swapping.mode = mode
  process.send?.({})
})
process.send?.({ port: Number(new URL(swapping.url).port) })
