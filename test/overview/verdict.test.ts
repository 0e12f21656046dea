import { test } from 'tap'
import { aggregateRow, HandOverview, upstreamRow } from './helpers/samples.ts'

test('the verdict of a service without traffic is idle', async t => {
  const hand = new HandOverview()
  t.equal(hand.verdict, 'No run and no attempt in the last 10 s.')
  t.equal(hand.overview.sample().verdict.health, 'idle')
})

test('the verdict of a healthy service has its traffic', async t => {
  const hand = new HandOverview()
  const aggregates = [aggregateRow('pets', { counts: { complete: 520 } })]
  hand.ticks(10, { upstreams: [upstreamRow('cats', { ok: 10 }), upstreamRow('dogs', { ok: 1 })], aggregates })
  t.equal(hand.verdict, 'All 2 upstreams are healthy; 1 040 runs/s, 0 % failed.')
  hand.ticks(20, { upstreams: [upstreamRow('cats', { ok: 10 })] })
  t.equal(hand.verdict, 'The upstream with traffic is healthy; 0.0 runs/s, 0 % failed.')
})

test('the verdict names the sick upstream, since when, why, and what callers get', async t => {
  const hand = new HandOverview()
  hand.overview.used('pets', 'cats')
  hand.overview.used('facts', 'cats')
  hand.ticks(10, { upstreams: [upstreamRow('cats', { ok: 10 }), upstreamRow('dogs', { ok: 10 })] })
  hand.ticks(260, {
    upstreams: [upstreamRow('cats', { ok: 1, failed: 19, breaker: 'open' }), upstreamRow('dogs', { ok: 10 })],
    aggregates: [
      aggregateRow('pets', { counts: { complete: 62, partial: 38 }, codes: [['BREAKER_OPEN', 38]] }),
      aggregateRow('facts', { counts: { failed: 10 }, codes: [['UPSTREAM_STATUS', 10]], statuses: [['502', 10]] }),
    ],
  })
  t.equal(
    hand.verdict,
    'cats is failing since 01:02:08 UTC (2 min 9 s): 95 % of the attempts fail (status 503), circuit breaker open. ' +
      'Callers of facts get errors (100 %, 502 UPSTREAM_STATUS), pets get partial replies (38 %, BREAKER_OPEN).',
  )
  const { health, sentences } = hand.overview.sample().verdict
  t.equal(health, 'failing')
  t.match(sentences, [
    [
      { text: 'cats', upstream: 'cats' },
      {},
      { text: '01:02:08 UTC', at: hand.overview.sample().upstreams[0]?.since },
      {},
    ],
    [{}, { text: 'facts', aggregate: 'facts' }, {}, {}, { aggregate: 'pets' }],
  ])
})

test('the verdict of one upstream, of runs without a call, and of many aggregates is a plain sentence', async t => {
  const one = new HandOverview({
    upstreams: [{ name: 'cats', origin: 'http://127.0.0.1:1', operations: [], isOff: false }],
    aggregates: ['a', 'b', 'c', 'd', 'e'].map(name => ({ name, method: 'GET', url: `/${name}`, isBulk: false })),
  })
  const runs = (names: readonly string[]) =>
    names.map(name => aggregateRow(name, { counts: { complete: 1, partial: 1, failed: 2 } }))
  one.tick({ aggregates: [aggregateRow('a', { counts: { complete: 2 } })] })
  t.equal(one.verdict, 'No upstream was called in the last 10 s; 1.0 runs/s, 0 % failed.')
  one.tick({ upstreams: [upstreamRow('cats', { ok: 1 })] })
  t.equal(one.verdict, 'The upstream is healthy; 1.0 runs/s, 0 % failed.')
  one.ticks(20, { upstreams: [upstreamRow('cats', { ok: 1 })], aggregates: runs(['a', 'b', 'c', 'd']) })
  const each = 'get errors (50 %) and partial replies (25 %)'
  t.match(one.verdict, ` Callers of a ${each}, b ${each}, c ${each}, and 1 more aggregate is affected.`)
  one.ticks(20, { upstreams: [upstreamRow('cats', { ok: 1 })], aggregates: runs(['a', 'b', 'c', 'd', 'e']) })
  t.match(one.verdict, ', and 2 more aggregates are affected.')
})

test('the verdict names the affected aggregates by steps of five percent, so that their order stays', async t => {
  const hand = new HandOverview()
  const rows = (pets: number, facts: number) => ({
    upstreams: [upstreamRow('cats', { ok: 10 })],
    aggregates: [
      aggregateRow('pets', { counts: { complete: 100 - pets, failed: pets } }),
      aggregateRow('facts', { counts: { complete: 1000 - 10 * facts, failed: 10 * facts } }),
    ],
  })
  const order = () => hand.overview.sample().verdict.sentences[1]?.flatMap(({ aggregate = [] }) => aggregate)
  hand.ticks(20, rows(42, 44))
  t.same(order(), ['pets', 'facts'])
  hand.ticks(20, rows(44, 41))
  t.same(order(), ['pets', 'facts'])
  hand.ticks(20, rows(42, 62))
  t.same(order(), ['facts', 'pets'], 'a difference of more than a step')
})

test('the verdict says that callers do not notice, if they do not', async t => {
  const hand = new HandOverview()
  hand.overview.used('pets', 'cats')
  hand.ticks(4, {
    upstreams: [upstreamRow('cats', { failed: 10 })],
    aggregates: [aggregateRow('pets', { counts: { complete: 9 } })],
  })
  t.match(hand.verdict, / Callers of pets get complete replies\.$/)
})

test('the verdict names the three sickest of many', async t => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const hand = new HandOverview({
    upstreams: names.map(name => ({ name, origin: 'http://127.0.0.1:1', operations: [], isOff: false })),
    aggregates: [],
  })
  for (const name of names) hand.ticks(2, { upstreams: [upstreamRow(name, { failed: 10 })] })
  t.match(hand.verdict, /^a, b, c and 2 more are failing, a since 01:02:03 UTC \(4 s\): /)
})

test('runs that fail while all upstreams are healthy are mentioned, and faults of callers are not', async t => {
  const hand = new HandOverview()
  const upstreams = [upstreamRow('cats', { ok: 10 }), upstreamRow('dogs', { ok: 1 })]
  hand.ticks(10, { upstreams, aggregates: [aggregateRow('pets', { counts: { failed: 5, refused: 5, complete: 5 } })] })
  t.match(hand.verdict, /^All 2 upstreams are healthy; 20 runs\/s, 0 % failed\.$/)
  hand.ticks(10, {
    upstreams,
    aggregates: [
      aggregateRow('pets', { counts: { failed: 5, complete: 5 }, codes: [['INTERNAL', 5]], statuses: [['500', 5]] }),
    ],
  })
  t.match(hand.verdict, /% failed\. Callers of pets get errors \(\d\d %, 500 INTERNAL\)\.$/)
})
