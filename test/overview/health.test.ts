import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { test } from 'tap'
import type { Health } from '../../src/dashboard/protocol.ts'
import { HandOverview, start, upstreamRow, watched, type UpstreamEvents } from './helpers/samples.ts'

const cats = (events: UpstreamEvents) => ({ upstreams: [upstreamRow('cats', events)] })

/** An overview whose upstream `cats` answers since 20 s. */
function healthy(): HandOverview {
  const hand = new HandOverview()
  hand.ticks(40, cats({ ok: 10 }))
  return hand
}

test('an upstream without an attempt is idle, and healthy after its first one', async t => {
  const hand = new HandOverview()
  t.match(hand.upstream('cats'), { health: 'idle', since: start, reason: 'no attempt in the last 10 s' })
  hand.tick(cats({ ok: 1 }))
  t.match(hand.upstream('cats'), { health: 'healthy', since: hand.now, reason: '' })
  hand.ticks(20)
  t.match(hand.upstream('cats'), { health: 'idle', since: hand.now, reason: 'no attempt in the last 10 s' })
  t.match(hand.upstream('dogs'), { health: 'idle', since: start })
})

test('an upstream that fails is failing in the second sample, within 2 s', async t => {
  for (const perSample of [2, 10, 500]) {
    const hand = new HandOverview()
    hand.ticks(40, cats({ ok: perSample }))
    hand.ticks(2, cats({ failed: perSample }))
    t.match(
      hand.upstream('cats'),
      { health: 'failing', reason: '50 % of the attempts fail (status 503)' },
      `${perSample}`,
    )
  }
})

test('few failures among many attempts do not make an upstream failing', async t => {
  const hand = healthy()
  hand.tick(cats({ ok: 8, failed: 2 }))
  t.match(hand.upstream('cats'), { health: 'healthy' })
  hand.ticks(20, cats({ ok: 98, failed: 2 }))
  t.match(hand.upstream('cats'), { health: 'healthy' }, '2 %')
  hand.ticks(20, cats({ ok: 94, failed: 6, failure: 'UPSTREAM_TIMEOUT' }))
  t.match(hand.upstream('cats'), { health: 'strained', reason: '6 % of the attempts fail (UPSTREAM_TIMEOUT)' })
  hand.ticks(20, cats({ ok: 88, failed: 12 }))
  t.match(hand.upstream('cats'), { health: 'failing' }, '12 % over 10 s')
})

test('an upstream that answers none of a few calls is strained', async t => {
  const hand = new HandOverview()
  hand.tick(cats({ failed: 1 }))
  t.match(hand.upstream('cats'), { health: 'healthy' }, 'one attempt')
  hand.ticks(9)
  hand.tick(cats({ failed: 1 }))
  t.match(hand.upstream('cats'), { health: 'strained', reason: '100 % of the attempts fail (status 503)' })
  const { since } = hand.upstream('cats')
  for (let count = 0; count < 5; count++) {
    hand.ticks(9)
    hand.tick(cats({ failed: 1 }))
  }
  t.match(hand.upstream('cats'), { health: 'strained', since }, 'a call in 5 s')
  const mixed = new HandOverview()
  mixed.ticks(2, cats({ ok: 1, failed: 1 }))
  t.match(mixed.upstream('cats'), { health: 'healthy' }, 'half of four')
})

test('a breaker that opens makes its upstream failing at once', async t => {
  const hand = healthy()
  hand.overview.breakerChanged({ type: 'breaker', at: hand.now + 100, upstream: 'cats', from: 'closed', to: 'open' })
  t.match(hand.upstream('cats'), {
    health: 'failing',
    since: hand.now + 100,
    breaker: 'open',
    reason: 'circuit breaker open',
  })
  hand.tick(cats({ breaker: 'half-open', counts: { calls: 3 } }))
  t.match(hand.upstream('cats'), { health: 'failing', reason: 'circuit breaker half-open' })
})

test('an open breaker without a call is not a reason', async t => {
  const hand = healthy()
  hand.tick(cats({ failed: 20, breaker: 'open' }))
  t.match(hand.upstream('cats'), { health: 'failing' })
  hand.ticks(40)
  t.match(hand.upstream('cats'), {
    health: 'idle',
    breaker: 'open',
    reason: 'no attempt in the last 10 s; it was failing before',
  })
  hand.ticks(121)
  t.match(hand.upstream('cats'), { health: 'idle', reason: 'no attempt in the last 10 s' }, 'for a minute')
})

test('a sick upstream stays sick for 5 s after its last reason', async t => {
  const hand = healthy()
  const reason = cats({ ok: 10, queued: 3 })
  hand.ticks(3, reason)
  t.match(hand.upstream('cats'), { health: 'strained', reason: '3 calls wait for a permit' })
  const { since } = hand.upstream('cats')
  hand.ticks(9, cats({ ok: 10 }))
  t.match(hand.upstream('cats'), { health: 'strained', since })
  hand.tick(cats({ ok: 10 }))
  t.match(hand.upstream('cats'), { health: 'healthy', since: hand.now })
})

