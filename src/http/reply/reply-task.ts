import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type Fault } from '../../errors.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { endToEnd } from '../../fanout/end-to-end.ts'
import { startRun } from '../../fanout/fan-out.ts'
import type { Outcome } from '../../fanout/outcome.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { RunCompletion, Run } from '../../fanout/run.ts'
import { deferIfSliced } from '../../core/sliced.ts'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { writeJson } from '../../core/json/write.ts'
import type { Runtime } from '../../upstream/runtime.ts'
import { acceptsJson } from './accept.ts'
import { cacheStatus } from './cache-status.ts'
import { varyOfKept, type Warned } from './cache-control.ts'
import type { Load } from '../guard/load.ts'
import { notModified } from './not-modified.ts'
import { effectiveId } from './request-id.ts'
import { logOutcome } from '../log/request-outcome.ts'
import { discardBody } from '../bodies/unread-body.ts'
import { addVary } from './vary.ts'
import { causeChain } from '../problems/cause-chain.ts'

/** Why a run is cancelled whose caller has gone. */
const callerGone = new DOMException('the caller has gone', 'AbortError')

/**
 * A caller's deadline below this counts as this, in ms: a run that ends before its upstreams can answer costs them a
 * connection for each call.
 */
const minDeadline = 10

/** From so many characters on a reply goes out as bytes: Node would put its head and a text together, and copy both. */
const longText = 16 * 1024

/** What runs are made with. */
export interface Serving {
  readonly runtime: Runtime
  readonly load: Load | undefined
  readonly warned: Warned
}

/**
 * Runs an aggregate for one request and writes what it comes to. Throws a `Problem` for a request that cannot be run.
 */
export function answer(aggregate: AnyAggregate, serving: Serving, request: FastifyRequest, reply: FastifyReply): void {
  const {
    params,
    query,
    body,
    headers,
    raw,
    raw: { url = '' },
  } = request
  // Fastify reads no body of a GET.
  if (body === undefined) discardBody(raw)
  if (!acceptsJson(headers.accept)) throw new Problem('NOT_ACCEPTABLE')
  const faults: Fault[] = []
  checkQuery(url, faults)
  const deadline = deadlineOf(headers['x-request-timeout-ms'], faults)
  // The caller's own id may have been replaced; one that its `connection` names is still the id of this request.
  const own = endToEnd(headers)
  own['x-request-id'] = effectiveId(request, reply)
  const run = startRun(
    aggregate,
    { params, query, body, headers: own },
    { runtime: serving.runtime, deadline, shedOptional: serving.load?.shedOptional },
    faults,
  )
  // Gone while a hook was waiting, when nobody listened yet.
  if (reply.raw.destroyed) reply.hijack()
  else new ReplyTask(aggregate, serving, request, reply, run).start()
}

/** One request whose run is under way. */
class ReplyTask implements RunCompletion {
  readonly #aggregate: AnyAggregate
  readonly #load: Load | undefined
  readonly #warned: Warned
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #run: Run

  constructor(
    aggregate: AnyAggregate,
    { load, warned }: Serving,
    request: FastifyRequest,
    reply: FastifyReply,
    run: Run,
  ) {
    this.#aggregate = aggregate
    this.#load = load
    this.#warned = warned
    this.#request = request
    this.#reply = reply
    this.#run = run
  }

