import type { Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../../../src/app.ts'
import type { BatchReply } from '../../../../src/batch/result.ts'
import { aggregate, type AnyAggregate } from '../../../../src/fanout/aggregate.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../../../src/upstream/declare.ts'
import { listening } from '../../../helpers/listening.ts'
import { json, rawUpstream, type Script } from '../../../helpers/raw-upstream.ts'

/** An upstream whose operations batches may call. */
export function shopAt(origin: string, options: Partial<UpstreamOptions> = {}) {
  return defineUpstream(
    'shop',
    { origin, retry: false, ...options },
    {
      price: operation({
        path: '/prices/{id}',
        params: z.object({ id: z.string() }),
        output: z.object({ id: z.string(), cents: z.number() }),
        batch: true,
      }),
      order: operation({
        method: 'POST',
        path: '/orders',
        body: z.object({ id: z.string() }),
        output: z.object({ number: z.number() }),
        batch: true,
      }),
    },
  )
}

/** An aggregate that batches may call. */
export const hello = aggregate('hello', { url: '/hello', query: z.object({ name: z.string().max(20) }), batch: true })
  .required('text', ({ query }) => `Hello ${query.name}`)
  .reply(z.string(), ({ text }) => text)

/** The method and the headers of a batch. */
export interface SentBatch {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface BatchAppOptions {
  /** The behaviour of the upstream. @default each price is 1 */
  readonly script?: Script
  /** The options of the upstream. */
  readonly shop?: Partial<UpstreamOptions>
  readonly aggregates?: readonly AnyAggregate[]
  readonly options?: Omit<AppOptions, 'batch'>
  /** The limits of batches. */
  readonly batch?: Omit<Exclude<AppOptions['batch'], false | undefined>, 'operations'>
}

/** The answer of an upstream whose prices are all 1. */
export const price: Script = (socket, { path }) => {
  socket.write(json({ id: path.split('/').at(-1), cents: 1 }))
}

/** Serves an app with batches, and returns functions that send them. */
export async function batchApp(
  t: Test,
  { script = price, shop: shopOptions, aggregates = [hello], options = {}, batch = {} }: BatchAppOptions = {},
) {
  const upstream = await rawUpstream(t, script)
  const shop = shopAt(upstream.origin, shopOptions)
  const app = buildApp(aggregates, { ...options, batch: { operations: [shop.price, shop.order], ...batch } })
  const ask = await listening(t, app)
  const send = <Body = BatchReply>(body: unknown, init: SentBatch = {}) =>
    ask<Body>('/v1/batch', {
      method: 'POST',
      ...init,
      headers: { 'content-type': 'application/json', ...init.headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return { app, ask, send, upstream }
}

/** A batch of calls of one operation. */
export function prices(count: number): object {
  return {
    calls: Array.from({ length: count }, (_, index) => ({
      id: `p${index}`,
      operation: 'shop.price',
      input: { id: `${index}` },
    })),
  }
}