test('an upstream with an ejected or unhealthy origin is strained', async t => {
  const hand = healthy()
  hand.tick(cats({ ok: 10, origins: 10 }))
  t.match(hand.upstream('cats'), { health: 'healthy', origins: { all: 10, out: 0 } })
  hand.tick(cats({ ok: 10, origins: 10, originsOut: 1 }))
  t.match(hand.upstream('cats'), { health: 'strained', reason: '1 of 10 origins is ejected or unhealthy' })
  hand.tick(cats({ ok: 10, origins: 10, originsOut: 2 }))
  t.match(hand.upstream('cats'), { reason: '2 of 10 origins are ejected or unhealthy', origins: { all: 10, out: 2 } })
  hand.ticks(10, cats({ ok: 10, origins: 10 }))
  t.match(hand.upstream('cats'), { health: 'healthy' })
  hand.tick(cats({ ok: 10 }))
  t.notOk('origins' in hand.upstream('cats'), 'an upstream with one origin has no numbers of origins')
})

test('permits that are short in one sample are not a reason, and in three samples they are', async t => {
  const hand = healthy()
  hand.ticks(2, cats({ ok: 10, permits: 15, permitLimit: 16 }))
  t.match(hand.upstream('cats'), { health: 'healthy' })
  hand.tick(cats({ ok: 10, permits: 15, permitLimit: 16 }))
  t.match(hand.upstream('cats'), { health: 'strained', reason: '15 of 16 permits in use' })
})

test('an upstream that becomes three times as slow as usual is strained', async t => {
  const hand = new HandOverview()
  hand.ticks(100, cats({ ok: 10, ms: 40 }))
  hand.ticks(4, cats({ ok: 10, ms: 400 }))
  t.match(hand.upstream('cats'), { health: 'strained', reason: /^p95 is (?:39|4[01])\d ms, usually (?:39|4[01]) ms$/ })
  const fast = new HandOverview()
  fast.ticks(100, cats({ ok: 10, ms: 4 }))
  fast.ticks(4, cats({ ok: 10, ms: 40 }))
  t.match(fast.upstream('cats'), { health: 'healthy' }, 'less than 50 ms are not noticed')
})

test('an upstream that is switched off is off, and on again after a reload', async t => {
  const [first] = watched.upstreams
  const off = { ...watched, upstreams: [{ ...(first as (typeof watched.upstreams)[number]), isOff: true }] }
  const hand = new HandOverview(off)
  hand.tick(cats({ counts: { calls: 3, lostCalls: 3 } }))
  t.match(hand.upstream('cats'), { health: 'off', reason: 'switched off by configuration' })
  hand.overview.define(watched)
  hand.tick(cats({ ok: 1 }))
  t.match(hand.upstream('cats'), { health: 'healthy' })
})

test('the start of a state survives a reload of the definitions', async t => {
  const hand = healthy()
  hand.ticks(2, cats({ failed: 10 }))
  const { health, since } = hand.upstream('cats')
  t.equal(health, 'failing')
  hand.overview.define({ ...watched, upstreams: watched.upstreams.toReversed() })
  t.match(hand.upstream('cats'), { health, since })
})

test('the health changes only along the table, with its start at the moment of the change', t => {
  const events = fc.record({
    ok: fc.nat(20),
    failed: fc.nat(6),
    queued: fc.nat(1),
    breaker: fc.constantFrom('closed', 'open' as const),
  })
  const severity: Readonly<Record<Health, number>> = { off: 0, idle: 0, healthy: 0, strained: 1, failing: 2 }
  fc.assert(
    fc.property(fc.array(events, { minLength: 10, maxLength: 80 }), samples => {
      const hand = new HandOverview()
      let before = hand.upstream('cats')
      for (const sample of samples) {
        hand.tick(cats(sample))
        const now = hand.upstream('cats')
        if (now.health === before.health) t.equal(now.since, before.since)
        else {
          t.equal(now.since, hand.now)
          if (severity[now.health] < severity[before.health]) t.ok(now.since - before.since >= 5000, 'it was held')
        }
        t.equal(now.reason === '', now.health === 'healthy')
        before = now
      }
    }),
    { numRuns: 60 },
  )
  t.end()
})

test('docs/design.md has the states of the health', async t => {
  const page = readFileSync(new URL('../../docs/design.md', import.meta.url), 'utf8')
  const section = page.slice(page.indexOf('### The health of an upstream')).split('\n### ')[0] as string
  t.same(
    Array.from(section.matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name),
    ['failing', 'strained', 'healthy', 'idle', 'off'] satisfies Health[],
  )
})
