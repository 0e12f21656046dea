import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

test('a large reply is written in a turn of the loop of its own', async t => {
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const at: number[] = []
  const { origin } = await rawUpstream(t, json('x'.repeat(200_000)))
  const output = z.string().transform(text => {
    at.push(turns)
    const until = performance.now() + 10
    // Longer than such work is given of a turn.
    while (performance.now() < until);
    return text.length
  })
  const upstream = defineUpstream('large', { origin }, { get: operation({ path: '/', output }) })
  const described = aggregate('large', { url: '/large' }).required('part', () => upstream.get()).reply(z.any(), ({ part }) => ({
    toJSON () {
      at.push(turns)
      return part
    },
  }))
  const app = buildApp([described])
  t.teardown(() => app.close())
  const { body } = await app.inject('/large')
  isOver = true
  t.match(JSON.parse(body), { data: 200_000, complete: true })
  t.equal(at.length, 2)
  t.ok((at[1] ?? 0) > (at[0] ?? 0), at.join(', '))
})
