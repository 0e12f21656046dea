import { Agent, Client, fetch, H2CClient, Pool, type Dispatcher } from 'undici'
import { Abort } from '../../../src/core/abort.ts'
import { LiveCall } from '../../../src/upstream/call/live-call.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { dispatch } from '../../../src/upstream/transport/dispatch.ts'
import { openPool, type PoolOptions } from '../../../src/upstream/transport/pool.ts'
import { Fact } from '../../compare/workload/fact.ts'

/** The origins of the upstreams of the bench. */
export interface Origins {
  /** HTTP/1.1 with a prebuilt answer. */
  readonly plain: string
  /** HTTP/1.1 with a prebuilt answer in gzip. */
  readonly zipped: string
  /** HTTP/2 without TLS. */
  readonly h2c: string
  /** TLS with HTTP/2 if the client negotiates it, otherwise with HTTP/1.1. */
  readonly tls: string
}

/** Sends a call and calls the callback when the complete answer has arrived. */
export type SendCall = (done: (error?: unknown) => void) => void

export interface Variant {
  readonly name: string
  /** Number of calls in flight. */
  readonly concurrency: number
  readonly open: (origins: Origins) => { readonly send: SendCall; readonly close: () => Promise<unknown> }
}

const get = { path: '/fact', method: 'GET' } as const

/** The compared variants. The first variant is the reference. */
export const variants: readonly Variant[] = [
  { name: 'Pool.request', concurrency: 64, open: ({ plain }) => byRequest(new Pool(plain, { connections: 64 })) },
  { name: 'Pool.dispatch', concurrency: 64, open: ({ plain }) => byDispatch(new Pool(plain, { connections: 64 })) },
  { name: 'own pool', concurrency: 64, open: ({ plain }) => byOwn(plain, { connections: 80 }) },
  { name: 'own pool, concurrency 16', concurrency: 16, open: ({ plain }) => byOwn(plain, { connections: 32 }) },
  { name: 'own pool, concurrency 256', concurrency: 256, open: ({ plain }) => byOwn(plain, { connections: 272 }) },
  { name: 'own pool, no spare connection', concurrency: 64, open: ({ plain }) => byOwn(plain, { connections: 64 }) },
  { name: 'own pool, 8 spare connections', concurrency: 64, open: ({ plain }) => byOwn(plain, { connections: 72 }) },
  { name: 'own pool, 32 spare connections', concurrency: 64, open: ({ plain }) => byOwn(plain, { connections: 96 }) },
  { name: 'own pool, 64 spare connections', concurrency: 64, open: ({ plain }) => byOwn(plain, { connections: 128 }) },
  {
    name: 'own pool, 64 of 256 connections',
    concurrency: 64,
    open: ({ plain }) => byOwn(plain, { connections: 256 }),
  },
  {
    name: 'Pool.dispatch, 64 of 256 connections',
    concurrency: 64,
    open: ({ plain }) => byDispatch(new Pool(plain, { connections: 256 })),
  },
  {
    name: 'own pool, pipelining 4',
    concurrency: 64,
    open: ({ plain }) => byOwn(plain, { connections: 80, pipelining: 4 }),
  },
  {
    name: 'own pool, pipelining 10',
    concurrency: 64,
    open: ({ plain }) => byOwn(plain, { connections: 80, pipelining: 10 }),
  },
  {
    name: 'own pool, pipelining 32',
    concurrency: 64,
    open: ({ plain }) => byOwn(plain, { connections: 80, pipelining: 32 }),
  },
  { name: 'own pool, answers in gzip', concurrency: 64, open: ({ zipped }) => byOwn(zipped, { connections: 80 }) },
  {
    name: 'h2c, one connection',
    concurrency: 64,
    open: ({ h2c }) => byDispatch(new H2CClient(h2c, { maxConcurrentStreams: 128, pipelining: 128 })),
  },
  {
    name: 'HTTP/1.1 over TLS, Pool.dispatch',
    concurrency: 64,
    open: ({ tls }) =>
      byDispatch(new Pool(tls, { connections: 64, allowH2: false, connect: { rejectUnauthorized: false } })),
  },
  {
    name: 'HTTP/2 over TLS, one connection',
    concurrency: 64,
    open: ({ tls }) =>
      byDispatch(
        new Client(tls, {
          allowH2: true,
          maxConcurrentStreams: 128,
          pipelining: 128,
          connect: { rejectUnauthorized: false },
        }),
      ),
  },
  { name: 'fetch', concurrency: 64, open: ({ plain }) => byFetch(plain) },
]

function byRequest(dispatcher: Dispatcher): ReturnType<Variant['open']> {
  return {
    send: done =>
      void dispatcher
        .request({ ...get, origin: '' })
        .then(({ body }) => body.json())
        .then(() => done(), done),
    close: () => dispatcher.destroy(),
  }
}

function byDispatch(dispatcher: Dispatcher): ReturnType<Variant['open']> {
  return {
    send: done => {
      dispatcher.dispatch({ ...get, origin: '' }, new Collector(done))
    },
    close: () => dispatcher.destroy(),
  }
}

function byFetch(origin: string): ReturnType<Variant['open']> {
  const dispatcher = new Agent({ connections: 64 })
  return {
    send: done =>
      void fetch(`${origin}/fact`, { dispatcher })
        .then(response => response.json())
        .then(() => done(), done),
    close: () => dispatcher.destroy(),
  }
}

/** The exchange and the pool of Headwaters, without layers. */
function byOwn(origin: string, options: Omit<PoolOptions, 'connect'>): ReturnType<Variant['open']> {
  const pool = openPool(origin, { ...options, connect: {} })
  const { pipelining } = options
  const upstream = defineUpstream(
    'wire',
    { origin, ...(pipelining !== undefined && { pipelining }), decompress: false, headers: {} },
    { fact: operation({ path: '/fact', output: Fact }) },
  )
  const { send } = dispatch(pool, '', undefined, pipelining !== undefined)
  const abort = new Abort()
  const scope = {
    deadline: Infinity,
    headers: {},
    abort,
    flow: { weight: 2 },
    admitted: new Map(),
    now: () => 0,
    emit: () => {},
  }
  return {
    send: done => send?.(new LiveCall(upstream.fact(), abort, scope, 0, 0), { resolve: () => done(), reject: done }),
    close: () => pool.destroy(),
  }
}

/** Reads one complete answer and parses it. */
class Collector implements Dispatcher.DispatchHandler {
  readonly #done: (error?: unknown) => void
  #first: Buffer | undefined
  #rest: Buffer[] | undefined

  constructor(done: (error?: unknown) => void) {
    this.#done = done
  }

  onRequestStart(): void {}

  onResponseStart(): void {}

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (this.#first === undefined) this.#first = chunk
    else (this.#rest ??= [this.#first]).push(chunk)
  }

  onResponseEnd(): void {
    const bytes = this.#rest === undefined ? this.#first : Buffer.concat(this.#rest)
    JSON.parse(bytes?.toString() ?? '')
    this.#done()
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#done(error)
  }
}
