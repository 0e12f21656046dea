import { test } from 'tap'
import { createBalancer } from '../../../src/upstream/origins/balancer.ts'
import { transitions } from '../../../src/upstream/origins/origin-states.ts'
import { defaultBalance } from '../../../src/upstream/spec/balance-spec.ts'
import { balanced, endpoint, type Named } from '../../helpers/balanced-origins.ts'

test('a balancer without members picks none', t => {
  const { balancer } = balanced('')
  t.equal(balancer.pick(undefined), undefined)
  t.same(balancer.gauge(), { panics: 0, origins: [], totals: [] })
  t.end()
})

test('a balancer has its own clock and random numbers', t => {
  const balancer = createBalancer<Named>({ balance: defaultBalance })
  balancer.set([endpoint('a'), endpoint('b')], ({ key }) => ({ name: key }))
  const member = balancer.pick(undefined)
  t.ok(member)
  if (member === undefined) return t.end()
  balancer.started(member)
  balancer.ended(member, 5, 'ok')
  balancer.released(member)
  t.match(member.gauge, { active: 0, latencyMs: 5, attempts: 1 })
  t.end()
})

test('members with equal keys stay, the others leave, and the first of two equal endpoints is used', t => {
  const { balancer, set, attempts, changes } = balanced('ab')
  attempts(3, 'b')
  const removed = set([endpoint('b', 4), endpoint('c'), endpoint('b', 9)])
  t.same(
    removed.map(({ value }) => value.name),
    ['a'],
  )
  t.same(
    balancer.gauge().origins.map(({ origin, weight, attempts: made }) => [origin, weight, made]),
    [
      ['b', 4, 3],
      ['c', 1, 0],
    ],
  )
  t.same(changes, ['a removed', 'c added'])
  t.end()
})

test('attempts that are in flight at a member that leaves end without an effect', t => {
  const { balancer, set, member, changes } = balanced('ab')
  const left = member('a')
  balancer.started(left)
  set([endpoint('b')])
  for (let made = 0; made < 10; made++) balancer.ended(left, 5, 'failed')
  balancer.setHealthy(left, false)
  balancer.released(left)
  t.match(left.gauge, { state: 'available', active: 0, failed: 0 })
  t.same(changes, ['a removed'])
  t.end()
})

test('origins of equal latency get calls in proportion to their weights', t => {
  const { set, shares } = balanced('ab')
  set([endpoint('a', 100), endpoint('b', 300)])
  const { a, b } = shares()
  t.ok(Math.abs((a as number) - 0.25) < 0.02 && Math.abs((b as number) - 0.75) < 0.02, `${a} and ${b}`)
  t.end()
})

test('a slow origin is avoided, and is tried by one attempt after some seconds', t => {
  const { balancer, clock, attempts, shares, member } = balanced('ab')
  attempts(1, 'b', 'ok', 100)
  attempts(1, 'a', 'ok', 5)
  t.same(Object.keys(shares()), ['a'])
  clock.pass(20_000)
  t.same(Object.keys(shares()), ['a'], 'both costs have fallen')
  attempts(1, 'a', 'ok', 8)
  clock.pass(1)
  attempts(1, 'a', 'ok', 8)
  clock.pass(12_000)
  attempts(1, 'a', 'ok', 8)
  t.equal(balancer.pick(undefined)?.value.name, 'b')
  balancer.started(member('b'))
  t.same(Object.keys(shares()), ['a'], 'the last average counts while the attempt is in flight')
  t.end()
})

test('an origin that hangs gets one attempt before its first answer, however long that takes', t => {
  const { balancer, clock, attempts, member } = balanced('abc')
  balancer.started(member('a'))
  for (let made = 0; made < 200; made++) {
    const picked = balancer.pick(undefined)
    t.not(picked?.value.name, 'a')
    attempts(1, picked?.value.name ?? '', 'ok', 5)
    clock.pass(100)
  }
  t.end()
})

test('fast failures do not attract calls', t => {
  const { attempts, gaugeOf } = balanced('abc')
  attempts(1, 'a', 'ok', 20)
  attempts(1, 'b', 'ok', 30)
  attempts(1, 'c', 'failed', 1)
  t.equal(gaugeOf('c')?.latencyMs, 20)
  attempts(1, 'c', 'failed', 500)
  t.equal(gaugeOf('c')?.latencyMs, 500)
  t.end()
})

