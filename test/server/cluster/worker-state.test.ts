import { test } from 'tap'
import { WorkerState } from '../../../src/server/cluster/worker-state.ts'

test('a worker starts, runs, hangs without messages, runs again, and stops', async t => {
  let now = 10_000
  const state = new WorkerState(() => now)
  state.heard()
  now += 60_000
  t.equal(state.shown, 'starting', 'while it loads its modules it sends nothing')
  t.notOk(state.isListening)
  state.heard()
  state.listening()
  t.ok(state.isListening)
  now += 2500
  t.equal(state.shown, 'running')
  now++
  t.equal(state.shown, 'hung')
  state.heard()
  t.equal(state.shown, 'running')
  state.stopping()
  now += 60_000
  t.equal(state.shown, 'stopping')
})
