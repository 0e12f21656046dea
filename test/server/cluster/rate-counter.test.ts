import { test } from 'tap'
import { rateCounter } from '../../../src/server/cluster/rate-counter.ts'

test('each client is counted by itself, in windows that begin with its first request', async t => {
  let now = 0
  const count = rateCounter({ windowMs: 100, now: () => now })
  t.same(count('a', 1), { current: 1, ttl: 100 })
  now = 60
  t.same(count('a', 1), { current: 2, ttl: 40 })
  t.same(count('b', 1), { current: 1, ttl: 100 })
  now = 99
  t.same(count('a', 1), { current: 3, ttl: 1 })
  now = 100
  t.same(count('a', 1), { current: 1, ttl: 100 })
  t.same(count('b', 1), { current: 2, ttl: 60 })
})

test('of more clients than are counted, the one that asked longest ago is forgotten', async t => {
  const count = rateCounter({ clients: 2, now: () => 0 })
  for (const client of ['a', 'b', 'a', 'c']) count(client, 1)
  t.equal(count('a', 1).current, 3)
  t.equal(count('b', 1).current, 1, 'b was forgotten for c')
})

test('the calls of a batch are counted in one step', async t => {
  const count = rateCounter({ windowMs: 100, now: () => 0 })
  t.same(count('a', 1), { current: 1, ttl: 100 })
  t.same(count('a', 9), { current: 10, ttl: 100 })
})
