import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { rawUpstream, type Script } from '../../helpers/raw-upstream.ts'
import { slack } from '../helpers/slack.ts'
import { Id, stage, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { status, typed } from '../helpers/wire.ts'

/** One of four parts hangs. */
export async function oneHangs(t: Test): Promise<void> {
  const deadline = 250
  const upstream = await rawUpstream(t, well)
  const mute = await rawUpstream(t, () => {})
  const fine = defineUpstream('fine', { origin: upstream.origin }, { word: operation(wordPath) })
  const hanging = defineUpstream(
    'hanging',
    { origin: mute.origin, attemptTimeout: 10_000 },
    { word: operation(wordPath) },
  )
  const optional = aggregate('optional', { url: '/optional', query: Id, deadline })
    .required('a', () => fine.word({ id: 'a' }))
    .required('b', () => fine.word({ id: 'b' }))
    .required('c', () => fine.word({ id: 'c' }))
    .optional('d', () => hanging.word({ id: 'd' }), { fallback: null })
    .reply(z.unknown(), ({ a, b, c, d }) => ({ a, b, c, d }))
  const required = aggregate('required', { url: '/required', query: Id, deadline })
    .required('a', () => fine.word({ id: 'a' }))
    .required('b', () => fine.word({ id: 'b' }))
    .required('c', () => fine.word({ id: 'c' }))
    .required('d', () => hanging.word({ id: 'd' }))
    .reply(z.unknown(), ({ a, b, c, d }) => ({ a, b, c, d }))
  const { get, runtime } = await stage(t, [optional, required])
  await get('/health/live')

  for (const kind of ['optional', 'required'] as const) {
    const before = performance.now()
    const { status, body } = await get<Reply>(`/${kind}?id=a`)
    const elapsed = performance.now() - before
    t.ok(
      elapsed >= deadline - 2 && elapsed <= deadline + 50 + slack,
      `${kind}: answered after ${elapsed.toFixed(0)} ms`,
    )
    const ok = { a: { state: 'ok' }, b: { state: 'ok' }, c: { state: 'ok' } }
    if (kind === 'optional')
      t.match(
        { status, body },
        {
          status: 200,
          body: {
            complete: false,
            data: { a: { word: 'a' }, b: { word: 'b' }, c: { word: 'c' }, d: null },
            sources: { ...ok, d: { state: 'fallback', code: 'DEADLINE_EXCEEDED' } },
          },
        },
      )
    else
      t.match(
        { status, body },
        {
          status: 504,
          body: { code: 'DEADLINE_EXCEEDED', sources: { ...ok, d: { state: 'failed', code: 'DEADLINE_EXCEEDED' } } },
        },
      )
  }
  await mute.deserted()
  t.match(runtime.stats(), { hanging: { active: 0, queued: 0 }, fine: { active: 0 } })
}

/** All required parts fail, each in its own way, in one order and in the other. */
export async function allFail(t: Test): Promise<void> {
  const ways = {
    status: {
      code: 'UPSTREAM_STATUS',
      script: (socket => socket.write(status(500))) as Exclude<Script, string | Buffer>,
    },
    shape: {
      code: 'UPSTREAM_SCHEMA',
      script: (socket => socket.write(typed('application/json', '{}'))) as Exclude<Script, string | Buffer>,
    },
    reset: { code: 'UPSTREAM_RESET', script: (socket => socket.resetAndDestroy()) as Exclude<Script, string | Buffer> },
  }
  const names = ['status', 'shape', 'reset'] as const
  const asked: Partial<Record<(typeof names)[number], () => void>> = {}
  const upstreams = Object.fromEntries(
    await Promise.all(
      names.map(async name => {
        const upstream = await rawUpstream(t, (socket, request) => {
          asked[name] = () => ways[name].script(socket, request)
        })
        return [
          name,
          {
            upstream,
            declared: defineUpstream(
              name,
              { origin: upstream.origin, retry: false, attemptTimeout: 10_000, breaker: false },
              { word: operation(wordPath) },
            ),
          },
        ] as const
      }),
    ),
  )
  const call = (name: (typeof names)[number]) => () =>
    (upstreams[name] as NonNullable<(typeof upstreams)[string]>).declared.word({ id: 'a' })
  const required = aggregate('required', { url: '/required', query: Id, deadline: 10_000 })
    .required('status', call('status'))
    .required('shape', call('shape'))
    .required('reset', call('reset'))
    .reply(z.unknown(), seen => seen)
  const { get, runtime } = await stage(t, [required])

  for (const [round, order] of [
    ['status', 'shape', 'reset'],
    ['shape', 'reset', 'status'],
    ['reset', 'status', 'shape'],
    ['reset', 'shape', 'status'],
  ].entries()) {
    const reply = get<Reply>('/required?id=a')
    await Promise.all(names.map(async name => upstreams[name]?.upstream.asked(round + 1)))
    // Each fails only after the one before.
    const first = order[0] as (typeof names)[number]
    asked[first]?.()
    const { status, body } = await reply
    t.match(
      { status, body },
      { status: 502, body: { code: ways[first].code } },
      `${first} failed first, and so decides`,
    )
    t.same(Object.keys(body.sources), names, 'all are listed, in the order of their declaration')
    t.match(
      body.sources,
      Object.fromEntries(
        names.map(name => [name, name === first ? { state: 'failed', code: ways[name].code } : { state: 'cancelled' }]),
      ),
    )
  }
  t.match(runtime.stats(), { status: { active: 0 }, shape: { active: 0 }, reset: { active: 0 } })
}

/** Parts that fail in the same moment are reported in the order of their declaration. */
export async function allFailAtOnce(t: Test): Promise<void> {
  const declared = ['one', 'two', 'three'].map(name =>
    defineUpstream(name, { origin: 'http://127.0.0.1:1' }, { word: operation(wordPath) }),
  )
  const [one, two, three] = declared as [
    (typeof declared)[number],
    (typeof declared)[number],
    (typeof declared)[number],
  ]
  const required = aggregate('required', { url: '/required', query: Id })
    .required('two', () => two.word({ id: 'a' }))
    .required('three', () => three.word({ id: 'a' }))
    .required('one', () => one.word({ id: 'a' }))
    .reply(z.unknown(), seen => seen)
  const { get } = await stage(t, [required], {
    overrides: { one: { off: true }, two: { off: true }, three: { off: true } },
  })
  const told = new Set<string>()
  for (let times = 0; times < 20; times++) {
    const { status, body } = await get<Reply & { readonly detail: string }>('/required?id=a')
    t.equal(status, 503)
    told.add(body.detail)
  }
  t.equal(told.size, 1, 'each time the same')
  t.match([...told][0], /^two /)
}
