import { once } from 'node:events'
import { request } from 'node:http'
import { json as readJson } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { KeptRun, RunList } from '../../../../src/waterfall/kept-run.ts'
import { definitionsFolder } from '../../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../../helpers/raw-upstream.ts'
import type { Environment } from '../../../helpers/service-process.ts'
import { adminService } from '../../admin/helpers/admin-service.ts'

/**
 * Aggregates that call an upstream, that end their process, and that block it for 6 s in a step or in the merge. `sent`
 * returns the kinds of the messages that its process has sent to the primary.
 */
export const definitions = ({ name = 'ask', atLoad = '' } = {}) => `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

${atLoad}
const kinds = []
const { send } = process
if (send !== undefined)
  process.send = function (message, ...rest) {
    if (message?.headwaters !== undefined) kinds.push(message.kind)
    return send.call(this, message, ...rest)
  }
const source = defineUpstream('source', { origin: 'http://127.0.0.1:9', retry: false }, {
  ask: operation({ path: '/', output: z.unknown() }),
})
const options = { deadline: 60_000 }
export const ask = aggregate('${name}', { url: '/${name}', ...options }).required('it', () => source.ask())
  .reply(z.unknown(), ({ it }) => it)
export const stall = aggregate('stall', { url: '/stall', ...options })
  .required('it', () => {
    const end = performance.now() + 6000
    while (performance.now() < end);
    return source.ask()
  })
  .reply(z.unknown(), ({ it }) => it)
export const one = aggregate('one', { url: '/one' }).reply(z.unknown(), () => process.pid)
export const sent = aggregate('sent', { url: '/sent' }).reply(z.unknown(), () => ({ pid: process.pid, kinds: [...kinds] }))
export const crash = aggregate('crash', { url: '/crash' }).reply(z.unknown(), () => { process.kill(process.pid, 'SIGKILL') })
export const block = aggregate('block', { url: '/block', ...options }).reply(z.unknown(), () => {
  const end = performance.now() + 6000
  while (performance.now() < end);
  return process.pid
})
`

/** The reply of the service, or of its admin listener. */
export interface Reply<T = unknown> {
  readonly status: number
  readonly requestId: string
  readonly body: T
}

/** Sends a GET over a connection of its own, so that the next one goes to the next worker. */
export async function get<T>(port: number, path: string): Promise<Reply<T>> {
  const [response] = await once(request({ host: '127.0.0.1', port, path, agent: false }).end(), 'response')
  return {
    status: response.statusCode,
    requestId: response.headers['x-request-id'],
    body: (await readJson(response)) as T,
  }
}

/** The service with two workers and an admin listener, over an upstream that the test makes fail and heal. */
export async function twoWorkers(t: Test, environment: Environment = {}, text = definitions()) {
  const upstreamState = { isFailing: false }
  const upstream = await rawUpstream(t, socket =>
    socket.write(upstreamState.isFailing ? json({ no: 1 }, 500) : json({ yes: 1 })),
  )
  const { path, write } = definitionsFolder(t, { 'aggregates.mjs': text })
  const service = await adminService(
    t,
    { HEADWATERS_UPSTREAM_SOURCE_ORIGIN: upstream.origin, WORKER_HEARTBEAT_MS: '0', ...environment },
    ['serve', path, '--workers', '2'],
  )
  await service.said('serving')
  return {
    ...service,
    upstream: upstreamState,
    define: (next: string) => write('aggregates.mjs', next),
    ask: <T = unknown>(url: string) => get<{ data: T }>(service.port, url),
    /** Sends as many requests, one after the other: each worker gets every second one. */
    askTimes: async (url: string, times: number): Promise<Reply[]> => {
      const replies: Reply[] = []
      for (let time = 0; time < times; time++) replies.push(await get(service.port, url))
      return replies
    },
    admin: <T = KeptRun>(url: string) => get<T>(service.adminPort, url),
    list: async (query = '') => (await get<RunList>(service.adminPort, `/requests${query}`)).body,
  }
}
