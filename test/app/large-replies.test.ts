import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { holdTurn, loopTurns } from '../helpers/loop-turns.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

test('a large reply is written in a turn of the loop of its own', async t => {
  const turns = loopTurns()
  const at: number[] = []
  const { origin } = await rawUpstream(t, json('x'.repeat(200_000)))
  const output = z.string().transform(text => {
    at.push(turns.count)
    holdTurn()
    return text.length
  })
  const upstream = defineUpstream('large', { origin }, { get: operation({ path: '/', output }) })
  const described = aggregate('large', { url: '/large' }).required('part', () => upstream.get()).reply(z.any(), ({ part }) => ({
    toJSON () {
      at.push(turns.count)
      return part
    },
  }))
  const app = buildApp([described])
  t.teardown(() => app.close())
  const { body } = await app.inject('/large')
  turns.stop()
  t.match(JSON.parse(body), { data: 200_000, complete: true })
  t.equal(at.length, 2)
  t.ok((at[1] ?? 0) > (at[0] ?? 0), at.join(', '))
})
