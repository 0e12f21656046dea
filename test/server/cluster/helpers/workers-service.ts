import { once } from 'node:events'
import { request, type Agent } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { definitionsFolder } from '../../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../../helpers/raw-upstream.ts'
import { startService, type Environment, type ProcessOptions } from '../../../helpers/service-process.ts'

/**
 * Aggregates that say which process answers, that wait for their upstream, that hold the loop of their process for 2 s
 * or for ever, and that end it.
 */
export const definitions = ({ version = 1, concurrency = 8, atLoad = '' } = {}) => `
import cluster from 'node:cluster'
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

${atLoad}
const limits = { concurrency: ${concurrency}, maxQueue: 0, attemptTimeout: 60_000 }
const source = defineUpstream('source', { origin: 'http://127.0.0.1:9', ...limits }, {
  ask: operation({ path: '/', output: z.unknown() }),
})
const options = { deadline: 60_000 }
const who = { pid: process.pid, version: ${version}, variable: process.env['VARIABLE'], task: process.env['HEADWATERS_WORKER'] }
export const whoAnswers = aggregate('who', { url: '/who', ...options }).reply(z.unknown(), () => who)
export const hung = aggregate('hung', { url: '/hung', ...options }).required('it', () => source.ask()).reply(z.unknown(), () => who)
export const crash = aggregate('crash', { url: '/crash', ...options }).reply(z.unknown(), () => { process.kill(process.pid, 'SIGKILL') })
export const stuck = aggregate('stuck', { url: '/stuck', ...options }).required('it', () => source.ask())
  .reply(z.unknown(), () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })
export const spin = aggregate('spin', { url: '/spin', ...options }).reply(z.unknown(), () => { for (;;) {} })
export const turn = aggregate('turn', { url: '/turn', ...options }).reply(z.unknown(), () => {
  const end = performance.now() + 2000
  while (performance.now() < end) {}
  return who
})
`

/** Who answered. */
export interface Who {
  readonly pid: number
  readonly version: number
  readonly variable?: string
  readonly task?: string
}

export interface WorkersServiceOptions extends ProcessOptions {
  readonly environment?: Environment
  readonly flags?: readonly string[]
  readonly definitions?: string
}

/** The service with two workers, over an upstream that takes every request and answers none by itself. */
export async function workersService(
  t: Test,
  {
    environment = {},
    flags = ['--workers', '2'],
    definitions: text = definitions(),
    ...options
  }: WorkersServiceOptions = {},
) {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => {
    answers.push(() => socket.write(json('at last')))
  })
  const { path, write } = definitionsFolder(t, { 'aggregates.mjs': text })
  const service = await startService(
    t,
    { HEADWATERS_UPSTREAM_SOURCE_ORIGIN: upstream.origin, ...environment },
    ['serve', path, ...flags],
    options,
  )
  // The first line is of the first worker; this one comes when all of them are there.
  await service.said('serving')
  return {
    ...service,
    upstream,
    answers,
    define: (next: string) => write('aggregates.mjs', next),
    ask: (url: string, agent?: Agent) => ask(service.origin + url, agent),
  }
}

export interface Heard {
  readonly status: number
  readonly connection: string | undefined
  readonly body: { readonly data: Who; readonly code?: string }
}

/** Asks over a connection of its own, or over one of the agent's. */
export async function ask(url: string, agent?: Agent): Promise<Heard> {
  const asking = request(url, { agent: agent ?? false }).end()
  const [response] = await once(asking, 'response')
  return {
    status: response.statusCode,
    connection: response.headers.connection,
    body: JSON.parse(await text(response)),
  }
}

/** Asks over so many connections, one after the other, and gives the processes that answered. */
export async function whoAnswers(askOnce: (url: string) => Promise<Heard>, times: number): Promise<Who[]> {
  const answers: Who[] = []
  for (let time = 0; time < times; time++) answers.push((await askOnce('/who')).body.data)
  return answers
}
