import { test } from 'tap'
import { z } from 'zod'
import { explanationText, listText } from '../../src/explain/explanation-text.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { together, wrapped } from '../../src/explain/wrapped-text.ts'
import { aggregate, chain, times } from '../../src/fanout/aggregate.ts'
import { aggregates } from '../../src/routes/index.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { explained } from './helpers/explained.ts'

const service = [
  { name: 'MAX_RUNS', value: 25, from: 'MAX_RUNS', whole: 100, reducedBy: '1 of 4 workers' },
  { name: 'RATE_LIMIT', value: 0, from: 'default', note: 'no limit' },
]

/** Returns the text after a line, up to an empty line. */
function section(text: string, title: string): readonly string[] {
  const lines = text.split('\n')
  const start = lines.indexOf(title) + 1
  return lines.slice(start, lines.indexOf('', start))
}

test('the text of each built-in aggregate fits a terminal of 80 columns', async t => {
  for (const each of aggregates) {
    const text = explanationText(await explained(each, { params: { breed: 'siamese' } }, { service }))
    t.same(
      text.split('\n').filter(line => line.length > 80 || line !== line.trimEnd()),
      [],
      each.name,
    )
    t.notMatch(text, '\u00a0')
  }
})

test('the text of breed reads as its steps do', async t => {
  const [, breed] = aggregates
  const text = explanationText(await explained(breed, { params: { breed: 'siamese' } }))
  t.same(section(text, 'Steps'), [
    ' 1 matches  required',
    '     the-cat-api.searchBreeds',
    '       GET /v1/breeds/search?q=siamese',
    '       headers  accept, accept-encoding, user-agent',
    '       shared   one answer for equal calls in flight (operation, path and query)',
    ' 2 found  required, after matches',
    '     makes no call',
    ' 3 pictures  each, after found',
    '     minSuccess 0 (declared)',
    '     default: maxItems 100, overflow error',
    '     the-cat-api.breedImages, one per item of found, at most 5',
    '       GET /v1/images/search?breed_ids={found[*].id}&limit=1',
    '       headers  accept, accept-encoding, user-agent',
    ' 4 summary  optional, after found',
    '     wikipedia.summary',
    '       GET /api/rest_v1/page/summary/{found[0].name}',
    '       headers  accept, accept-encoding, user-agent',
    '       shared   one answer for equal calls in flight (operation, path and query)',
    '     may differ: the function also read {found[0].wikipedia_url}',
    ' 5 facts  optional, after found',
    '     catfact-ninja.facts',
    '       GET /facts?limit=3',
    '       headers  accept, accept-encoding, user-agent',
  ])
  t.match(text, /^breed {2}GET \/v1\/breeds\/\{breed\}\n {2}deadline 1200 ms \(declared\)\n/)
})

