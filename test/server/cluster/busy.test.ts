import { Agent } from 'node:http'
import { test } from 'tap'
import { workersService } from './helpers/workers-service.ts'

test('a worker whose turns take two seconds is not replaced, nor is one whose primary was stopped for longer than the limit', async t => {
  const { ask, log, pid, said } = await workersService(t, { environment: { WORKER_HEARTBEAT_MS: '4000' } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const {
    body: {
      data: { pid: worker },
    },
  } = await ask('/turn', agent)
  process.kill(pid, 'SIGSTOP')
  // The worker goes on: three turns of two seconds are longer than the limit.
  for (let turn = 0; turn < 3; turn++) t.equal((await ask('/turn', agent)).body.data.pid, worker)
  process.kill(pid, 'SIGCONT')
  for (let turn = 0; turn < 2; turn++) t.equal((await ask('/turn', agent)).body.data.pid, worker)
  t.same(
    log.filter(({ msg }) => msg.includes('heartbeat')),
    [],
  )
  // The watch has gone on.
  process.kill(worker, 'SIGSTOP')
  t.match(await said('sent no heartbeat'), { workerPid: worker })
})

test('without a limit a silent worker stays', async t => {
  const { ask, said, log, stop } = await workersService(t, {
    environment: { WORKER_HEARTBEAT_MS: '0', DRAIN_MS: '100' },
  })
  void ask('/spin').catch(() => {})
  t.equal((await ask('/turn')).status, 200)
  stop('SIGTERM')
  t.match(await said('did not stop in time'), { level: 50 })
  t.same(
    log.filter(({ msg }) => msg.includes('heartbeat')),
    [],
  )
})
