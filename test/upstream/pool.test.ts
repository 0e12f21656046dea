import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { dispatch } from '../../src/upstream/dispatch.ts'
import { openPool } from '../../src/upstream/pool.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

async function asked (t: Test, maxAge: number | undefined) {
  const raw = await rawUpstream(t, (socket, { headers }) => {
    socket.write(json('well'))
    if (headers.some(([name, value]) => name === 'connection' && value === 'close')) socket.end()
  })
  const pool = openPool(raw.origin, { connections: 1, connect: {}, ...maxAge !== undefined && { maxAge } })
  t.teardown(() => pool.destroy())
  const { ask } = defineUpstream('raw', { origin: raw.origin }, { ask: operation({ path: '/', output: z.unknown() }) })
  for (let call = 0; call < 5; call++) await dispatch(pool, '')(testRun().ask(ask()))
  return raw.requests.map(({ connection }) => connection)
}

test('a connection is used again until it is old, and then takes its last call', async t => {
  t.same(await asked(t, undefined), [0, 0, 0, 0, 0])
  t.same(await asked(t, 0), [0, 0, 1, 1, 2])
})
