// node bench/scenarios/soak/service.ts <steady> <shaky> <broken>: a service with three upstreams that reports its
// resources.
import { subscribe } from 'node:diagnostics_channel'
import { Socket, type AddressInfo } from 'node:net'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import { headwaters } from '../../../src/http/plugin.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { announce } from '../../lib/announce.ts'
import { heapAfterGc } from '../../lib/heap.ts'

/** Resources of the service at one moment. */
export interface SoakSample {
  readonly heapBytes: number
  /** Number of listeners on `process` for all events. */
  readonly processListeners: number
  /** Maximum number of listeners on one socket. */
  readonly socketListeners: number
  /** Number of active resources of the process by kind: sockets, timers, servers. */
  readonly resources: Readonly<Record<string, number>>
  /** Number of calls that hold a slot or wait for one. */
  readonly held: number
  /** Maximum number of concurrent calls by upstream. */
  readonly mostActive: Readonly<Record<string, number>>
  readonly mostSockets: Readonly<Record<string, number>>
  /** Unhandled rejections, and warnings, for example of too many listeners. */
  readonly complaints: readonly string[]
}

const concurrency = 32
/** The pool has one connection per permit, so that a run reaches the limit on connections. */
const connections = concurrency
const [steadyOrigin = '', shakyOrigin = '', brokenOrigin = ''] = process.argv.slice(2)
const operations = {
  get: operation({ path: '/', output: z.object({ ok: z.boolean() }) }),
  one: operation({ path: '/', output: z.object({ ok: z.boolean() }), coalesce: true }),
}
const steady = defineUpstream(
  'steady',
  { origin: steadyOrigin, concurrency, connections, attemptTimeout: 400, hedge: true },
  operations,
)
const shaky = defineUpstream(
  'shaky',
  { origin: shakyOrigin, concurrency, connections, attemptTimeout: 400, hedge: true, retry: { maxAttempts: 3 } },
  operations,
)
const broken = defineUpstream(
  'broken',
  { origin: brokenOrigin, concurrency, connections, attemptTimeout: 400, breaker: { openDuration: 500 } },
  operations,
)

const soak = aggregate('soak', { url: '/', deadline: 1200 })
  .each('steady', () => times(4, () => steady.get()))
  .each('shaky', () => times(3, () => shaky.get()), { minSuccess: 0, fallback: null })
  .optional('shared', () => shaky.one(), { fallback: null })
  .optional('broken', () => broken.get(), { fallback: null })
  .firstOf('any', () => [steady.get(), shaky.get()])
  .reply(z.object({ ok: z.boolean() }), ({ any }) => any)

const complaints: string[] = []
process.on('unhandledRejection', reason => complaints.push(`unhandled rejection: ${String(reason)}`))
process.on('warning', warning => complaints.push(`warning: ${warning.message}`))

const open: Record<string, number> = {}
const mostSockets: Record<string, number> = {}
const nameOf: Readonly<Record<string, string>> = {
  [new URL(steadyOrigin).port]: 'steady',
  [new URL(shakyOrigin).port]: 'shaky',
  [new URL(brokenOrigin).port]: 'broken',
}
subscribe('undici:client:connected', message => {
  const {
    connectParams: { port },
    socket,
  } = message as { readonly connectParams: { readonly port: string }; readonly socket: Socket }
  const name = nameOf[port] as string
  mostSockets[name] = Math.max(mostSockets[name] ?? 0, (open[name] = (open[name] ?? 0) + 1))
  socket.once('close', () => {
    open[name] = (open[name] as number) - 1
  })
})

const runtime = createRuntime()
const mostActive: Record<string, number> = {}
const app = buildApp([])
await app.register(headwaters, { aggregates: [soak], runtime, describe: false })
app.addHook('onResponse', (_request, _reply, done) => {
  for (const [name, { active }] of Object.entries(runtime.stats()))
    mostActive[name] = Math.max(mostActive[name] ?? 0, active)
  done()
})

const listenersOf = (emitter: NodeJS.EventEmitter) =>
  emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)

function sample(): SoakSample {
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  const { _getActiveHandles: handles } = process as unknown as { readonly _getActiveHandles: () => unknown[] }
  return {
    heapBytes: heapAfterGc(),
    processListeners: listenersOf(process),
    socketListeners: Math.max(
      0,
      ...handles()
        .filter(handle => handle instanceof Socket)
        .map(listenersOf),
    ),
    resources,
    held: Object.values(runtime.stats()).reduce((sum, { active, queued }) => sum + active + queued, 0),
    mostActive,
    mostSockets,
    complaints,
  }
}

process.on('message', (message: { readonly sample?: true }) => {
  if (message.sample !== undefined) process.send?.(sample())
})

await app.listen({ port: 0, host: '127.0.0.1' })
announce((app.server.address() as AddressInfo).port)