  start(): void {
    const { raw } = this.#reply
    raw.on('close', () => {
      if (!raw.writableFinished) this.#run.cancel(callerGone)
    })
    if (this.#load !== undefined) this.#load.runs++
    this.#run.startFor(this)
  }

  resolve(merged: Reply<unknown, string>): void {
    this.#over()
    if (!merged.complete) this.#logLost()
    // A reply that was completed by a large part is large itself.
    deferIfSliced(() => this.#write(merged))
  }

  #write(merged: Reply<unknown, string>): void {
    if (this.#hasLeft()) return
    let text: unknown
    try {
      // Writing a value may read headers that a layer has put into it, so `vary` is decided after that.
      const data =
        merged.complete && this.#run.reads !== undefined
          ? writeJson(merged.data ?? null, hasBigint(this.#aggregate.schema))
          : undefined
      const vary =
        data === undefined ? undefined : varyOfKept(this.#aggregate, this.#run, this.#warned, this.#request.log)
      text = write(this.#aggregate, merged, data, vary, this.#request, this.#reply)
    } catch (error) {
      text = error
    }
    if (text === undefined) return
    if (typeof text !== 'string' || text.length <= longText) return void this.#reply.send(text)
    deferIfSliced(() => {
      if (!this.#hasLeft()) this.#reply.send(Buffer.from(text))
    })
  }

  /** Whether the caller has left while a turn of the loop was awaited; then nobody is answered. */
  #hasLeft(): boolean {
    const { destroyed } = this.#reply.raw
    if (destroyed) this.#reply.hijack()
    return destroyed
  }

  reject(error: unknown): void {
    this.#over()
    // Nobody is there to be answered, and nothing has failed.
    if (error === callerGone) this.#reply.hijack()
    else this.#reply.send(error)
  }

  #logLost(): void {
    const { name, steps } = this.#aggregate
    const lost = this.#run.lost.map(({ step, error }) => ({
      step: steps[step]?.name,
      code: error.code,
      why: causeChain(error),
    }))
    logOutcome(this.#request, { level: 'info', fields: { aggregate: name, lost }, msg: 'a reply is partial' })
  }

  #over(): void {
    if (this.#load !== undefined) this.#load.runs--
  }
}

function write(
  { route, schema }: AnyAggregate,
  { data, complete, sources, headers }: Reply<unknown, string>,
  text: string | undefined,
  vary: string | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): string | undefined {
  reply.type('application/json; charset=utf-8').header('server-timing', serverTiming(sources))
  const cached = cacheStatus(sources)
  if (cached !== '') reply.header('cache-status', cached)
  if (headers !== undefined) reply.headers(headers as Record<string, string | string[]>)
  const isExact = hasBigint(schema)
  // A partial answer is nothing to keep, and nothing to compare with.
  if (text === undefined || vary === undefined) reply.header('cache-control', 'no-store')
  else {
    const tag = `W/"${hash('sha1', text, 'base64url')}"`
    reply.header('cache-control', route.cacheControl).header('etag', tag)
    addVary(reply, vary)
    if (notModified(request, reply, tag)) return undefined
  }
  // As one value where there is no text yet: pieces put together are copied once more.
  if (route.envelope)
    return text === undefined
      ? writeJson({ data: data ?? null, complete, sources }, isExact)
      : `{"data":${text},"complete":${complete},"sources":${JSON.stringify(sources)}}`
  reply.header('headwaters-complete', complete ? '?1' : '?0').header('headwaters-sources', sourcesHeader(sources))
  return text ?? writeJson(data ?? null, isExact)
}

/** A metric for each step that started (W3C Server-Timing). */
function serverTiming(sources: Readonly<Record<string, Outcome>>): string {
  let text = ''
  for (const [name, { start, ms, state }] of Object.entries(sources)) {
    if (start !== undefined) text += `${text === '' ? '' : ', '}${name};dur=${ms};desc="${state}"`
  }
  return text
}

/**
 * The sources as a dictionary of RFC 9651: `ninja=ok;start=0.4;ms=31.2;attempts=1,
 * meow=fallback;start=0.5;ms=12;attempts=1;code=UPSTREAM_STATUS`.
 */
function sourcesHeader(sources: Readonly<Record<string, Outcome>>): string {
  return Object.entries(sources)
    .map(([name, { state, failed, ...rest }]) => {
      const numbers = Object.entries(rest)
        .map(([key, value]) => `;${key}=${value}`)
        .join('')
      return `${name.toLowerCase()}=${state}${numbers}${failed === undefined ? '' : `;failed=${failed.length}`}`
    })
    .join(', ')
}

/** Bad percent-encoding is refused, where the parser would take it for text. */
function checkQuery(url: string, faults: Fault[]): void {
  const at = url.indexOf('?')
  if (at === -1 || !url.includes('%', at)) return
  try {
    decodeURIComponent(url.slice(at + 1))
  } catch {
    faults.push({ pointer: '/query', reason: 'is not valid percent-encoded UTF-8' })
  }
}

/** The caller's own deadline, in ms, and at least `minDeadline`; it can shorten the aggregate's and not extend it. */
function deadlineOf(value: string | string[] | undefined, faults: Fault[]): number | undefined {
  if (value === undefined) return undefined
  // A caller that computes what is left of its own time may come below 0.
  if (typeof value === 'string' && /^-?\d{1,9}$/.test(value)) return Math.max(minDeadline, Number(value))
  faults.push({ pointer: '/headers/x-request-timeout-ms', reason: 'must be a whole number of milliseconds' })
  return undefined
}
