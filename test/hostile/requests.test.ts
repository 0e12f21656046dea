import { test } from 'tap'
import { exchange } from './helpers/exchange.ts'
import { hostileApp } from './helpers/hostile-app.ts'
import { judge } from './helpers/judge.ts'
import { accepts } from './lines/accepts.ts'
import { batches } from './lines/batches.ts'
import { bodies } from './lines/bodies.ts'
import { encodings } from './lines/encodings.ts'
import { framings } from './lines/framings.ts'
import { headers } from './lines/headers.ts'
import { queries } from './lines/queries.ts'
import { traversals } from './lines/traversals.ts'
import { verbs } from './lines/verbs.ts'

const families = { encodings, traversals, queries, verbs, bodies, batches, accepts, headers, framings }
const all = Object.values(families).flat()

test('there are 300 refusals and more, no two alike', async t => {
  t.ok(all.filter(({ expect }) => expect.every(each => Number(each.slice(0, 3)) >= 400)).length >= 300)
  t.equal(new Set(all.map(({ bytes, ends }) => `${ends} ${bytes.toString('latin1')}`)).size, all.length)
  t.equal(new Set(all.map(({ what }) => what)).size, all.length)
})

test('a hostile request is refused with its problem, in time, and does no harm', async t => {
  const app = await hostileApp(t)
  for (const [family, lines] of Object.entries(families)) {
    await t.test(family, async t => {
      for (const line of lines) t.same(judge(line, await exchange(app.port, line)), [], line.what)
    })
  }

  const response = await fetch(`http://127.0.0.1:${app.port}/v1/breeds/siamese?facts=1`)
  t.equal(response.status, 200, 'a good request is still answered')
  t.match(await response.json(), { data: { name: 'Siamese' }, complete: true })
  t.same(app.errors(), [], 'nothing was logged as an error')
  t.ok(app.logged() > all.length / 2, 'though the log was on')
  t.same(app.strays(), [], 'no upstream saw a path outside its templates')
  t.ok(app.asked() > 100, 'though upstreams were asked')
})