test('an aborted attempt counts only if it took longer than the average', t => {
  const { attempts, gaugeOf } = balanced('ab')
  attempts(1, 'a', 'ok', 20)
  attempts(1, 'a', 'aborted', 10)
  t.equal(gaugeOf('a')?.latencyMs, 20)
  attempts(1, 'a', 'aborted', 90)
  t.match(gaugeOf('a'), { latencyMs: 90, attempts: 1, failed: 0 })
  t.end()
})

test('fast failures that are not evidence about an origin do not attract calls', t => {
  const { attempts, gaugeOf } = balanced('ab')
  attempts(1, 'a', 'ok', 20)
  attempts(1, 'b', 'ignored', 1)
  t.match(gaugeOf('b'), { latencyMs: 20, attempts: 0, failed: 0 })
  attempts(1, 'b', 'ignored', 30)
  attempts(1, 'b', 'ignored', 1)
  t.equal(gaugeOf('b')?.latencyMs, 30)
  t.end()
})

test('consecutive failures eject an origin, which returns after its time', t => {
  const { attempts, gaugeOf, clock, shares, changes } = balanced('abc')
  attempts(4, 'a', 'failed')
  attempts(1, 'a', 'ok')
  attempts(2, 'a', 'ignored')
  attempts(2, 'a', 'aborted')
  attempts(4, 'a', 'failed')
  t.equal(gaugeOf('a')?.state, 'available', 'a success ends the row')
  attempts(1, 'a', 'ignored')
  attempts(1, 'a', 'failed')
  t.match(gaugeOf('a'), { state: 'ejected', ejections: 1, attempts: 10, failed: 9 })
  t.same(Object.keys(shares()).sort(), ['b', 'c'])
  clock.pass(4999)
  t.same(Object.keys(shares()).sort(), ['b', 'c'])
  clock.pass(1)
  t.same(Object.keys(shares()).sort(), ['a', 'b', 'c'])
  t.same(changes, ['a ejected', 'a available'])
  t.end()
})

test('the gauge shows an origin as available when its ejection has ended, also without a pick', t => {
  const { attempts, gaugeOf, clock } = balanced('abc')
  attempts(5, 'a', 'failed')
  clock.pass(5000)
  t.equal(gaugeOf('a')?.state, 'available')
  t.end()
})

test('an origin that has returned begins with the median latency and a tenth of its share', t => {
  const { attempts, together, gaugeOf, clock, shares } = balanced('abcde')
  together('bcde', 'ok', 10)
  attempts(5, 'a', 'failed', 300)
  clock.pass(5000)
  t.match(gaugeOf('a'), { state: 'available', latencyMs: 10 })
  together('bcde', 'ok', 10)
  const { a = 0 } = shares()
  t.ok(a < 0.05, `${a} of the calls`)
  t.end()
})

test('an origin that is added later begins with the median latency and a tenth of its share', t => {
  const { together, gaugeOf, set, shares, clock } = balanced('abcd')
  together('abcd', 'ok', 10)
  set(Array.from('abcde', name => endpoint(name)))
  t.equal(gaugeOf('e')?.latencyMs, 10)
  const early = shares()['e'] ?? 0
  t.ok(early > 0.005 && early < 0.05, `${early} of the calls`)
  clock.pass(10_000)
  together('abcde', 'ok', 10)
  const late = shares()['e'] ?? 0
  t.ok(late > 0.15, `${late} of the calls`)
  t.end()
})

test('an initial origin that is found later begins with its full share, and is not a change', t => {
  const { together, gaugeOf, set, shares, changes } = balanced('abc')
  together('abc', 'ok', 10)
  set(Array.from('abcd', name => endpoint(name, 1, name === 'd')))
  t.equal(gaugeOf('d')?.latencyMs, null)
  together('abcd', 'ok', 10)
  const share = shares()['d'] ?? 0
  t.ok(Math.abs(share - 0.25) < 0.02, `${share} of the calls`)
  t.same(changes, [])
  t.end()
})

test('an origin that has returned begins with the median latency of the others, without its own', t => {
  const { attempts, gaugeOf, clock } = balanced('abc')
  attempts(1, 'b', 'ok', 10)
  attempts(1, 'c', 'ok', 20)
  attempts(5, 'a', 'failed', 300)
  clock.pass(5000)
  t.match(gaugeOf('a'), { state: 'available', latencyMs: 10 })
  t.end()
})