test('the defaults that all upstreams have are shown once, and each upstream shows what differs', async t => {
  const get = () => operation({ path: '/', output: z.unknown() })
  const item = operation({ path: '/{n}', params: z.object({ n: z.number() }), output: z.unknown() })
  const ofOne = { origin: 'https://one.example', concurrency: 4, breaker: false, forwardHeaders: ['x-a'] } as const
  const one = defineUpstream('one', ofOne, { get: get(), item })
  const ofTwo = { origin: 'https://two.example', maxResponseHeaderBytes: 5000 }
  const two = defineUpstream('two', ofTwo, { get: operation({ path: '/', output: z.unknown(), cache: true }) })
  const each = aggregate('each', { url: '/each' })
    .context(() => 1)
    .each('items', () => [chain(one.get(), () => two.get())])
    .each('many', () => times(9, n => one.item({ n })))
    .reply(z.unknown(), () => 1)
  const now = { permits: 4, active: 4, queued: 2 }
  const stateOf = (name: string) => ({ ...now, breaker: name === 'one' ? null : 'open' })
  const text = explanationText(await explained(each, {}, { stateOf, service, overrides: { two: { off: true } } }))
  const steps = section(text, 'Steps')
  t.same(steps.slice(0, 3), [
    ' 1 context()',
    '     not run: its calls are not known, and its value is {context}',
    ' 2 items  each',
  ])
  for (const line of ['       then', '       two.get', '     and 4 more calls']) t.ok(steps.includes(line), line)
  const upstreams = section(text, 'Upstreams')
  t.same(upstreams.slice(0, 5), [
    '  one  https://one.example',
    '    now 4 of 4 permits in use, 2 queued',
    '    concurrency 4 (declared)',
    '    breaker off (declared)',
    '    default: connections 20, maxResponseHeaderBytes 16 KiB',
  ])
  t.ok(upstreams.includes('    forwards x-a of the caller'))
  t.ok(upstreams.includes('    now 4 of 4 permits in use, 2 queued, breaker open'))
  t.ok(upstreams.includes('    maxResponseHeaderBytes 5000 bytes (declared)'))
  t.ok(upstreams.includes('    off: every call fails with UPSTREAM_OFF (override)'))
  t.match(
    upstreams.find(line => line.startsWith('  default')),
    '  default of each: maxQueue 2048,',
  )
  t.match(text, '\nService\n  MAX_RUNS 25 of 100, for 1 of 4 workers (set)\n  default: RATE_LIMIT 0 (no limit)\n')
})

test('the text without a call has a line about it, and a limit without a value is shown if it was set', async t => {
  const text = explanationText({
    ...(await explained(aggregates[0])),
    steps: [],
    upstreams: {},
    limits: [
      { name: 'a', value: true, from: 'declared' },
      { name: 'b', value: null, from: 'declared' },
      { name: 'c', value: null, from: 'default' },
    ],
  } satisfies Explanation)
  t.match(text, '  a on (declared)\n  b none (declared)\n\nSteps\n\nUpstreams\n  no call is known\n')
})

test('the text has the number of the calls that are not listed', async t => {
  const api = defineUpstream(
    'api',
    { origin: 'https://a.example' },
    { get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown() }) },
  )
  for (const [count, line] of [
    [6, '     and 1 more call\n'],
    [7, '     and 2 more calls\n'],
  ] as const) {
    const each = aggregate('each', { url: '/each' })
      .each('items', () => times(count, index => api.get({ id: String(index) })))
      .reply(z.unknown(), () => 1)
    t.match(explanationText(await explained(each)), line)
  }
})

test('the list has a line for each aggregate and its fields, with optional fields in brackets', t => {
  const field = (name: string, required: boolean) => ({ name, in: 'query', required }) as const
  t.equal(
    listText([
      { name: 'a', method: 'GET', url: '/a', fields: [] },
      { name: 'b', method: 'POST', url: '/b', fields: [field('one', true), field('two', false)] },
    ]),
    'a  GET /a\nb  POST /b\n  fields: one, [two]\n',
  )
  t.end()
})

test('a line is wrapped at spaces, at parts of a URL, or at its end', t => {
  t.same(wrapped('short', 2), ['short'])
  const words = Array.from({ length: 30 }, () => 'word').join(' ')
  const lines = wrapped(words, 4)
  t.ok(lines.every(line => line.length <= 80))
  t.match(lines[1], /^ {4}word/)
  t.equal(lines.join(' ').replaceAll(/\s+/g, ' '), words)
  const url = `GET /${'segment/'.repeat(8)}?${'field=value&'.repeat(8)}`
  const cut = wrapped(url, 4)
  t.ok(
    cut.every(line => line.length <= 80 && /(?:^GET |[/?]$|^ {4}&|value)/.test(line)),
    cut.join('\n'),
  )
  t.equal(cut.map(line => line.trimStart()).join(''), url)
  t.equal(
    wrapped('x'.repeat(200), 2)
      .map(line => line.trim())
      .join(''),
    'x'.repeat(200),
  )
  const firm = `${'a'.repeat(75)} ${together('1000 ms')}`
  t.same(wrapped(firm, 2), ['a'.repeat(75), '  1000 ms'])
  t.end()
})
