import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions, type BulkLimits } from '../../../src/app.ts'
import { aggregate, type AnyAggregate } from '../../../src/fanout/aggregate.ts'
import { elapsed, until } from '../../helpers/until.ts'

/** An aggregate that doubles a number. */
export const double = aggregate('double', { url: '/v1/double', body: z.object({ n: z.number() }), bulk: true })
  .required('doubled', ({ body: { n } }) => 2 * n)
  .reply(z.object({ doubled: z.number() }), ({ doubled }) => ({ doubled }))

/** Returns an aggregate whose items wait until they are released. */
export function gated() {
  const gate = Promise.withResolvers<number>()
  const state = { started: 0 }
  const waiting = aggregate('double', {
    url: '/v1/double',
    body: z.object({ n: z.number() }),
    bulk: true,
    deadline: 60_000,
  })
    .required('doubled', ({ body: { n } }) => {
      state.started++
      return n < 100 ? n : gate.promise
    })
    .reply(z.number(), ({ doubled }) => doubled)
  return { waiting, state, release: () => gate.resolve(1) }
}

/** Returns the lines of the inputs 0 to `count` - 1. */
export function numbers(count: number): string {
  return Array.from({ length: count }, (_, n) => `${JSON.stringify({ body: { n } })}\n`).join('')
}

/** A run as a caller sees it. */
export interface ShownRun {
  readonly id: string
  readonly state: string
  readonly items: number
  readonly done: number
  readonly succeeded: number
  readonly partial: number
  readonly failed: number
  readonly createdAt: string
  readonly endedAt?: string
  readonly expiresAt?: string
  readonly results: string
}

/**
 * Resolves when a condition holds. It leaves the event loop idle meanwhile, because items do not start while it is busy.
 */
export function untilCalmly(condition: () => boolean | Promise<boolean>): Promise<void> {
  return until(async () => {
    await elapsed(10)
    return condition()
  })
}

/** Serves aggregates with bulk runs in a folder of the test. Returns functions that send requests to them. */
export async function served(
  t: Test,
  {
    aggregates = [double] as readonly AnyAggregate[],
    dir = mkdtempSync(join(tmpdir(), 'headwaters-bulk-')),
    ...options
  }: ServedOptions = {},
) {
  const { bulk, ...others } = options
  const app = buildApp(aggregates, { drainTimeout: 100, ...others, bulk: { dir, ...bulk } })
  t.teardown(async () => {
    await app.close()
    await rm(dir, { recursive: true, force: true })
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const send = (path: string, init: RequestInit & { readonly key?: string } = {}) => {
    const { key, ...request } = init
    const headers = { ...(request.headers as object), ...(key !== undefined && { authorization: `Bearer ${key}` }) }
    return fetch(new URL(path, origin), { ...request, headers })
  }
  const create = (body: RequestInit['body'], headers: Record<string, string> = {}, key?: string) =>
    send('/v1/bulk/double', {
      method: 'POST',
      body: body as string,
      headers: { 'content-type': 'application/x-ndjson', ...headers },
      ...(key !== undefined && { key }),
    })
  const read = async (id: string) => (await (await send(`/v1/bulk/runs/${id}`)).json()) as ShownRun
  const ended = async (id: string): Promise<ShownRun> => {
    await untilCalmly(async () => (await read(id)).endedAt !== undefined)
    return read(id)
  }
  return { app, origin, dir, send, create, read, ended }
}

type ServedOptions = Omit<AppOptions, 'bulk'> & {
  readonly aggregates?: readonly AnyAggregate[]
  readonly dir?: string
  readonly bulk?: BulkLimits
}
