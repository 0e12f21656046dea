import { test } from 'tap'
import { z } from 'zod'
import type { ExplainOptions } from '../../src/explain/explain.ts'
import type { ExplainedUpstream } from '../../src/explain/explanation.ts'
import { explanationText } from '../../src/explain/explanation-text.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { explained } from './helpers/explained.ts'

const several: UpstreamOptions = {
  origins: ['https://a.example/v1', { origin: 'https://b.example/v1', weight: 2 }],
}

const explainedTo = (options: UpstreamOptions, settings: Partial<ExplainOptions> = {}) => {
  const users = defineUpstream('users', options, { get: operation({ path: '/get', output: z.unknown() }) })
  const calling = aggregate('calling', { url: '/calling' })
    .required('it', () => users.get())
    .reply(z.unknown(), () => 1)
  return explained(calling, {}, settings)
}

async function upstreamOf(options: UpstreamOptions, settings: Partial<ExplainOptions> = {}) {
  const { upstreams } = await explainedTo(options, settings)
  return upstreams['users'] as ExplainedUpstream
}

const limitOf = ({ limits }: ExplainedUpstream, name: string) => limits.find(limit => limit.name === name)
const balanceNames = ({ limits }: ExplainedUpstream) =>
  limits.map(({ name }) => name).filter(name => name.startsWith('balance'))

test('the explanation has the origins of an upstream with their weights and DNS records', async t => {
  const srv = '_http._tcp.users.example'
  t.match(await upstreamOf({ origins: [...(several.origins ?? []), { origin: 'https://c.example/v1', srv }] }), {
    origin: 'https://users.invalid',
    origins: [
      { origin: 'https://a.example/v1', weight: 1, addresses: false, srv: undefined, from: 'declared' },
      { origin: 'https://b.example/v1', weight: 2, addresses: false, srv: undefined, from: 'declared' },
      { origin: 'https://c.example/v1', weight: 1, addresses: false, srv, from: 'declared' },
    ],
    notes: ['each attempt is sent to one of its origins; a retry and a hedge go to another one'],
  })
  const { origin, notes } = await upstreamOf(several)
  t.equal(origin, 'https://users.invalid')
  t.same(notes, ['each attempt is sent to one of 2 origins; a retry and a hedge go to another one'])
})

test('the base path of the origins is part of the paths of calls', async t => {
  const { steps } = await explainedTo(several)
  t.match(steps[0]?.calls[0], { origin: 'https://users.invalid', path: '/v1/get' })
})

test('origins of an override name their variable', async t => {
  const overrides = { users: { origins: [{ origin: 'http://10.0.0.1', weight: 3 }, 'http://10.0.0.2'] } }
  const variableOf: ExplainOptions['variableOf'] = (upstream, option) => `${upstream}.${option}`
  const origins = [
    { origin: 'http://10.0.0.1', weight: 3, addresses: false },
    { origin: 'http://10.0.0.2', weight: 1, addresses: false },
  ]
  const declared = { origin: 'https://users.example' }
  const named = await upstreamOf(declared, { overrides, variableOf })
  t.same(
    named.origins,
    origins.map(each => ({ ...each, from: 'users.origins' })),
  )
  const unnamed = await upstreamOf(declared, { overrides, variableOf: () => undefined })
  t.same(
    unnamed.origins,
    origins.map(each => ({ ...each, from: 'override' })),
  )
})

test('the options of balance are limits of an upstream with several origins', async t => {
  const upstream = await upstreamOf({
    ...several,
    balance: { ejection: { duration: 2000 }, healthCheck: { path: '/health' }, slowStart: 0 },
  })
  t.match(limitOf(upstream, 'balance.ejection.duration'), { value: 2000, unit: 'ms', from: 'declared' })
  t.match(limitOf(upstream, 'balance.ejection.maxRatio'), { value: 0.5, from: 'default' })
  t.match(limitOf(upstream, 'balance.healthCheck.path'), { value: '/health', from: 'declared' })
  t.match(limitOf(upstream, 'balance.healthCheck.interval'), { value: 5000, unit: 'ms', from: 'default' })
  t.match(limitOf(upstream, 'balance.slowStart'), { value: 0, unit: 'ms', from: 'declared' })
  const off = await upstreamOf({ ...several, balance: { ejection: false } })
  t.match(limitOf(off, 'balance.ejection'), { value: false, from: 'declared' })
  t.same(balanceNames(off), ['balance.ejection', 'balance.slowStart', 'balance.panicRatio'])
})

test('an upstream with one origin has neither origins nor options of balance', async t => {
  const single = { origins: ['https://a.example'], balance: { slowStart: 0 } }
  for (const { upstream, notes } of [
    { upstream: await upstreamOf({ origin: 'https://a.example' }), notes: [] },
    { upstream: await upstreamOf(single), notes: ['balance has no effect with one origin'] },
    { upstream: await upstreamOf(several, { overrides: { users: { origin: 'https://a.example' } } }), notes: [] },
  ]) {
    t.equal(upstream.origin, 'https://a.example')
    t.notOk('origins' in upstream)
    t.same(balanceNames(upstream), [])
    t.same(upstream.notes, notes)
  }
})

test('the text has a line for each origin, and for each origin that is known now', async t => {
  const now = {
    breaker: 'closed',
    permits: 64,
    active: 3,
    queued: 0,
    origins: [
      { origin: 'a.example:443', state: 'available', active: 3, latencyMs: 12.4 },
      { origin: 'b.example:443', state: 'ejected', active: 0, latencyMs: null },
    ] as const,
  }
  const text = explanationText(await explainedTo(several, { stateOf: () => now }))
  const lines = text.split('\n')
  const start = lines.indexOf('  users  https://users.invalid')
  t.same(lines.slice(start, start + 6), [
    '  users  https://users.invalid',
    '    origin https://a.example/v1 (declared)',
    '    origin https://b.example/v1 (weight 2) (declared)',
    '    now 3 of 64 permits in use, 0 queued, breaker closed',
    '      a.example:443 available, 3 in flight, 12 ms',
    '      b.example:443 ejected, 0 in flight',
  ])
  t.match(text, '\n    balance: ejection.consecutiveFailures 5, ejection.latencyRatio 5,\n')
})
