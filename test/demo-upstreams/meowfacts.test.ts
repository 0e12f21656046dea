import { test } from 'tap'
import { facts } from '../../src/demo-upstreams/data/facts.ts'
import { startOne } from './helpers/start-one.ts'

interface Facts {
  data: string[]
}

test('meowfacts gives as many facts as asked for, one by default, all at most', async t => {
  const { get } = await startOne(t, 'meowfacts')
  for (const [path, count] of [
    ['/', 1],
    ['/?count=4&lang=eng', 4],
    ['/?count=0', 1],
    ['/?count=9999', facts.length],
  ] as const) {
    const { status, body } = await get<Facts>(path)
    t.equal(status, 200)
    t.same(Object.keys(body), ['data'])
    t.equal(new Set(body.data).size, count)
    t.equal(body.data.length, count)
    t.ok(body.data.every(fact => facts.includes(fact)))
  }
})

test('meowfacts does not repeat itself in a run of calls', async t => {
  const { get } = await startOne(t, 'meowfacts')
  const found = new Set()
  for (let number = 0; number < 20; number += 1)
    for (const fact of (await get<Facts>('/?count=5')).body.data) found.add(fact)
  t.equal(found.size, 100)
})
