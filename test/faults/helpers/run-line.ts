import type { Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { errors } from '../../../src/errors.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime, type Runtime } from '../../../src/upstream/runtime.ts'
import { secret } from '../../helpers/hostile-upstream.ts'
import { listening } from '../../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../../helpers/problem.ts'
import type { Got } from '../../helpers/served-app.ts'
import type { Line } from './entry.ts'
import { isExact } from '../../helpers/timing.ts'
import { patience, slack, triesOfBusy } from './slack.ts'
import { calm } from './stage.ts'
import type { Victim } from './victim.ts'
import { within } from '../../helpers/until.ts'

interface Body extends ProblemBody {
  readonly data: { readonly part: unknown; readonly other: unknown }
  readonly complete: boolean
  readonly sources: Readonly<
    Record<string, { readonly state: string; readonly code?: string; readonly attempts: number }>
  >
}

export const concurrency = 2
const Word = z.object({ word: z.string() })
const id = { params: z.object({ id: z.string() }) }
const Id = z.object({ id: z.string() })
const Reply = z.object({ part: z.unknown(), other: z.unknown() })

/**
 * What a line needs: made before any of them runs, since making an app holds the loop up and so the timers of the
 * others.
 */
export interface SetUp {
  readonly line: Line
  readonly victim: Victim
  readonly runtime: Runtime
  readonly get: Awaited<ReturnType<typeof listening>>
}

/** Starts the upstream of a line and the service that will ask it. */
export async function setUp(t: Test, line: Line, neighbour: string): Promise<SetUp> {
  const { deadline = patience } = line
  const victim = await line.upstream(t)
  const { input, ...operationOptions } = line.operation ?? {}
  const bad = defineUpstream(
    'victim',
    { origin: victim.origin, concurrency, attemptTimeout: patience, connectTimeout: patience, ...line.options },
    {
      part: operation({
        path: '/word/{id}',
        ...id,
        ...(operationOptions.responses === undefined && { output: Word }),
        ...operationOptions,
      } as never),
      word: operation({ path: '/word/{id}', ...id, output: Word }),
    },
  )
  const good = defineUpstream(
    'neighbour',
    { origin: neighbour },
    { word: operation({ path: '/word/{id}', ...id, output: Word }) },
  )
  const ask = bad.part as (input: object) => ReturnType<typeof good.word>

  const required = aggregate('required', { url: '/required', query: Id, deadline })
    .required('part', ({ query }) => ask({ id: query.id, ...input }))
    .optional('other', ({ query }) => good.word({ id: query.id }), { fallback: null })
    .reply(Reply, ({ part, other }) => ({ part, other }))
  const optional = aggregate('optional', { url: '/optional', query: Id, deadline })
    .required('other', ({ query }) => good.word({ id: query.id }))
    .optional('part', ({ query }) => ask({ id: query.id, ...input }), { fallback: 'fallback' })
    .reply(Reply, ({ part, other }) => ({ part, other }))
  const again = aggregate('again', { url: '/again', query: Id })
    .required('part', ({ query }) => bad.word({ id: query.id }))
    .reply(z.object({ part: Word }), ({ part }) => ({ part }))

  const warm = aggregate('warm', { url: '/warm', query: Id })
    .required('other', ({ query }) => good.word({ id: query.id }))
    .reply(Word, ({ other }) => other)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return {
    line,
    victim,
    runtime,
    get: await listening(t, buildApp([required, optional, again, warm], { runtime, pressure: calm })),
  }
}

/**
 * Asks a bad upstream by a step that is required and by one that is optional, and again when it is well. `isTimed` says
 * whether the answers must be there in time.
 */
export async function runLine(t: Test, { line, victim, runtime, get }: SetUp, isTimed = true): Promise<void> {
  const { code, attempts = 1, withinMs, afterMs = 0, learnt = code === undefined ? 'ok' : errors[code].verdict } = line

  async function timed(kind: 'required' | 'optional'): Promise<Got<Body>> {
    const before = performance.now()
    const got = await get<Body>(`/${kind}?id=${kind}`)
    const elapsed = performance.now() - before
    if (isTimed)
      t.ok(
        elapsed >= afterMs - 2 && elapsed <= withinMs + slack,
        `${kind}: answered after ${elapsed.toFixed(0)} ms, which is within ${afterMs} to ${withinMs} + ${slack}`,
      )
    const everything = [...got.headers].flat().join('\n') + got.text
    t.notOk(everything.includes(secret), 'nothing an upstream said is in it')
    t.notOk(got.headers.has('set-cookie'), 'nor a cookie')
    t.notOk(everything.includes(String(victim.port)) || everything.includes('127.0.0.1'), 'nor where the upstream is')
    t.equal(got.body.sources['part']?.attempts, attempts, `${kind}: sent ${attempts} times`)
    return got
  }

  // The first request of an app pays for what the others do not.
  if (isExact) for (let times = 0; times < 10; times++) await get('/warm?id=a')
  const first = await timed('required')
  t.equal(first.status, line.required)
  if (code === undefined) {
    t.match(first.body, { complete: true, sources: { part: { state: 'ok' }, other: { state: 'ok' } } })
    t.same(first.body.data.part, 'value' in line ? line.value : { word: 'required' })
  } else {
    isProblem(t, first, line.required, code)
    t.match(first.body.sources, { part: { state: 'failed', code }, other: { state: /^(?:ok|cancelled)$/ } })
    t.match(first.headers.get('retry-after'), line.retryAfter ?? (line.required === 503 ? /^1$/ : null))
  }

  const second = await timed('optional')
  t.equal(second.status, 200)
  t.match(second.body, {
    complete: line.optional === 'ok',
    data: { other: { word: 'optional' } },
    sources: { part: { state: line.optional, ...(code !== undefined && { code }) }, other: { state: 'ok' } },
  })
  t.same(
    second.body.data.part,
    line.optional === 'fallback' ? 'fallback' : 'value' in line ? line.value : { word: 'optional' },
  )

  // An unsafe call takes a connection that was idle for some time, or a new one.
  const most = line.connectionsAfter === 1 && line.operation?.method === 'POST' ? 2 : line.connectionsAfter
  const isRight = () => victim.open >= line.connectionsAfter && victim.open <= most
  if (!isRight()) await within(2000, victim.holds(line.connectionsAfter))
  // A connection that is about to close, and the permit of a call that was aborted while its connection opened, may
  // need some turns of the loop.
  for (let turns = 0; turns < 100 && (turns === 0 || !isRight() || runtime.stats()['victim']?.active !== 0); turns++)
    await get('/health/live')
  t.ok(isRight(), `connections after: ${victim.open}, of ${line.connectionsAfter} to ${most}`)
  t.match(runtime.stats(), { victim: { calls: 2, [learnt]: 2, active: 0, queued: 0 } }, 'no permit is held')
  await line.also?.(t, victim)

  await victim.recover()
  const words = Array.from({ length: concurrency * 2 }, (_, index) => `again-${index}`)
  const ask = () => Promise.all(words.map(word => get<Body>(`/again?id=${word}`)))
  let recovered = await ask()
  // A line may have timeouts shorter than what a busy machine takes.
  for (let tries = 1; tries < triesOfBusy && recovered.some(({ status }) => status === 504); tries++)
    recovered = await ask()
  t.same(
    recovered.map(({ body }) => body.data?.part ?? body.code),
    words.map(word => ({ word })),
    'as soon as it is well, each gets its own answer',
  )
}
