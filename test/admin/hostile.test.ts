import { test } from 'tap'
import { exchange } from '../hostile/helpers/exchange.ts'
import { judge } from '../hostile/helpers/judge.ts'
import { accepts } from '../hostile/lines/accepts.ts'
import { bodies } from '../hostile/lines/bodies.ts'
import { encodings } from '../hostile/lines/encodings.ts'
import { framings } from '../hostile/lines/framings.ts'
import { headers } from '../hostile/lines/headers.ts'
import { queries } from '../hostile/lines/queries.ts'
import { traversals } from '../hostile/lines/traversals.ts'
import { verbs } from '../hostile/lines/verbs.ts'
import { serveAdminApp } from './helpers/served-admin-app.ts'

const families = { encodings, traversals, queries, verbs, bodies, accepts, headers, framings }

/**
 * Faults that are none here: the admin listener does not have the paths of the service, and it refuses the bytes after
 * a body that it does not read.
 */
const isOtherPath = (fault: string) =>
  fault.startsWith('answered 404') ||
  fault === 'a good request before it was not answered' ||
  fault === 'the next request on its connection got HTTP/1.1 400 Bad Request'

test('the admin listener refuses a hostile request with its problem, in time, and stays up', async t => {
  const { port, origin, lines } = await serveAdminApp(t)
  let exact = 0
  for (const [family, all] of Object.entries(families)) {
    await t.test(family, async t => {
      for (const line of all) {
        const faults = judge(line, await exchange(port, line))
        if (faults.length === 0) exact++
        t.same(
          faults.filter(fault => !isOtherPath(fault)),
          [],
          line.what,
        )
      }
    })
  }
  t.ok(exact > 100, `${exact} requests get the reply of the service`)
  t.equal((await fetch(`${origin}/metrics`)).status, 200)
  t.same(
    lines.filter(({ level }) => level >= 50),
    [],
    'nothing was logged as an error',
  )
})
