import { test } from 'tap'
import { buildApp } from '../../../src/app.ts'
import type { BatchReply } from '../../../src/batch/result.ts'
import { malformed } from '../../batch/malformed.ts'
import { shopAnswer, shopAt } from '../../batch/shop.ts'
import { listening } from '../../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../../helpers/problem.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'

/** Stands for a number that JavaScript reads as infinity. `JSON.stringify` cannot write one. */
const infinite = '(infinite)'

test('each malformed batch gets one 400 with all its faults, 413, or the 424 of its calls', async t => {
  const upstream = await rawUpstream(t, (socket, { path }) => {
    const value = shopAnswer(path)
    socket.write(value === undefined ? json({}, 503) : json(value))
  })
  const { operations, aggregates } = shopAt(upstream.origin)
  const ask = await listening(t, buildApp(aggregates, { batch: { operations } }))
  t.ok(malformed.length >= 50, `${malformed.length} bodies`)
  for (const each of malformed) {
    const before = upstream.requests.length
    const body = JSON.stringify(each.body, (_, value: unknown) => (value === Infinity ? infinite : value)).replaceAll(
      `"${infinite}"`,
      '1e999',
    )
    const method = each.kind === 'refused' ? (each.method ?? 'POST') : 'POST'
    const got = await ask<ProblemBody & BatchReply>('/v1/batch', {
      method,
      headers: { 'content-type': 'application/json' },
      body,
    })
    if (each.kind === 'answered') {
      t.equal(got.status, 200, each.title)
      t.equal(got.body.complete, false, each.title)
      t.same(
        got.body.results.map(result => [
          result.id,
          'problem' in result ? [result.status, (result.problem as ProblemBody).code] : [result.status],
        ]),
        Object.entries(each.results),
        each.title,
      )
      continue
    }
    t.equal(upstream.requests.length, before, `nothing is sent: ${each.title}`)
    if (each.kind === 'oversized') isProblem(t, got, 413, 'PAYLOAD_TOO_LARGE')
    // The parser of bodies refuses this key in every body.
    else if (body.includes('"__proto__":')) isProblem(t, got, 400, 'BAD_REQUEST')
    else {
      isProblem(t, got, 400, 'INPUT_INVALID')
      const found = got.body.errors ?? []
      t.equal(found.length, each.faults.length, `${each.title}: ${JSON.stringify(found)}`)
      for (const [pointer, reason] of each.faults)
        t.ok(
          found.some(fault => fault.pointer === pointer && reason.test(fault.reason)),
          `${each.title}: ${pointer} ${reason}`,
        )
    }
  }
})
