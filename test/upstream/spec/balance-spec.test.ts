import { test } from 'tap'
import { defineUpstream, specOf } from '../../../src/upstream/declare.ts'

const define = (balance: unknown) =>
  specOf(defineUpstream('users', { origins: ['http://a', 'http://b'], balance } as never, {})).balance

const ejection = { consecutiveFailures: 5, latencyRatio: 5, duration: 5000, maxDuration: 60_000, maxRatio: 0.5 }

test('the choice among origins has defaults', async t => {
  for (const none of [undefined, {}])
    t.same(define(none), { ejection, healthCheck: undefined, slowStart: 10_000, panicRatio: 0.5 })
  t.same(define({ ejection: false }).ejection, false)
  t.same(define({ ejection: { duration: 90_000 } }).ejection, { ...ejection, duration: 90_000, maxDuration: 90_000 })
  t.same(define({ healthCheck: { path: '/health?full=1' } }).healthCheck, {
    path: '/health?full=1',
    interval: 5000,
    timeout: 1000,
    unhealthyAfter: 3,
    healthyAfter: 2,
  })
  t.match(define({ healthCheck: { path: '/', interval: 200 } }).healthCheck, { interval: 200, timeout: 200 })
})

test('the choice among origins is declared with a list of origins', async t => {
  t.throws(() => defineUpstream('users', { origin: 'http://a', balance: {} }, {}), {
    name: 'TypeError',
    message: "upstream 'users': balance needs origins: replace origin by origins",
  })
  const one = specOf(defineUpstream('users', { origins: ['http://a'], balance: { slowStart: 0 } }, {}))
  t.match(one, { origins: undefined, balance: { slowStart: 0 } })
})

test('a value that is not allowed is refused with the option and the allowed values', async t => {
  const refused: readonly (readonly [balance: unknown, message: string])[] = [
    [null, 'balance must be an object with some of ejection, healthCheck, slowStart, panicRatio'],
    [{ slow: 1 }, "unknown option 'balance.slow': use ejection, healthCheck, slowStart, panicRatio"],
    [{ slowStart: -1 }, 'balance.slowStart must be a whole number of ms from 0 to 2147483647, got -1'],
    [{ panicRatio: 1.1 }, 'balance.panicRatio must be a number from 0 to 1, got 1.1'],
    [{ ejection: true }, `balance.ejection must be an object with some of ${Object.keys(ejection).join(', ')}`],
    [{ ejection: { for: 1 } }, `unknown option 'balance.ejection.for': use ${Object.keys(ejection).join(', ')}`],
    [
      { ejection: { consecutiveFailures: 0 } },
      'balance.ejection.consecutiveFailures must be a whole number from 1 to 2147483647, got 0',
    ],
    [{ ejection: { latencyRatio: 0.5 } }, 'balance.ejection.latencyRatio must be a number from 1 to 1000, got 0.5'],
    [
      { ejection: { duration: 0 } },
      'balance.ejection.duration must be a whole number of ms from 1 to 2147483647, got 0',
    ],
    [
      { ejection: { maxDuration: 4999 } },
      'balance.ejection.maxDuration must be a whole number of ms from 5000 to 2147483647, got 4999',
    ],
    [{ ejection: { maxRatio: 0.6 } }, 'balance.ejection.maxRatio must be a number from 0 to 0.5, got 0.6'],
    [
      { healthCheck: null },
      'balance.healthCheck must be an object with some of path, interval, timeout, unhealthyAfter, healthyAfter',
    ],
    [{ healthCheck: {} }, "balance.healthCheck.path is missing: it must be a string such as '/health'"],
    [
      { healthCheck: { path: '/', interval: 99 } },
      'balance.healthCheck.interval must be a whole number of ms from 100 to 2147483647, got 99',
    ],
    [
      { healthCheck: { path: '/', interval: 500, timeout: 501 } },
      'balance.healthCheck.timeout must be a whole number of ms from 1 to 500, got 501',
    ],
    [
      { healthCheck: { path: '/', unhealthyAfter: 0 } },
      'balance.healthCheck.unhealthyAfter must be a whole number from 1 to 2147483647, got 0',
    ],
    [
      { healthCheck: { path: '/', healthyAfter: 1.5 } },
      'balance.healthCheck.healthyAfter must be a whole number from 1 to 2147483647, got 1.5',
    ],
  ]
  for (const [balance, message] of refused)
    t.throws(() => define(balance), { name: 'TypeError', message: `upstream 'users': ${message}` })
})

test('the path of a health check is a path of the same origin', async t => {
  for (const path of [
    'health',
    '//other.example/',
    '/a/../b',
    '/a/%2e%2e/b',
    '/a\\b',
    '/a b',
    '/a#b',
    'http://a/',
    'http://[',
    '',
  ])
    t.throws(
      () => define({ healthCheck: { path } }),
      { message: `upstream 'users': balance.healthCheck.path must be a path such as '/health', got '${path}'` },
      path,
    )
})
