import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type Fault } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { begin } from '../fanout/fan-out.ts'
import type { RunEvent } from '../fanout/events.ts'
import type { Outcome } from '../fanout/outcome.ts'
import type { Reply } from '../fanout/reply.ts'
import type { Runtime } from '../upstream/runtime.ts'
import { acceptsJson } from './accept.ts'
import { cacheStatus } from './cache-status.ts'
import type { Load } from './load.ts'
import { notModified } from './not-modified.ts'
import { why } from './why.ts'

/** Why a run is cancelled whose caller has gone. */
const callerGone = new DOMException('the caller has gone', 'AbortError')

/** A call that failed without failing the run, as the log has it. */
interface Lost { readonly step: string | undefined, readonly code: string, readonly why: string | undefined }

/** Lost calls that are logged of one run. */
const mostLost = 10

/** What runs are made with. */
export interface Serving {
  readonly runtime: Runtime
  readonly load: Load | undefined
}

/** Runs an aggregate for one request and writes what it comes to. */
export async function answer (aggregate: AnyAggregate, { runtime, load }: Serving, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { params, query, body, headers, raw: { url = '' } } = request
  if (!acceptsJson(headers.accept)) throw new Problem('NOT_ACCEPTABLE')
  const faults: Fault[] = []
  checkQuery(url, faults)
  const deadline = deadlineOf(headers['x-request-timeout-ms'], faults)
  const lost: Lost[] = []
  const onEvent = (event: RunEvent) => {
    if (event.type !== 'call ended' || lost.length >= mostLost) return
    const error = event.error ?? event.cached?.insteadOf
    if (error !== undefined) lost.push({ step: aggregate.steps[event.step]?.name, code: error.code, why: why(error) })
  }
  const run = begin(aggregate, { params, query, body, headers }, { runtime, deadline, shedOptional: load?.shedOptional, onEvent }, faults)

  const { raw } = reply
  // Gone while a hook was waiting, when nobody listened yet.
  if (raw.destroyed) return reply.hijack()
  raw.once('close', () => {
    if (!raw.writableFinished) run.cancel(callerGone)
  })
  let merged: Reply<unknown, string> | undefined
  if (load !== undefined) load.runs++
  try {
    merged = await run.start()
  } catch (error) {
    if (error !== callerGone) throw error
  } finally {
    if (load !== undefined) load.runs--
  }
  // Nobody is there to be answered, and nothing has failed.
  if (merged === undefined) return reply.hijack()
  if (!merged.complete) request.log.info({ aggregate: aggregate.name, lost }, 'a reply is partial')
  return write(aggregate, merged, request, reply)
}

function write ({ route }: AnyAggregate, { data, complete, sources, headers }: Reply<unknown, string>, request: FastifyRequest, reply: FastifyReply): string | FastifyReply {
  const json = JSON.stringify(data)
  reply.type('application/json; charset=utf-8').header('server-timing', serverTiming(sources))
  const cached = cacheStatus(sources)
  if (cached !== '') reply.header('cache-status', cached)
  if (headers !== undefined) reply.headers(headers as Record<string, string | string[]>)
  // A partial answer is nothing to keep, and nothing to compare with.
  if (route.cacheControl === undefined || !complete) reply.header('cache-control', 'no-store')
  else {
    const tag = `W/"${hash('sha1', json, 'base64url')}"`
    reply.header('cache-control', route.cacheControl).header('etag', tag).header('vary', varyOf(route.headers, reply.getHeader('vary')))
    if (notModified(request, reply, tag)) return reply
  }
  if (route.envelope) return `{"data":${json},"complete":${complete},"sources":${JSON.stringify(sources)}}`
  reply.header('headwaters-complete', complete ? '?1' : '?0').header('headwaters-sources', sourcesHeader(sources))
  return json
}

/** A metric for each step that started (W3C Server-Timing). */
function serverTiming (sources: Readonly<Record<string, Outcome>>): string {
  let text = ''
  for (const [name, { start, ms, state }] of Object.entries(sources)) {
    if (start !== undefined) text += `${text === '' ? '' : ', '}${name};dur=${ms};desc="${state}"`
  }
  return text
}

/** The sources as a dictionary of RFC 9651: `ninja=ok;start=0.4;ms=31.2;attempts=1, meow=fallback;start=0.5;ms=12;attempts=1;code=UPSTREAM_STATUS`. */
function sourcesHeader (sources: Readonly<Record<string, Outcome>>): string {
  return Object.entries(sources).map(([name, { state, failed, ...rest }]) => {
    const numbers = Object.entries(rest).map(([key, value]) => `;${key}=${value}`).join('')
    return `${name.toLowerCase()}=${state}${numbers}${failed === undefined ? '' : `;failed=${failed.length}`}`
  }).join(', ')
}

function varyOf (headers: AnyAggregate['route']['headers'], before: unknown): string {
  const shape = (headers?._zod.def as { readonly shape?: object } | undefined)?.shape ?? {}
  return [...typeof before === 'string' ? [before] : [], 'accept', ...Object.keys(shape)].join(', ')
}

/** Bad percent-encoding is refused, where the parser would take it for text. */
function checkQuery (url: string, faults: Fault[]): void {
  const at = url.indexOf('?')
  if (at === -1 || !url.includes('%', at)) return
  try {
    decodeURIComponent(url.slice(at + 1))
  } catch {
    faults.push({ pointer: '/query', reason: 'is not valid percent-encoded UTF-8' })
  }
}

/** The caller's own deadline, in ms; it can shorten the aggregate's and not extend it. */
function deadlineOf (value: string | string[] | undefined, faults: Fault[]): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && /^\d{1,9}$/.test(value) && Number(value) >= 1) return Number(value)
  faults.push({ pointer: '/headers/x-request-timeout-ms', reason: 'must be a whole number of milliseconds, 1 or more' })
  return undefined
}
