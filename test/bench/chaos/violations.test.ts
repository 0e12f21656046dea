import { test } from 'tap'
import type { PartResult } from '../../../bench/scenarios/chaos/part-metrics.ts'
import { violationsOf } from '../../../bench/scenarios/chaos/violations.ts'

const good: PartResult = {
  asked: 1000,
  admitted: 1000,
  whole: 1000,
  partial: 0,
  shed: 0,
  failed: {},
  mixedUp: 0,
  p99Ms: 10,
}
const well = { died: undefined, isWell: true }

test('a service that lives and answers the healthy is good, whatever becomes of the attackers', async t => {
  t.same(
    violationsOf({
      ...well,
      parts: {
        healthy: good,
        tiny: { ...good, admitted: 0, whole: 0, shed: 1000 },
        hanging: { ...good, whole: 0, failed: { UPSTREAM_TIMEOUT: 1000 } },
      },
    }),
    [],
  )
})

test('one of a thousand admitted requests may fail, and two may not', async t => {
  t.same(violationsOf({ ...well, parts: { healthy: { ...good, whole: 999, failed: { SHED: 1 } } } }), [])
  t.same(violationsOf({ ...well, parts: { healthy: { ...good, whole: 998, partial: 1, failed: { SHED: 1 } } } }), [
    'healthy: 998 of 1000 admitted requests were answered whole, which is 99.80 %',
  ])
})

test('a twentieth may be refused, and no more', async t => {
  t.same(violationsOf({ ...well, parts: { healthy: { ...good, admitted: 950, whole: 950, shed: 50 } } }), [])
  t.same(violationsOf({ ...well, parts: { healthy: { ...good, admitted: 949, whole: 949, shed: 51 } } }), [
    'healthy: 51 of 1000 requests were refused, which is 5.10 %',
  ])
})

test('a mix-up and a request without an answer are violations in every part', async t => {
  t.same(
    violationsOf({
      ...well,
      parts: {
        healthy: good,
        mixed: { ...good, whole: 999, mixedUp: 1 },
        slow: { ...good, failed: { UND_ERR_HEADERS_TIMEOUT: 2, UND_ERR_BODY_TIMEOUT: 1, UPSTREAM_RESET: 4 } },
      },
    }),
    ['mixed: 1 answers with the ids of another request', 'slow: 3 requests were not answered in time'],
  )
})

test('a service that ends, does not come back, or was asked nothing is not good', async t => {
  t.same(violationsOf({ died: 'SIGABRT', isWell: false, parts: { healthy: good } }), ['the service ended: SIGABRT'])
  t.same(violationsOf({ died: undefined, isWell: false, parts: { healthy: good } }), [
    'after the end the service is not ready, or does not answer a healthy request',
  ])
  t.same(violationsOf({ ...well, parts: {} }), ['no healthy request was admitted'])
})