test('one failure ejects an origin that has returned, until an attempt has succeeded', t => {
  const { attempts, gaugeOf, clock } = balanced('abc', { ejection: { duration: 1000 } })
  attempts(5, 'a', 'failed')
  clock.pass(1000)
  attempts(1, 'a', 'failed')
  t.equal(gaugeOf('a')?.state, 'ejected')
  clock.pass(2000)
  attempts(1, 'a')
  attempts(4, 'a', 'failed')
  t.equal(gaugeOf('a')?.state, 'available')
  attempts(1, 'a', 'failed')
  t.equal(gaugeOf('a')?.state, 'ejected')
  t.end()
})

test('an origin is ejected for longer when it fails soon after its return', t => {
  const { attempts, gaugeOf, clock } = balanced('abc', { ejection: { duration: 1000 } })
  attempts(5, 'a', 'failed')
  clock.pass(1000)
  t.equal(gaugeOf('a')?.state, 'available')
  attempts(5, 'a', 'failed')
  clock.pass(1999)
  t.equal(gaugeOf('a')?.state, 'ejected')
  clock.pass(1)
  t.equal(gaugeOf('a')?.state, 'available')
  t.end()
})

test('failures of attempts that started before an ejection do not eject the origin again', t => {
  const { balancer, attempts, gaugeOf, clock, member } = balanced('abc')
  clock.pass(1000)
  attempts(5, 'a', 'failed')
  clock.pass(5000)
  t.equal(gaugeOf('a')?.state, 'available')
  for (let made = 0; made < 10; made++) balancer.ended(member('a'), 5500, 'failed')
  t.match(gaugeOf('a'), { state: 'available', latencyMs: 5500 })
  balancer.ended(member('a'), 5000, 'failed')
  t.equal(gaugeOf('a')?.state, 'ejected')
  t.end()
})

test('an answer to an attempt that started before an ejection does not end it', t => {
  const { balancer, attempts, gaugeOf, clock, member } = balanced('abc')
  clock.pass(1000)
  attempts(5, 'a', 'failed')
  clock.pass(100)
  balancer.ended(member('a'), 500, 'ok')
  t.equal(gaugeOf('a')?.state, 'ejected')
  t.end()
})

test('an origin with a slow median in a second is ejected when the next second has begun', t => {
  const { balancer, attempts, gaugeOf, clock } = balanced('abcd')
  for (const name of 'abc') attempts(10, name, 'ok', 2)
  for (let made = 0; made < 10; made++) {
    const slow = balancer.members[3]
    if (slow !== undefined) balancer.ended(slow, 60, 'ok')
  }
  t.equal(gaugeOf('d')?.state, 'available')
  clock.pass(1000 - clock.steady())
  attempts(1, 'a', 'ok', 0)
  t.equal(gaugeOf('d')?.state, 'ejected')
  t.end()
})

test('latencies of a second are not compared when no attempt ended in the second after it', t => {
  const { balancer, gaugeOf, clock, attempts } = balanced('abcd')
  for (const member of balancer.members)
    for (let made = 0; made < 10; made++) balancer.ended(member, member.value.name === 'd' ? 60 : 2, 'ok')
  clock.pass(2000)
  attempts(1, 'a')
  t.equal(gaugeOf('d')?.state, 'available')
  t.end()
})

test('fast and slow operations on all origins eject none', t => {
  const { balancer, clock, changes } = balanced('abcd')
  for (let made = 0; made < 4000; made++) {
    const member = balancer.members[made % 4]
    if (member === undefined) throw new Error('no member')
    clock.pass(1)
    balancer.ended(member, (made * 7) % 10 === 0 ? 300 : 1, 'ok')
  }
  t.same(changes, [])
  t.end()
})

test('at most half of the origins are ejected at once, and then the next failure ejects', t => {
  const { attempts, gaugeOf, clock, balancer } = balanced('abcde', { panicRatio: 0 })
  for (const name of 'abcd') attempts(5, name, 'failed')
  t.same(
    balancer.gauge().origins.map(({ state }) => state),
    ['ejected', 'ejected', 'available', 'available', 'available'],
  )
  clock.pass(5000)
  attempts(1, 'c', 'failed')
  t.equal(gaugeOf('c')?.state, 'ejected')
  t.end()
})

test('one origin alone is never ejected', t => {
  const { attempts, gaugeOf, balancer } = balanced('a')
  attempts(100, 'a', 'failed')
  t.equal(gaugeOf('a')?.state, 'available')
  t.equal(balancer.pick(undefined)?.value.name, 'a')
  t.end()
})

test('ejection: false ejects none', t => {
  const { attempts, gaugeOf, balancer } = balanced('abc', { ejection: false })
  attempts(100, 'a', 'failed')
  t.equal(gaugeOf('a')?.state, 'available')
  balancer.pick(undefined)
  t.equal(balancer.gauge().panics, 0)
  t.end()
})

test('ejections end early when so many members leave that too large a share is ejected', t => {
  const { attempts, balancer, clock, set } = balanced('abcd')
  attempts(5, 'b', 'failed')
  clock.pass(10)
  attempts(5, 'a', 'failed')
  set([endpoint('a'), endpoint('b')])
  t.same(
    balancer.gauge().origins.map(({ origin, state }) => [origin, state]),
    [
      ['a', 'ejected'],
      ['b', 'available'],
    ],
  )
  t.end()
})

test('an unhealthy origin gets no calls until it is healthy, and then a small share', t => {
  const { balancer, member, shares, changes } = balanced('abc')
  balancer.setHealthy(member('a'), false)
  balancer.setHealthy(member('a'), false)
  t.same(Object.keys(shares()).sort(), ['b', 'c'])
  balancer.setHealthy(member('a'), true)
  const { a = 0 } = shares()
  t.ok(a > 0 && a < 0.1, `${a} of the calls`)
  t.same(changes, ['a unhealthy', 'a available'])
  t.end()
})

test('a passed health check does not end an ejection', t => {
  const { balancer, attempts, member, gaugeOf, clock, changes } = balanced('abc')
  attempts(5, 'a', 'failed')
  balancer.setHealthy(member('a'), false)
  balancer.setHealthy(member('a'), true)
  t.equal(gaugeOf('a')?.state, 'ejected')
  balancer.setHealthy(member('a'), false)
  clock.pass(5000)
  t.equal(gaugeOf('a')?.state, 'unhealthy')
  t.same(changes, ['a ejected', 'a unhealthy'])
  t.end()
})

test('all origins get calls in panic, and an answer of an ejected one ends its ejection', t => {
  const { attempts, balancer, shares, gaugeOf } = balanced('abcd')
  for (const name of 'ab') attempts(5, name, 'failed')
  t.same(Object.keys(shares(100)).sort(), ['c', 'd'])
  t.equal(balancer.gauge().panics, 0)
  attempts(5, 'c', 'failed')
  t.same(Object.keys(shares(100)).sort(), ['a', 'b', 'c', 'd'])
  t.equal(balancer.gauge().panics, 100)
  attempts(1, 'a')
  t.equal(gaugeOf('a')?.state, 'available')
  shares(100)
  t.equal(balancer.gauge().panics, 100, 'two of four are good')
  t.end()
})

test('panic ends when an origin that failed and could not be ejected answers', t => {
  const { attempts, balancer, shares } = balanced('abcd')
  for (const name of 'abc') attempts(5, name, 'failed')
  shares(10)
  attempts(1, 'c')
  shares(10)
  t.equal(balancer.gauge().panics, 10)
  t.end()
})

test('origins that all fail their health checks get calls, also with a panic ratio of 0', t => {
  for (const panicRatio of [0, 0.5]) {
    const { balancer, shares, attempts } = balanced('abc', { panicRatio })
    for (const member of balancer.members) balancer.setHealthy(member, false)
    t.same(Object.keys(shares(100)).sort(), ['a', 'b', 'c'])
    attempts(5, 'a', 'failed')
    t.equal(balancer.gauge().origins[0]?.state, 'ejected', 'an unhealthy origin that fails in panic is ejected')
  }
  t.end()
})

test('a member that was tried is avoided as long as there is another candidate', t => {
  const { balancer, attempts, member } = balanced('abc')
  const [a, b, c] = ['a', 'b', 'c'].map(name => member(name).value) as [Named, Named, Named]
  for (let made = 0; made < 20; made++) {
    t.not(balancer.pick([a])?.value, a)
    t.equal(balancer.pick([a, b])?.value, c)
    t.not(balancer.pick([a, b, c])?.value, c, 'all were tried: only the last one is avoided')
  }
  attempts(5, 'c', 'failed')
  t.equal(balancer.pick([a])?.value, b)
  t.equal(balanced('a').balancer.pick([a])?.value.name, 'a')
  const alone = balanced('a')
  t.equal(alone.balancer.pick([alone.member('a').value])?.value.name, 'a')
  t.end()
})

test('each state of an origin has transitions to both others', t => {
  t.same(transitions, {
    available: ['ejected', 'unhealthy'],
    ejected: ['available', 'unhealthy'],
    unhealthy: ['available', 'ejected'],
  })
  t.end()
})
